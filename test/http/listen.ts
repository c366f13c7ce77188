import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestSite } from './test-site.ts'

/** A page that is told of changes. */
export interface Listening {
  readonly answer: IncomingMessage
  /** Every version that came, in order. */
  readonly versions: string[]
  /** Every count of notifications that came, in order. */
  readonly unread: string[]
  /** After how many milliseconds the page was told to come again, in order. */
  readonly retries: number[]
  isEnded: boolean
}

export interface ListenOptions {
  readonly cookies?: ReadonlyMap<string, string>
  readonly headers?: Readonly<Record<string, string>>
}

export async function listen(
  site: TestSite,
  path: string,
  { cookies = new Map(), headers = {} }: ListenOptions = {},
): Promise<Listening> {
  const { port } = site.app.server.address() as AddressInfo
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: false, headers: { cookie, ...headers } }, resolve).on('error', reject)
  })
  const listening: Listening = { answer, versions: [], unread: [], retries: [], isEnded: false }
  answer.on('end', () => {
    listening.isEnded = true
  })
  answer.on('error', () => {})
  answer.on('data', (chunk: Buffer) => {
    for (const [, retry] of chunk.toString().matchAll(/^retry: (\d+)$/gm)) listening.retries.push(Number(retry))
    for (const [, event, data = ''] of chunk.toString().matchAll(/^event: (\w+)\ndata: (.*)$/gm))
      listening[event === 'unread' ? 'unread' : 'versions'].push(JSON.parse(data).version)
  })
  return listening
}
