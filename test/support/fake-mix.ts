import { createHash, randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import type { Mix, OutgoingMessage, RoomMessage } from '#server/xmpp/ports.ts'
import { readRoomMessage } from '#server/xmpp/room-messages.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { createElement as el } from '#shared/xml.ts'
import type { FakeNetwork } from './fake-pubsub.ts'

interface Channel {
  readonly owner: BareJid
  readonly people: Map<BareJid, { readonly id: string; nick?: string }>
  readonly archive: RoomMessage[]
}

interface World {
  readonly channels: Map<BareJid, Channel>
  readonly ears: Map<BareJid, (message: RoomMessage) => void>
}

/** The MIX service of a fake network, as ejabberd behaves. */
export interface FakeMix extends Mix {
  /** Says something in a channel that the account has joined. */
  send(message: OutgoingMessage): void
}

const worlds = new WeakMap<FakeNetwork, World>()
let last = Date.now() * 1000

export function createFakeMix(jid: BareJid, network: FakeNetwork, isOnline: () => boolean): FakeMix {
  const world: World = worlds.get(network) ?? { channels: new Map(), ears: new Map() }
  worlds.set(network, world)
  const listeners = new Set<(message: RoomMessage) => void>()
  world.ears.set(jid, (message) => {
    for (const listener of [...listeners]) listener(message)
  })

  function require(channel: BareJid): Channel {
    if (!isOnline()) throw new AppError('unavailable', `The XMPP server of ${jid} cannot be reached`)
    const found = world.channels.get(channel)
    if (found === undefined) throw new AppError('not-found', `${channel} knows no such channel`)
    return found
  }
  function requireMine(channel: BareJid): Channel {
    const found = require(channel)
    if (!found.people.has(jid)) throw new AppError('forbidden', `${channel} is for participants`)
    return found
  }

  return {
    findService: async () => `mix.${domainOf(jid)}` as BareJid,
    isOffered: async () => true,
    async createChannel(service) {
      const channel = `${randomUUID().slice(0, 8)}@${service}` as BareJid
      world.channels.set(channel, { owner: jid, people: new Map(), archive: [] })
      return channel
    },
    async destroyChannel(channel) {
      if (require(channel).owner !== jid) throw new AppError('forbidden', 'Owner privileges required')
      world.channels.delete(channel)
    },
    async join(channel, nick) {
      const id = createHash('sha1').update(`${channel} ${jid}`).digest('hex').slice(0, 20)
      require(channel).people.set(jid, { id, ...(nick && { nick }) })
      return id
    },
    async leave(channel) {
      world.channels.get(channel)?.people.delete(jid)
    },
    async setNick(channel, nick) {
      const own = requireMine(channel).people.get(jid)
      if (own) own.nick = nick
    },
    async listParticipants(channel) {
      return [...requireMine(channel).people].map(([who, { id, nick }]) => ({ id, jid: who, ...(nick && { nick }) }))
    },
    async readArchive(channel, { after, before, max = 250 } = {}) {
      const { archive } = requireMine(channel)
      const from = after === undefined ? 0 : archive.findIndex(({ id }) => id === after) + 1
      const end = before ? archive.findIndex(({ id }) => id === before) : archive.length
      const wanted = archive.slice(from, end)
      const messages = before === undefined ? wanted.slice(0, max) : wanted.slice(-max)
      const [first, final] = [messages[0]?.id, messages.at(-1)?.id]
      const isComplete = messages.length === wanted.length
      return { messages, isComplete, ...(first && { first }), ...(final && { last: final }) }
    },
    onMessage(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    send({ to, id = randomUUID(), body, thread, payloads = [] }) {
      const channel = to as BareJid
      const { people, archive } = requireMine(channel)
      const own = people.get(jid)
      last += 1000
      const attrs = { xmlns: NS.CLIENT, type: 'groupchat', id: String(last), from: `${channel}/${own?.id}` }
      const children = [body === undefined ? undefined : el('body', {}, body), thread && el('thread', {}, thread)]
      const mix = el('mix', { xmlns: 'urn:xmpp:mix:core:0' }, el('nick', {}, own?.nick ?? ''), el('jid', {}, jid))
      const stanza = el('message', attrs, ...payloads, mix, ...children.filter((child) => typeof child === 'object'))
      const message = readRoomMessage(stanza)
      if (message === undefined) throw new TypeError('The fake channel takes no such message')
      archive.push(message)
      for (const who of people.keys()) world.ears.get(who)?.({ ...message, ...(who === jid && { submissionId: id }) })
    },
  }
}
