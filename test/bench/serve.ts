import { Agent, get, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'

/** Resolves with the body of the answer, which must be 200. */
export type Ask = (path: string, headers?: OutgoingHttpHeaders) => Promise<string>

/** Has an app listen on loopback; the client keeps its connection, as browsers do. */
export async function serve(app: FastifyInstance): Promise<Ask> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const usual = { host: 'blog.example', accept: 'text/html' }
  return async (path, more) => {
    const headers = { ...usual, ...more }
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    get({ host: '127.0.0.1', port, path, agent, headers }, (answer) => {
      if (answer.statusCode === 200) return text(answer).then(resolve, reject)
      answer.resume()
      reject(new Error(`${path} was answered with ${answer.statusCode}`))
    }).on('error', reject)
    return promise
  }
}
