import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf, isSameOrSubdomain, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { type AllItemsDeps, allItems, allPages } from './all-items.ts'
import { configureNode, createNode, type NodeDeps, readConfig } from './node-config.ts'
import type { Affiliation, Disco, Pubsub, Services, Subscription } from './ports.ts'
import { countItems, findItem, findItems, listItemIds, listItems, publishItem, retractItem } from './pubsub-items.ts'
import type { Ask } from './requests.ts'

/**
 * An answer over 524,288 bytes ends a stream between stock servers, and everybody's who shares it: far below that, and
 * nearer only where there is no other way to what is older.
 */
const FEDERATED = { pageBytes: 200_000, mostBytes: 400_000 }
const LOCAL = { pageBytes: 2 * 1024 * 1024, mostBytes: 32 * 1024 * 1024 }

export interface PubsubDeps {
  readonly own: BareJid
  readonly ask: Ask
  readonly disco: Disco
  readonly readServices: () => Promise<Services>
}

/** XEP-0060 and XEP-0163 for the account `own`. */
export function createPubsub({ own, ask, disco, readServices }: PubsubDeps): Pubsub {
  const to = ({ service }: { service: BareJid }) => (service === own ? undefined : service)
  const deps: NodeDeps = { ask, to }
  const readersOf = (address: NodeAddress): AllItemsDeps => ({
    listItems: (where, query) => listItems(deps, where, query),
    listItemIds: ({ service, node }) => listItemIds(disco, service, node),
    findItems: (where, ids) => findItems(deps, where, ids),
    ...(isSameOrSubdomain(domainOf(address.service), domainOf(own)) ? LOCAL : FEDERATED),
  })
  const askOwner = (type: 'get' | 'set', address: NodeAddress, name: string) => {
    const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB_OWNER })
    pubsub.c(name, { node: address.node })
    return ask(type, to(address), pubsub)
  }
  return {
    createNode: (address, config) => createNode(deps, address, config),
    readConfig: (address) => readConfig(deps, address),
    configureNode: (address, wanted) => configureNode(deps, address, wanted),
    async deleteNode(address) {
      try {
        await askOwner('set', address, 'delete')
      } catch (error) {
        if (!isAppError(error, 'not-found')) throw error
      }
    },
    purgeNode: async (address) => void (await askOwner('set', address, 'purge')),
    publishItem: (address, payload) => publishItem(deps, address, payload),
    retractItem: (address) => retractItem(deps, address),
    findItem: (address) => findItem(deps, address),
    findItems: (address, ids) => findItems(deps, address, ids),
    countItems: (address) => countItems(deps, address),
    listItems: (address, query) => listItems(deps, address, query),
    listItemIds: ({ service, node }) => listItemIds(disco, service, node),
    allItems: (address, limits) => allItems(readersOf(address), address, limits),
    pages: (address, limits) => allPages(readersOf(address), address, limits),
    async subscribeNode(address, { isPublic } = {}) {
      // Where the account's server does not do that nobody is told: who wants it told looks at `readServices`.
      const isKept = isPublic !== undefined && (await readServices()).publicSubscriptions === true
      return isKept ? subscribeByAccount(deps, own, { address, isPublic }) : subscribeNode(deps, own, address)
    },
    unsubscribeNode: (address) => unsubscribeNode(deps, own, address),
    listSubscriptions: (service) => listSubscriptions(deps, service),
    listAffiliations: (where) => listAffiliations(deps, where),
    async listSubscribers(address) {
      const answer = await askOwner('get', address, 'subscriptions')
      const list = answer.getChild('pubsub', NS.PUBSUB_OWNER)?.getChild('subscriptions')?.getChildren('subscription')
      const jids = (list ?? []).flatMap(({ attrs: { jid, subscription } }) =>
        subscription === 'subscribed' ? (readBareJid(jid ?? '') ?? []) : [],
      )
      return [...new Set(jids)]
    },
    async setAffiliation({ service, node }, jid, affiliation) {
      const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB_OWNER })
      pubsub.c('affiliations', { node }).c('affiliation', { jid, affiliation })
      await ask('set', to({ service }), pubsub)
    },
  }
}

async function subscribeNode({ ask, to }: NodeDeps, own: BareJid, address: NodeAddress) {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  pubsub.c('subscribe', { node: address.node, jid: own })
  const answer = await ask('set', to(address), pubsub)
  const state = answer.getChild('pubsub', NS.PUBSUB)?.getChild('subscription')?.attrs.subscription
  return state === 'pending' || state === 'unconfigured' ? 'pending' : 'subscribed'
}

/** By the account's own server (XEP-0376 §4.2), which then shows it (XEP-0465 §4.1) or no longer does (§4.3). */
async function subscribeByAccount(
  { ask }: NodeDeps,
  own: BareJid,
  { address, isPublic }: { address: NodeAddress; isPublic: boolean },
) {
  const pam = new Element('pam', { xmlns: NS.PAM, jid: address.service })
  const subscribe = pam.c('subscribe', { xmlns: NS.PUBSUB, node: address.node, jid: own })
  if (isPublic) subscribe.c('public', { xmlns: NS.PPS })
  // XEP-0376 §4.2: the answer is empty, for the new state is told to all sessions by a message.
  await ask('set', undefined, pam)
  return 'subscribed' as const
}

async function unsubscribeNode({ ask, to }: NodeDeps, own: BareJid, address: NodeAddress): Promise<void> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  pubsub.c('unsubscribe', { node: address.node, jid: own })
  try {
    await ask('set', to(address), pubsub)
  } catch (error) {
    // XEP-0060 §6.2.3: not subscribed is `unexpected-request`, no such node `item-not-found`.
    if (!isAppError(error, 'not-found', 'bad-request', 'gone')) throw error
  }
}

async function listSubscriptions({ ask, to }: NodeDeps, service: BareJid): Promise<Subscription[]> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  pubsub.c('subscriptions')
  // COMPAT(Prosody 13.0.1): it never answers an account that is subscribed to a node deleted since.
  const answer = await ask('get', to({ service, node: '' }), pubsub, { timeout: 4_000 })
  const found = answer.getChild('pubsub', NS.PUBSUB)?.getChild('subscriptions')?.getChildren('subscription') ?? []
  return found.flatMap(({ attrs: { node, subscription } }) =>
    node === undefined ? [] : { address: { service, node }, state: subscription ?? 'none' },
  )
}

async function listAffiliations({ ask, to }: NodeDeps, where: BareJid | NodeAddress): Promise<Affiliation[]> {
  const isOfNode = typeof where !== 'string'
  const ns = isOfNode ? NS.PUBSUB_OWNER : NS.PUBSUB
  const address = isOfNode ? where : { service: where, node: '' }
  const pubsub = new Element('pubsub', { xmlns: ns })
  pubsub.c('affiliations', isOfNode ? { node: where.node } : {})
  const answer = await ask('get', to(address), pubsub)
  const list = answer.getChild('pubsub', ns)?.getChild('affiliations')
  return (list?.getChildren('affiliation') ?? []).map(({ attrs }) => {
    const jid = readBareJid(attrs.jid ?? '')
    return { node: attrs.node ?? address.node, affiliation: attrs.affiliation ?? 'none', ...(jid && { jid }) }
  })
}
