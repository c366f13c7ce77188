import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import { asItemId, type ItemAddress, type ItemId, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import type { NodeDeps } from './node-config.ts'
import type { Disco, Item, ItemPage, ItemQuery } from './ports.ts'
import { readItem } from './pubsub-events.ts'

/** One page: the newest items, or those beside a cursor. */
export async function listItems(deps: NodeDeps, address: NodeAddress, query: ItemQuery = {}): Promise<ItemPage> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  const { max, before, after, signal } = query
  // Prosody heeds only `max_items`, ejabberd, where there is a set, only that.
  pubsub.c('items', { node: address.node, ...(max !== undefined && { max_items: String(max) }) })
  const set = pubsub.c('set', { xmlns: NS.RSM })
  if (max !== undefined) set.c('max').t(String(max))
  if (after !== undefined) set.c('after').t(after)
  else set.c('before').t(before ?? '')
  const answer = await deps.ask('get', deps.to(address), pubsub, { ...(signal && { signal }) })
  return readPage(answer.getChild('pubsub', NS.PUBSUB), query)
}

function readPage(pubsub: Element | undefined, { max, before, after }: ItemQuery): ItemPage {
  const answered = (pubsub?.getChild('items')?.getChildren('item') ?? []).flatMap((item) => readItem(item) ?? [])
  const set = pubsub?.getChild('set', NS.RSM)
  const items = isNewestFirst(set) ? answered : answered.reverse()
  if (set === undefined) return { items, isComplete: max === undefined || items.length < max }
  const count = Number(set.getChild('count')?.getText() || Number.NaN)
  const known = Number.isInteger(count) && count >= 0 ? { count } : {}
  const isWhole =
    before === undefined && after === undefined && items.length >= (known.count ?? Number.POSITIVE_INFINITY)
  const edge = oldestEdge(set)
  if (isWhole || items.length === 0 || edge === undefined) return { items, isComplete: isWhole, ...known }
  return { items, isComplete: false, cursor: edge, ...known }
}

/**
 * Services answer in the order of publication, Prosody too, which has no cursors. COMPAT(ejabberd 24.12): its cursors
 * are timestamps, and by its store a page comes oldest or newest first.
 */
function isNewestFirst(set: Element | undefined): boolean {
  const { first = '', last = '' } = readEdges(set)
  return Date.parse(first) > Date.parse(last)
}

/** The one of a page that leads on to older items. */
function oldestEdge(set: Element): string | undefined {
  const { first, last } = readEdges(set)
  if (first === undefined || last === undefined) return first ?? last
  return isNewestFirst(set) ? last : first
}

function readEdges(set: Element | undefined): { readonly first?: string; readonly last?: string } {
  const read = (name: string) => set?.getChild(name)?.getText() || undefined
  return { first: read('first'), last: read('last') }
}

/** One item by its id; undefined where the node has none such, or there is no such node. */
export async function findItem(deps: NodeDeps, address: ItemAddress): Promise<Item | undefined> {
  const items = await findItems(deps, address, [address.item])
  return items.find((item) => item.id === address.item)
}

/** Those of the named items that there are. */
export async function findItems(deps: NodeDeps, address: NodeAddress, ids: readonly ItemId[]): Promise<Item[]> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  const wanted = pubsub.c('items', { node: address.node })
  for (const id of ids) wanted.c('item', { id })
  try {
    const answer = await deps.ask('get', deps.to(address), pubsub)
    const found = answer.getChild('pubsub', NS.PUBSUB)?.getChild('items')?.getChildren('item') ?? []
    return found.flatMap((item) => readItem(item) ?? [])
  } catch (error) {
    if (isAppError(error, 'not-found')) return []
    throw error
  }
}

/** How many items a node has (XEP-0059 §2.6); undefined where the service does not page, and sent one item instead. */
export async function countItems(deps: NodeDeps, address: NodeAddress): Promise<number | undefined> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  // Prosody heeds only `max_items`, ejabberd, where there is a set, only that.
  pubsub.c('items', { node: address.node, max_items: '1' })
  pubsub.c('set', { xmlns: NS.RSM }).c('max').t('0')
  const answer = await deps.ask('get', deps.to(address), pubsub)
  const count = answer.getChild('pubsub', NS.PUBSUB)?.getChild('set', NS.RSM)?.getChild('count')?.getText()
  return count !== undefined && /^\d+$/.test(count) ? Number(count) : undefined
}

/** All ids of a node by disco#items (XEP-0060 §5.5); undefined where the service does not list them. */
export async function listItemIds(disco: Disco, to: string, node: string): Promise<readonly ItemId[] | undefined> {
  try {
    const items = await disco.listItems(to, node)
    return items.flatMap((item) => (item.name === undefined ? [] : asItemId(item.name)))
  } catch (error) {
    if (isAppError(error, 'not-implemented', 'forbidden', 'bad-request')) return undefined
    throw error
  }
}

export async function publishItem(deps: NodeDeps, address: ItemAddress, payload: Element): Promise<void> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  pubsub.c('publish', { node: address.node }).c('item', { id: address.item }).cnode(payload)
  await deps.ask('set', deps.to(address), pubsub)
}

/** Tells the subscribers too: without `notify` they would keep the item for ever. */
export async function retractItem(deps: NodeDeps, address: ItemAddress): Promise<void> {
  const pubsub = new Element('pubsub', { xmlns: NS.PUBSUB })
  pubsub.c('retract', { node: address.node, notify: 'true' }).c('item', { id: address.item })
  try {
    await deps.ask('set', deps.to(address), pubsub)
  } catch (error) {
    if (!isAppError(error, 'not-found')) throw error
  }
}
