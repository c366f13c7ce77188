import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

export interface SlixmppOptions {
  /** Bare JID. */
  readonly jid: string
  readonly password: string
  /** `xmpp://127.0.0.1:PORT` */
  readonly service: string
  /** PEM of who vouches for the server. */
  readonly certificate: string
}

/** What the other client heard, in order. */
export interface SlixmppEvent {
  readonly event:
    | 'online'
    | 'message'
    | 'published'
    | 'retracted'
    | 'purge'
    | 'delete'
    | 'disconnected'
    | 'failed'
    | string
  readonly service?: string
  readonly node?: string
  readonly item?: string
  /** The payload as XML. */
  readonly payload?: string
  readonly publisher?: string
  readonly sender?: string
  /** Of `stanza`: every message that is no event of a node, as XML. */
  readonly xml?: string
  readonly body?: string
  readonly reason?: string
}

export interface SlixmppItem {
  readonly id: string
  readonly publisher?: string
  readonly payload?: string
}

interface Where {
  /** Left out: the account itself. */
  readonly service?: string
  readonly node: string
}

/** A client that is not ours (python3-slixmpp). Failures are Errors whose message is the condition. */
export interface SlixmppClient extends AsyncDisposable {
  readonly events: readonly SlixmppEvent[]
  /** Waits for an event that fits, heard already or not. */
  hear(fits: (event: SlixmppEvent) => boolean, what?: string): Promise<SlixmppEvent>
  /** Becomes available: from here on messages and notifications come. */
  presence(priority?: number): Promise<void>
  message(to: string, body: string): Promise<void>
  /** Sends a stanza as it stands. */
  send(stanza: string): Promise<void>
  /** Asks, and resolves with the whole answer as XML, also where that is an error. */
  iq(to: string | undefined, type: 'get' | 'set', payload: string): Promise<string>
  create(where: Where & { readonly config?: Readonly<Record<string, string>> }): Promise<void>
  subscribe(where: Where): Promise<void>
  unsubscribe(where: Where): Promise<void>
  /** Resolves with the item's id. */
  publish(where: Where & { readonly item?: string; readonly payload: string }): Promise<string>
  /** A comment as Movim writes it: an entry with nothing but a title and an author. */
  comment(where: Where & { readonly text: string; readonly item?: string }): Promise<string>
  retract(where: Where & { readonly item: string }): Promise<void>
  items(where: Where & { readonly ids?: readonly string[] }): Promise<SlixmppItem[]>
  delete(where: Where): Promise<void>
  stop(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('slixmpp-client.py', import.meta.url))

/** Signs in; available only after `presence`. */
export async function startSlixmpp(options: SlixmppOptions): Promise<SlixmppClient> {
  const folder = await mkdtemp(join(tmpdir(), 'canto-slixmpp-'))
  const certificate = join(folder, 'ca.pem')
  await writeFile(certificate, options.certificate)
  const { hostname: host, port } = new URL(options.service)
  const child = spawn('/usr/bin/python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {})
  const events: SlixmppEvent[] = []
  const waiting = new Map<number, (line: { result?: unknown; error?: string; text?: string }) => void>()
  let errors = ''
  let last = 0
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text)
    if (line.event) events.push(dropNulls(line))
    else waiting.get(line.id)?.(line)
  })
  const write = (line: object) => child.stdin.write(`${JSON.stringify(line)}\n`)
  write({ jid: options.jid, password: options.password, host, port: Number(port), certificate })

  const hear: SlixmppClient['hear'] = async (fits, what = `slixmpp to hear something: ${fits}`) => {
    const heard = await until(() => events.find(fits) ?? (child.exitCode === null ? undefined : 'ended'), { what })
    if (heard === 'ended') throw new Error(`slixmpp has ended before ${what}: ${errors}`)
    return heard
  }
  const ask = <T = void>(what: string, args: object = {}): Promise<T> => {
    const id = ++last
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    waiting.set(id, ({ result, error, text }) => {
      waiting.delete(id)
      if (error) reject(new Error(text ? `${error}: ${text}` : error))
      else resolve(result as T)
    })
    write({ id, do: what, with: args })
    return promise
  }
  const inFull = <T extends Where>(where: T) => ({ ...where, service: where.service ?? null })

  async function stop(): Promise<void> {
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    clearTimeout(timer)
    await rm(folder, { recursive: true, force: true })
  }

  try {
    const first = await hear(({ event }) => event === 'online' || event === 'failed', 'it was online')
    if (first.event === 'failed') throw new Error(`slixmpp could not sign in: ${first.reason}`)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    events,
    hear,
    presence: (priority = 0) => ask('presence', { priority }),
    message: (to, body) => ask('message', { to, body }),
    send: (xml) => ask('send', { xml }),
    iq: (to, type, payload) => ask('iq', { to, type, payload }),
    create: (where) => ask('create', inFull(where)),
    subscribe: (where) => ask('subscribe', inFull(where)),
    unsubscribe: (where) => ask('unsubscribe', inFull(where)),
    publish: (where) => ask('publish', { ...inFull(where), item: where.item ?? null }),
    comment({ text, item = crypto.randomUUID(), ...where }) {
      return ask('publish', { ...inFull(where), item, payload: writeComment(text, options.jid, item) })
    },
    retract: (where) => ask('retract', inFull(where)),
    items: (where) => ask('items', inFull(where)),
    delete: (where) => ask('delete', inFull(where)),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function writeComment(text: string, jid: string, item: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const now = new Date().toISOString()
  return `<entry xmlns='http://www.w3.org/2005/Atom'><title type='text'>${escaped}</title><id>${item}</id><author><name>${jid}</name><uri>xmpp:${jid}</uri></author><published>${now}</published><updated>${now}</updated></entry>`
}

function dropNulls(line: Record<string, unknown>): SlixmppEvent {
  return Object.fromEntries(Object.entries(line).filter(([, value]) => value !== null)) as unknown as SlixmppEvent
}
