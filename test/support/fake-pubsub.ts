import { AppError } from '#server/errors.ts'
import { type AllItemsDeps, allItems, allPages } from '#server/xmpp/all-items.ts'
import type { Item, ItemPage, ItemQuery, NodeConfig, Pubsub, PubsubEvent } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress, type ItemId, type NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'

interface FakeNode {
  readonly address: NodeAddress
  readonly owner: BareJid
  config: NodeConfig
  readonly items: Map<ItemId, Item>
  readonly subscribers: Set<BareJid>
  /** Of others than the owner. */
  readonly affiliations: Map<BareJid, string>
}

export interface Manners {
  /** Whether it pages and counts (XEP-0059), or knows only `max_items`. */
  readonly pages: boolean
  /** Whether it lists the ids of a node to anybody (XEP-0060 §5.5). */
  readonly listsIds: boolean
  /** Bytes that we ask it for at once. */
  readonly bytes: number
}

const POLITE: Manners = { pages: true, listsIds: true, bytes: 200_000 }

/** Pubsub services in memory, shared by the accounts that use them: for tests of what stands on the port. */
export interface FakeNetwork {
  readonly nodes: ReadonlyMap<string, FakeNode>
  /** How a service answers, where a test says: otherwise it pages, counts and lists ids. */
  readonly manners: Map<BareJid, Partial<Manners>>
  /** As ejabberd: who published to a node may retract what they did. */
  mayRetractOwn: boolean
  /** Whether the information on a node that everybody gets leaves out its owners, as on Prosody. */
  namesNoOwners: boolean
  /** Services where only these may create nodes, as on Prosody. */
  readonly creators: Map<BareJid, readonly BareJid[]>
  pubsubOf(account: BareJid): FakePubsub
  /** What was asked, by whom and in order. */
  readonly asked: { readonly account: BareJid; readonly method: keyof Pubsub; readonly address?: NodeAddress }[]
  /** What a service answers from now on, whatever its nodes have. */
  forge(service: BareJid, answer: (query: ItemQuery) => ItemPage): void
  /** The next call of `method`, by anybody, fails so. */
  failNext(method: keyof Pubsub, error: AppError, of?: { readonly service: BareJid }): void
  /** Every event, as subscribers get it. */
  onEvent(listener: (event: PubsubEvent, subscriber: BareJid) => void): void
}

export interface FakePubsub extends Pubsub {
  readonly network: FakeNetwork
}

