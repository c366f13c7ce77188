import { createHash } from 'node:crypto'
import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import type { Item, NodeConfig, Pubsub } from '#server/xmpp/ports.ts'
import { asItemId, type ItemAddress, type ItemId, type NodeAddress, sameAddress } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { type ListedSubscription, readSubscription, writeSubscription } from '#shared/subscription-list.ts'
import { isConfigured } from './blog-node.ts'

/** More than anybody reads. */
export const MOST_FOLLOWS = 2_000

/** An item of a list on an account. */
export interface ListedItem extends ListedSubscription {
  readonly id: ItemId
}

export interface FollowList {
  readonly items: readonly ListedItem[]
  /** Of all items, broken ones too. */
  readonly count: number
  /** Whether all that is on it was read, so that what is missing was taken off it. */
  readonly isComplete: boolean
  /** Whether everybody may read it, as far as was asked. */
  readonly isOpen: boolean
}

// Another client's entries, and broken ones, may be among them.
const MOST_ITEMS = MOST_FOLLOWS * 2
/** For all items of a list, as they were sent: thousands of bytes for each that somebody follows. */
const MOST_BYTES = 8 * 1024 * 1024
/** Even where a service sends ten items at a time. */
const MOST_PAGES = MOST_ITEMS / 10
const SMALLEST_MAX = 256
/** Of a list on somebody's account, whoever may read it. */
export const LIST_CONFIG: NodeConfig = {
  persist_items: '1',
  max_items: 'max',
  send_last_published_item: 'never',
  notify_retract: '1',
}
const PRIVATE: NodeConfig = { ...LIST_CONFIG, access_model: 'whitelist' }
/** COMPAT(Movim 0.34): in spite of its name it is where that keeps, privately, all that somebody follows. */
const LIST = NS.PRIVATE_SUBSCRIPTION_LIST
export type FollowListNode = typeof LIST | typeof NS.SUBSCRIPTION_LIST

/** The id that XEP-0330 §2.1 and Movim give an item, so that one node is one item, whoever wrote it. */
export function listItemId(jid: BareJid, { service, node }: NodeAddress): ItemId {
  return asItemId(createHash('sha1').update(`${service}<${node}<${jid}`).digest('hex'))
}

/**
 * All that stands in a list on an account: its private one, or the one for contacts, which is where Converse keeps what
 * somebody follows (XEP-0330). Undefined where there is none. Its own session must ask.
 */
export async function readFollowList(
  pubsub: Pubsub,
  jid: BareJid,
  node: FollowListNode = LIST,
): Promise<FollowList | undefined> {
  const address = { service: jid, node }
  const list = await readList(pubsub, address)
  if (list === undefined || list.items.length === 0) return list
  const { max_items, access_model } = await pubsub.readConfig(address)
  // A full node drops its oldest items without a word. Prosody's "max" is 256 unless its operator says otherwise.
  const most = max_items !== undefined && /^\d+$/.test(max_items) ? Number(max_items) : SMALLEST_MAX
  return { ...list, isComplete: list.isComplete && list.count < most, isOpen: access_model === 'open' }
}

/**
 * The items of any list on an account, as far as they are its owner's and name a node: `most` at most, and not complete
 * where there are more, or where the service sends too much or too little at a time.
 */
export async function readList(
  pubsub: Pubsub,
  address: NodeAddress,
  most = MOST_ITEMS,
): Promise<FollowList | undefined> {
  const items: ListedItem[] = []
  let [count, bytes, pages] = [0, 0, 0]
  let isCut = false
  try {
    for await (const page of pubsub.pages(address, { max: most })) {
      count += page.items.length
      bytes += page.bytes
      pages++
      isCut = bytes > MOST_BYTES || (pages === MOST_PAGES && !page.isLast)
      if (isCut) break
      items.push(...page.items.flatMap((item) => readListed(address.service, item) ?? []))
    }
  } catch (error) {
    if (isAppError(error, 'not-found')) return undefined
    throw error
  }
  return { items, count, isComplete: !isCut && count < most, isOpen: false }
}

function readListed(owner: BareJid, { id, payload, publisher }: Item): ListedItem | undefined {
  const isStrangers = publisher !== undefined && publisher !== '' && readBareJid(publisher) !== owner
  const subscription = isStrangers || payload === undefined ? undefined : readSubscription(payload)
  return subscription && { id, ...subscription }
}

/**
 * Puts a node into the private list; a list that has to be made gets nothing but what is wished for. Throws `forbidden`
 * where the list is not private: it is never written then.
 */
export async function listFollow(
  pubsub: Pubsub,
  jid: BareJid,
  { isWished, ...subscription }: ListedSubscription & { readonly isWished: (address: NodeAddress) => Promise<boolean> },
): Promise<void> {
  const address = { service: jid, node: LIST, item: listItemId(jid, subscription.address) }
  const found = (await pubsub.findItem(address))?.payload
  const known = found === undefined ? undefined : readSubscription(found)
  if (known !== undefined && sameAddress(known.address, subscription.address)) return
  const how = await ensurePrivateList(pubsub, jid)
  if (how === 'created') await removeUnwished(pubsub, jid, isWished)
  await pubsub.publishItem(address, writeSubscription(subscription))
}

/**
 * COMPAT(ejabberd 24.12): one that was killed may have forgotten a node but not its items, and then gives them to the
 * node that is made next: what was taken off long before is on the list again.
 */
async function removeUnwished(
  pubsub: Pubsub,
  jid: BareJid,
  isWished: (address: NodeAddress) => Promise<boolean>,
): Promise<void> {
  const address = { service: jid, node: LIST }
  for (const item of (await readList(pubsub, address))?.items ?? []) {
    if (!(await isWished(item.address))) await takeOff(pubsub, { ...address, item: item.id })
  }
}

/** Takes a node off the private list and the one for contacts, under whatever id. */
export async function unlistFollow(pubsub: Pubsub, jid: BareJid, address: NodeAddress): Promise<void> {
  for (const node of [LIST, NS.SUBSCRIPTION_LIST]) {
    const list = await readList(pubsub, { service: jid, node })
    for (const item of list?.items ?? []) {
      if (sameAddress(item.address, address)) await takeOff(pubsub, { service: jid, node, item: item.id })
    }
  }
}

/**
 * Takes an item off any list on an account.
 * COMPAT(ejabberd 24.12): of items that outlived a kill it may have forgotten whose they are: they show, but to retract
 * them is `item-not-found`. To overwrite them is allowed, so they are made to say what no client takes for anything.
 */
export async function takeOff(pubsub: Pubsub, address: ItemAddress): Promise<void> {
  await pubsub.retractItem(address)
  if ((await pubsub.findItem(address)) === undefined) return
  await pubsub.publishItem(address, new Element('removed', { xmlns: NS.SUBSCRIPTION }))
}

// Each time anew: another client may delete the node, and a server that then makes one by itself makes it for contacts.
async function ensurePrivateList(pubsub: Pubsub, jid: BareJid): Promise<'created' | 'exists'> {
  const address = { service: jid, node: LIST }
  const how = await pubsub.createNode(address, PRIVATE)
  const found = await pubsub.readConfig(address)
  const mayConfigure = how === 'created' || found.access_model === PRIVATE.access_model
  const config = mayConfigure && !isConfigured(found, PRIVATE) ? await pubsub.configureNode(address, PRIVATE) : found
  if (config.access_model === PRIVATE.access_model) return how
  throw new AppError(
    'forbidden',
    `The list of what you follow on your account (${LIST}) is not private but "${config.access_model ?? 'unknown'}": Canto writes nothing into it until it is "whitelist"`,
  )
}
