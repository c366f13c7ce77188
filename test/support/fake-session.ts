import { AppError } from '#server/errors.ts'
import type {
  Disco,
  Message,
  OutgoingMessage,
  Pubsub,
  PubsubEvent,
  Services,
  SessionStatus,
  XmppSession,
} from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { createFakeMix } from './fake-mix.ts'
import type { FakeNetwork } from './fake-pubsub.ts'

/** A session on a fake network that a test can drop and bring back. */
export interface FakeSession extends XmppSession {
  readonly nicknames: string[]
  services: Services
  maxStanzaBytes?: number
  /** Contacts whose presence it gets. */
  readonly contacts: Set<BareJid>
  setStatus(status: SessionStatus): void
  /** As if its server had sent it. */
  emit(event: PubsubEvent): void
  /** As if its server had sent it. */
  receive(message: Message): void
  /** What was sent. */
  readonly sent: OutgoingMessage[]
}

/** Services that every domain of the fake network names as its own. */
const SERVICES = ['pubsub', 'mix', 'comments']

export function createFakeSession(jid: BareJid, network: FakeNetwork): FakeSession {
  const statusListeners = new Set<(status: SessionStatus) => void>()
  const eventListeners = new Set<(event: PubsubEvent) => void>()
  const messageListeners = new Set<(message: Message) => void>()
  const sent: OutgoingMessage[] = []
  const nicknames: string[] = []
  let status: SessionStatus = 'online'
  const emit = (event: PubsubEvent) => {
    for (const listener of [...eventListeners]) listener(event)
  }
  network.onEvent((event, subscriber) => {
    if (subscriber === jid && status === 'online') emit(event)
  })

  const offline = () => new AppError('unavailable', `The XMPP server of ${jid} cannot be reached`)
  const pubsub = new Proxy(network.pubsubOf(jid) as Pubsub, {
    get(target, name: keyof Pubsub) {
      const method = target[name]
      if (typeof method !== 'function' || status === 'online') return method
      return name === 'allItems' || name === 'pages' ? failingPages : async () => Promise.reject(offline())
    },
  })
  // biome-ignore lint/correctness/useYield: it fails before its first page
  async function* failingPages(): AsyncGenerator<never> {
    throw offline()
  }
  const nodesOf = (service: string) => {
    if (status !== 'online') throw offline()
    return [...network.nodes.values()].filter(({ address }) => address.service === service)
  }
  const disco: Disco = {
    async readInfo(service, node) {
      if (node === undefined) {
        const identities = service.startsWith('pubsub.') ? [{ category: 'pubsub', type: 'service' }] : []
        return { identities, features: new Set(), forms: new Map() }
      }
      // Servers show strangers nothing of an account.
      if (service.includes('@') && service !== jid)
        throw new AppError('forbidden', `${service} shows this only to contacts`)
      const found = nodesOf(service).find(({ address }) => address.node === node)
      if (found === undefined) throw new AppError('not-found', `${service} knows no such node`)
      const fields = new Map(Object.entries(found.config).map(([name, value]) => [`pubsub#${name}`, [value]]))
      if (!network.namesNoOwners) fields.set('pubsub#owner', [found.owner])
      const identities = [{ category: 'pubsub', type: 'leaf' }]
      return { identities, features: new Set(), forms: new Map([[NS.PUBSUB_META_DATA, fields]]) }
    },
    async listItems(service, node, { max } = {}) {
      if (node !== undefined) return []
      const isDomain = !service.includes('@') && !SERVICES.some((name) => service.startsWith(`${name}.`))
      if (isDomain && status === 'online') return SERVICES.map((name) => ({ jid: `${name}.${service}` })).slice(0, max)
      return nodesOf(service)
        .slice(0, max)
        .map(({ address }) => ({ jid: service, node: address.node }))
    },
  }

  const mix = createFakeMix(jid, network, () => status === 'online')
  const session: FakeSession = {
    jid,
    pubsub,
    disco,
    mix,
    nicknames,
    contacts: new Set(),
    services: { pep: true },
    emit,
    sent,
    receive(message) {
      for (const listener of [...messageListeners]) listener(message)
    },
    get status() {
      return status
    },
    get problem() {
      return status === 'online' ? undefined : offline()
    },
    setStatus(next) {
      status = next
      for (const listener of [...statusListeners]) listener(next)
    },
    async whenOnline() {
      if (status !== 'online') throw offline()
    },
    onStatus(listener) {
      statusListeners.add(listener)
      return () => statusListeners.delete(listener)
    },
    onPubsubEvent(listener) {
      eventListeners.add(listener)
      return () => eventListeners.delete(listener)
    },
    onMessage(listener) {
      messageListeners.add(listener)
      return () => messageListeners.delete(listener)
    },
    async sendMessage(message) {
      if (status !== 'online') throw offline()
      if (message.type === 'groupchat') mix.send(message)
      sent.push(message)
    },
    readContacts: async () => session.contacts,
    readServices: async () => session.services,
    async setNickname(name) {
      nicknames.push(name)
    },
    invalidateToken: async () => {},
    stop: async () => session.setStatus('stopped'),
  }
  return session
}
