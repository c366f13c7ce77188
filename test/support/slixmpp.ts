import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

export interface SlixmppOptions {
  readonly jid: string
  readonly password: string
  readonly host: string
  readonly port: number
  /** The path of a PEM file to trust. */
  readonly ca?: string
  /** False leaves the initial presence out. */
  readonly presence?: boolean
}

/** What the client heard: a pubsub event or a chat message. */
export interface Heard {
  readonly event: 'online' | 'failed' | 'message' | 'published' | 'retracted' | 'purge' | 'delete'
  readonly from?: string
  readonly body?: string
  readonly service?: string
  readonly node?: string
  readonly item?: string
  readonly publisher?: string
  readonly payload?: string
}

export interface SlixmppItem {
  readonly id: string
  readonly publisher?: string
  readonly payload?: string
  readonly xml: string
}

/** A reader's XMPP client that shares no line with ours (Debian's python3-slixmpp). */
export interface Slixmpp extends AsyncDisposable {
  readonly heard: readonly Heard[]
  /** Waits for an event, heard already or still to come. */
  hear(what: string, check: (heard: Heard) => boolean): Promise<Heard>
  subscribe(service: string, node: string): Promise<void>
  unsubscribe(service: string, node: string): Promise<void>
  publish(address: { service: string; node: string; item: string }, payload: string): Promise<void>
  retract(service: string, node: string, item: string): Promise<void>
  items(service: string, node: string, item?: string): Promise<readonly SlixmppItem[]>
  create(service: string, node: string, config: Record<string, string>): Promise<void>
  configure(service: string, node: string, config: Record<string, string>): Promise<void>
  delete(service: string, node: string): Promise<void>
  purge(service: string, node: string): Promise<void>
  message(to: string, body: string): Promise<void>
}

interface Answer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: string
  readonly text?: string
}

const SCRIPT = fileURLToPath(new URL('./slixmpp-client.py', import.meta.url))

/** Signs in with slixmpp; resolves when it is online. */
export async function startSlixmpp(options: SlixmppOptions): Promise<Slixmpp> {
  const child = spawn('/usr/bin/python3', [SCRIPT, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const heard: Heard[] = []
  const waiting = new Map<number, (answer: Answer) => void>()
  let errors = ''
  let next = 0
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Answer & Heard
    if (said.id === undefined) heard.push(said)
    else waiting.get(said.id)?.(said)
  })

  async function ask<T>(command: string, args: Record<string, unknown>): Promise<T> {
    const id = next++
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve)
      child.stdin.write(`${JSON.stringify({ id, do: command, with: args })}\n`)
    })
    if (answer.error !== undefined) throw new Error(`slixmpp ${command}: ${answer.error} ${answer.text ?? ''}`)
    return answer.result as T
  }

  const hear: Slixmpp['hear'] = (what, check) => until(() => heard.find(check), { what: `slixmpp to hear ${what}` })
  await until(() => heard.some(({ event }) => event === 'online') || child.exitCode !== null, {
    what: 'slixmpp online',
  })
  if (child.exitCode !== null) throw new Error(`slixmpp ended: ${errors}`)
  return {
    heard,
    hear,
    subscribe: (service, node) => ask('subscribe', { service, node }),
    unsubscribe: (service, node) => ask('unsubscribe', { service, node }),
    publish: (address, payload) => ask('publish', { ...address, payload }),
    retract: (service, node, item) => ask('retract', { service, node, item }),
    items: (service, node, item) => ask('items', { service, node, item }),
    create: (service, node, config) => ask('create', { service, node, config }),
    configure: (service, node, config) => ask('configure', { service, node, config }),
    delete: (service, node) => ask('delete', { service, node }),
    purge: (service, node) => ask('purge', { service, node }),
    message: (to, body) => ask('message', { to, body }),
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      child.kill()
      await exited
    },
  }
}
