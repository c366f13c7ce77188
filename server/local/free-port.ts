import { createServer } from 'node:net'
import { AppError } from '../errors.ts'

/** An address to listen on, and the setting that changes its port. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
  readonly variable: string
}

/** Rejects with a sentence that says what to do when nothing can listen there. */
export function checkPort(address: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const server = createServer()
  server.once('error', (error) => reject(explainListenError(error, address)))
  server.listen(address.port, address.host, () => server.close(() => resolve()))
  return promise
}

export function explainListenError(cause: NodeJS.ErrnoException, { host, port, variable }: ListenAddress): AppError {
  const words: Record<string, string> = {
    EADDRINUSE: `Port ${port} is taken by another program: stop that program, or set ${variable} to another port`,
    EACCES: `Port ${port} is only for root: set ${variable} to a port from 1024 on`,
    EADDRNOTAVAIL: `This machine has no address ${host} to listen on: correct CANTO_HOST`,
    ENOTFOUND: `This machine has no address ${host} to listen on: correct CANTO_HOST`,
  }
  return new AppError('conflict', words[cause.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${cause.message}`, {
    cause,
  })
}
