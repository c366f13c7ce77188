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
  isEnded: boolean
}

export async function listen(
  site: TestSite,
  path: string,
  cookies: ReadonlyMap<string, string> = new Map(),
): Promise<Listening> {
  const { port } = site.app.server.address() as AddressInfo
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent: false, headers: { cookie } }, resolve).on('error', reject)
  })
  const listening: Listening = { answer, versions: [], unread: [], isEnded: false }
  answer.on('end', () => {
    listening.isEnded = true
  })
  answer.on('error', () => {})
  answer.on('data', (chunk: Buffer) => {
    for (const [, event, data = ''] of chunk.toString().matchAll(/^event: (\w+)\ndata: (.*)$/gm))
      listening[event === 'unread' ? 'unread' : 'versions'].push(JSON.parse(data).version)
  })
  return listening
}