export function createFakeNetwork(): FakeNetwork {
  const nodes = new Map<string, FakeNode>()
  const forged = new Map<BareJid, (query: ItemQuery) => ItemPage>()
  const failures: { method: keyof Pubsub; error: AppError; of: { readonly service: BareJid } | undefined }[] = []
  const listeners: ((event: PubsubEvent, subscriber: BareJid) => void)[] = []
  const network: FakeNetwork = {
    nodes,
    manners: new Map(),
    forge: (service, answer) => void forged.set(service, answer),
    asked: [],
    mayRetractOwn: false,
    namesNoOwners: false,
    creators: new Map(),
    pubsubOf: (account) => createFake(account),
    failNext: (method, error, of) => void failures.push({ method, error, of }),
    onEvent: (listener) => void listeners.push(listener),
  }

  function key({ service, node }: NodeAddress): string {
    return addressKey({ service, node })
  }

  function tell(node: FakeNode, event: PubsubEvent): void {
    for (const subscriber of node.subscribers) for (const listener of listeners) listener(event, subscriber)
  }

  function createFake(account: BareJid): FakePubsub {
    function enter(method: keyof Pubsub, address?: NodeAddress): void {
      network.asked.push({ account, method, ...(address && { address }) })
      const index = failures.findIndex(
        ({ method: failing, of }) => failing === method && (of === undefined || of.service === address?.service),
      )
      const [failure] = index < 0 ? [] : failures.splice(index, 1)
      if (failure) throw failure.error
    }
    function open(method: keyof Pubsub, address: NodeAddress, asOwner = false): FakeNode {
      enter(method, address)
      const node = nodes.get(key(address))
      if (node === undefined) throw new AppError('not-found', `${address.service} knows no such node`)
      if (node.affiliations.get(account) === 'outcast') {
        throw new AppError('forbidden', `${address.service} has shut ${account} out`)
      }
      const isOpen = node.config.access_model === undefined || node.config.access_model === 'open'
      const isIn = !asOwner && (isOpen || node.affiliations.get(account) === 'member')
      if (node.owner !== account && !isIn) {
        throw new AppError('forbidden', `${address.service} does not allow this`)
      }
      return node
    }
    const listed = (node: FakeNode) => [...node.items.values()].reverse()
    const manners = ({ service }: NodeAddress): Manners => ({ ...POLITE, ...network.manners.get(service) })
    const readers = (address: NodeAddress): AllItemsDeps => ({
      listItems: fake.listItems,
      listItemIds: fake.listItemIds,
      findItems: fake.findItems,
      pageBytes: manners(address).bytes,
      mostBytes: manners(address).bytes,
    })
    const fake: FakePubsub = {
      network,
      async createNode(address, config) {
        enter('createNode')
        if (nodes.has(key(address))) return 'exists'
        const isOthers = address.service.includes('@') && address.service !== account
        const creators = network.creators.get(address.service)
        if (isOthers || (creators !== undefined && !creators.includes(account)))
          throw new AppError('forbidden', `${address.service} does not allow this`)
        const { service, node } = address
        nodes.set(key(address), {
          address: { service, node },
          owner: account,
          config,
          items: new Map(),
          subscribers: new Set(),
          affiliations: new Map(),
        })
        return 'created'
      },
      readConfig: async (address) => open('readConfig', address, true).config,
      async configureNode(address, wanted) {
        const node = open('configureNode', address, true)
        node.config = { ...node.config, ...wanted }
        return node.config
      },
      async deleteNode(address) {
        enter('deleteNode')
        const node = nodes.get(key(address))
        nodes.delete(key(address))
        if (node) tell(node, { kind: 'deleted', address: node.address })
      },
      async purgeNode(address) {
        const node = open('purgeNode', address, true)
        node.items.clear()
        tell(node, { kind: 'purged', address: node.address })
      },
      async publishItem(address, payload) {
        const node = open('publishItem', address)
        const isPublisher = ['owner', 'publisher'].includes(node.affiliations.get(account) ?? '')
        const mayPublish = node.owner === account || isPublisher || node.config.publish_model === 'open'
        if (!mayPublish) throw new AppError('forbidden', `${address.service} does not allow this`)
        const item = { id: address.item, payload, publisher: account }
        node.items.delete(address.item)
        node.items.set(address.item, item)
        tell(node, { kind: 'published', address, item })
      },
      async retractItem(address: ItemAddress) {
        const node = open('retractItem', address)
        const isOwn = network.mayRetractOwn && node.items.get(address.item)?.publisher === account
        if (node.owner !== account && !isOwn) throw new AppError('forbidden', `${address.service} does not allow this`)
        if (node.items.delete(address.item)) tell(node, { kind: 'retracted', address })
      },
      async findItem(address) {
        enter('findItem')
        if (nodes.get(key(address))?.affiliations.get(account) === 'outcast') open('findItem', address)
        return nodes.get(key(address))?.items.get(address.item)
      },
      findItems: async (address, ids) => {
        const { items } = open('findItems', address)
        return ids.flatMap((id) => items.get(id) ?? [])
      },
      countItems: async (address) => open('countItems', address).items.size,
      async listItems(address, query = {}) {
        const items = listed(open('listItems', address))
        return forged.get(address.service)?.(query) ?? readPage(items, query, manners(address))
      },
      allItems: (address, limits) => allItems(readers(address), address, limits),
      pages: (address, limits) => allPages(readers(address), address, limits),
      async listItemIds(address) {
        const { items } = open('listItemIds', address)
        return manners(address).listsIds ? [...items.keys()] : undefined
      },
      async subscribeNode(address) {
        open('subscribeNode', address).subscribers.add(account)
        return 'subscribed'
      },
      async unsubscribeNode(address) {
        enter('unsubscribeNode')
        nodes.get(key(address))?.subscribers.delete(account)
      },
      async listSubscriptions(service) {
        enter('listSubscriptions')
        const own = [...nodes.values()].filter(
          (node) => node.address.service === service && node.subscribers.has(account),
        )
        return own.map(({ address }) => ({ address, state: 'subscribed' }))
      },
      async setAffiliation(address, jid, affiliation) {
        const { affiliations } = open('setAffiliation', address, true)
        if (affiliation === 'none') affiliations.delete(jid)
        else affiliations.set(jid, affiliation)
      },
      async listSubscribers(address) {
        return [...open('listSubscribers', address, true).subscribers] as BareJid[]
      },
      async listAffiliations(where) {
        if (typeof where !== 'string') {
          const { address, owner, affiliations } = open('listAffiliations', where, true)
          const others = [...affiliations].map(([jid, affiliation]) => ({ node: address.node, affiliation, jid }))
          return [{ node: address.node, affiliation: 'owner', jid: owner }, ...others]
        }
        enter('listAffiliations')
        return [...nodes.values()]
          .filter(({ address }) => address.service === where)
          .flatMap(({ address, owner, affiliations }) => {
            const affiliation = owner === account ? 'owner' : affiliations.get(account)
            return affiliation === undefined ? [] : [{ node: address.node, affiliation, jid: account }]
          })
      },
    }
    return fake
  }
  return network
}

/** Newest first; a cursor is the id of the oldest item of a page. */
function readPage(items: readonly Item[], { max = items.length, before }: ItemQuery, { pages }: Manners): ItemPage {
  if (!pages) return { items: items.slice(0, max), isComplete: items.length < max }
  const from = before === undefined ? 0 : items.findIndex(({ id }) => id === before) + 1
  const page = items.slice(from, from + max)
  const isComplete = before === undefined && items.length <= max
  const cursor = page.at(-1)?.id
  return { items: page, isComplete, count: items.length, ...(cursor !== undefined && !isComplete && { cursor }) }
}

/** The port for one account on a network of its own. */
export function createFakePubsub(account: BareJid): FakePubsub {
  return createFakeNetwork().pubsubOf(account)
}

/** The service of an account's server, as the fakes name it. */
export function pubsubServiceOf(account: BareJid): BareJid {
  return `pubsub.${domainOf(account)}` as BareJid
}
