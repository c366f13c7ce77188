import { request } from 'node:http'
import { AppError } from '../errors.ts'

const TIMEOUT_MS = 10_000

/** Where ejabberd's HTTP API is; the path is a secret. */
export interface ApiAddress {
  readonly port: number
  readonly path: string
  readonly domain: string
}

/** One command of ejabberd's HTTP API. Resolves with the parsed answer. */
export function callApi(api: ApiAddress, command: string, args: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const body = JSON.stringify(args)
  const headers = { host: api.domain, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const call = request({
    host: '127.0.0.1',
    port: api.port,
    path: `${api.path}/${command}`,
    method: 'POST',
    headers,
    timeout: TIMEOUT_MS,
  })
  call.on('timeout', () => call.destroy(new AppError('timeout', 'The local XMPP server does not answer')))
  call.on('error', (cause) => reject(cause instanceof AppError ? cause : unreachable(cause)))
  call.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
    })
    response.on('error', reject)
    response.on('end', () => {
      if (response.statusCode === 200) resolve(JSON.parse(text))
      else reject(readRefusal(response.statusCode, text))
    })
  })
  call.end(body)
  return promise
}

function readRefusal(status: number | undefined, text: string): AppError {
  const message = readMessage(text) ?? `status ${status}`
  if (status === 409) return new AppError('conflict', message)
  if (status === 404) return new AppError('not-found', message)
  return new AppError('bad-request', `The local XMPP server refused: ${message}`)
}

function readMessage(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text)
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

function unreachable(cause: Error): AppError {
  return new AppError('unavailable', 'The local XMPP server is not running: start it with npm start', { cause })
}
