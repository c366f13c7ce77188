import { describeError, isAppError } from '#server/errors.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { type EntryRow, findEntry, listEntryDates } from '#server/store/entry.ts'
import { isRead, type NodeRow } from '#server/store/node.ts'
import { listNodes } from '#server/store/node-schedule.ts'
import type { Item, Pubsub } from '#server/xmpp/ports.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { isRemovedEntry } from '#shared/removed-entry.ts'
import { isWithinBounds, writeSortedXml } from '#shared/xml.ts'
import type { ServicesDeps } from './belief.ts'
import { compareOutbox, readDone } from './compare-outbox.ts'
import { mayReplace } from './entry-row.ts'
import { PROBES } from './ingest.ts'
import { hasNoEntries } from './missing.ts'
import { type ReadEntryItem, readItem } from './read-item.ts'
import { boundsOf } from './reading-bounds.ts'
import { isFull, listTrimmed } from './trimmed.ts'

export interface CompareDeps extends ServicesDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly siteDomain: BareJid
  readonly site: { readonly pubsub: Pick<Pubsub, 'pages' | 'findItem' | 'findItems'> }
}

/** Something in which a node, the index and the outbox do not agree. */
export interface Difference {
  readonly kind: 'missing-here' | 'missing-there' | 'differs' | 'overwritten' | 'left-out' | 'unread' | 'not-done'
  readonly address: NodeAddress & { readonly item?: ItemId }
  /** A sentence. */
  readonly words: string
  /** Of what is unread: whether its server did not answer at all. */
  readonly isSilent?: boolean
}

/** An overwrite by a stranger is no fault of the index, for the first version stays; nor is what its bounds leave out. */
export function isFault({ kind }: Difference): boolean {
  return kind !== 'overwritten' && kind !== 'left-out'
}

/**
 * Reads every node that the index knows, page by page, and says where index or outbox have something else. Changes
 * nothing. Holds the ids of one node at a time.
 */
export async function* compareAll(deps: CompareDeps): AsyncGenerator<Difference> {
  const outbox = await readDone(deps.state)
  const silent = new Set<BareJid>()
  for await (const node of eachNode(deps)) {
    const ids = new Set<ItemId>()
    const domain = domainOf(node.address.service)
    if (silent.has(domain)) {
      yield { kind: 'unread', address: node.address, words: 'Its server did not answer before' }
      continue
    }
    for await (const difference of compareNode(deps, node, ids)) {
      // It would not answer for its other nodes either, half a minute each.
      if (difference.kind === 'unread' && difference.isSilent) silent.add(domain)
      yield difference
    }
    outbox.note(node.address, ids)
  }
  yield* compareOutbox(deps, outbox)
}

async function* eachNode({ index }: CompareDeps): AsyncGenerator<NodeRow> {
  for await (const nodes of listNodes(index)) yield* nodes
}

/** One node; the ids that it has, as far as it is read, are added to `ids`. */
async function* compareNode(deps: CompareDeps, node: NodeRow, ids: Set<ItemId>): AsyncGenerator<Difference> {
  const leftOut = { count: 0 }
  const isKept = (difference: Difference) => {
    // Older items of a node that is not read whole are not here.
    const isLeftOut = node.backfill === 'cut' && difference.kind === 'missing-here'
    if (isLeftOut) leftOut.count++
    return !isLeftOut
  }
  try {
    const isWhole = yield* comparePages(deps, node, { ids, isKept })
    if (!isWhole) yield* compareKnown(deps, node, ids)
    if (!isWhole || leftOut.count > 0) yield sayLeftOut(node, isWhole ? leftOut.count : undefined)
  } catch (error) {
    const isPartial = isAppError(error, 'too-large') && ids.size > 0
    if (!isPartial) return yield* explain(node, error)
    yield* compareKnown(deps, node, ids)
  }
  yield* compareMissing(deps, node, ids)
}

interface Comparing {
  readonly ids: Set<ItemId>
  readonly isKept: (difference: Difference) => boolean
}

/** Returns false where the node has more than is read of it. */
async function* comparePages(
  deps: CompareDeps,
  node: NodeRow,
  { ids, isKept }: Comparing,
): AsyncGenerator<Difference, boolean> {
  const bounds = await boundsOf(deps, node)
  const spent = { items: 0, pages: 0, bytes: 0 }
  for await (const { items, bytes } of deps.site.pubsub.pages(node.address, { max: bounds.items + 1 })) {
    for (const item of items) {
      ids.add(item.id)
      for await (const difference of compareItem(deps, node, item)) if (isKept(difference)) yield difference
    }
    spent.items += items.length
    spent.pages++
    spent.bytes += bytes
    if (spent.items > bounds.items || spent.pages > bounds.pages || spent.bytes > bounds.bytes) return false
  }
  return true
}

/** Asks by id for the items that are here, but that the service did not list or that lie beyond the bounds. */
async function* compareKnown(deps: CompareDeps, node: NodeRow, ids: Set<ItemId>): AsyncGenerator<Difference> {
  for (const { item } of await listEntryDates(deps.index, node.id)) {
    const found = ids.has(item) ? undefined : await deps.site.pubsub.findItem({ ...node.address, item })
    if (found === undefined) continue
    ids.add(item)
    yield* compareItem(deps, node, found)
  }
}

function sayLeftOut({ address }: NodeRow, count: number | undefined): Difference {
  const items = count === undefined ? 'the others were not compared' : `${count} of its items were left out`
  return { kind: 'left-out', address, words: `Only its newest items are read here: ${items}` }
}

function* explain(node: NodeRow, error: unknown): Generator<Difference> {
  const isGone = isAppError(error, 'not-found', 'gone') && (node.status === 'deleted' || node.status === 'hidden')
  const isClosed = isAppError(error, 'forbidden', 'not-authorized') && !isRead(node)
  if (isGone || isClosed) return
  const isSilent = isAppError(error, 'unavailable', 'timeout')
  yield { kind: 'unread', address: node.address, words: `It could not be read: ${describeError(error)}`, isSilent }
}

async function* compareItem(deps: CompareDeps, node: NodeRow, item: Item): AsyncGenerator<Difference> {
  const address = { ...node.address, item: item.id }
  if (item.payload === undefined || PROBES.has(item.id) || !isWithinBounds(item.payload)) return
  // A comment without its words is as good as none.
  if (node.kind === 'comments' && isRemovedEntry(item.payload)) return
  const text = writeSortedXml(item.payload)
  const read = await readItem(deps, { node, item: { ...item, payload: item.payload }, text })
  // What nobody could show is missed by nobody.
  if (typeof read === 'string') return
  if (read.kind === 'metadata') {
    if (node.metadataPayload !== text) yield { kind: 'differs', address, words: 'The description of the blog differs' }
    return
  }
  const entry = await findEntry(deps.index, node.id, item.id)
  if (entry === undefined) yield { kind: 'missing-here', address, words: 'The node has it, the index does not' }
  else yield* compareEntry({ entry, read, text, address })
}

interface Pair {
  readonly entry: EntryRow
  readonly read: ReadEntryItem
  readonly text: string
  readonly address: Difference['address']
}

function* compareEntry({ entry, read, text, address }: Pair): Generator<Difference> {
  if (entry.payload === text) {
    const isTrusted = entry.credit !== 'unverified' && read.credit.kind === 'unverified'
    if (isTrusted) yield { kind: 'differs', address, words: 'Its author is shown as verified, and is not' }
  } else if (mayReplace(entry, read)) {
    yield { kind: 'differs', address, words: 'The node has another version than the index' }
  } else {
    const words = `${read.publisher ?? 'Somebody'} wrote over what ${entry.publisher ?? 'somebody'} had published`
    yield { kind: 'overwritten', address, words }
  }
}

async function* compareMissing(
  { index }: CompareDeps,
  node: NodeRow,
  ids: ReadonlySet<ItemId>,
): AsyncGenerator<Difference> {
  // The stored entries of a node that is suddenly empty are shown to nobody.
  if (node.status === 'hidden' && hasNoEntries(ids)) return
  if (node.hiddenFor === 'thinned') {
    const kept = 'Nearly everything on it is gone: what is here is kept until that is still so a day later'
    yield { kind: 'left-out', address: node.address, words: kept }
    return
  }
  const known = await listEntryDates(index, node.id)
  const isTrimming = isFull({ count: ids.size, maxItems: node.maxItems, mostItems: node.mostItems })
  const trimmed = isTrimming ? listTrimmed(known, ids) : new Set<ItemId>()
  const words = 'The index has it, the node does not'
  for (const { item } of known) {
    if (!ids.has(item) && !trimmed.has(item)) {
      yield { kind: 'missing-there', address: { ...node.address, item }, words }
    }
  }
  if (node.metadataPayload !== undefined && !ids.has(METADATA_ITEM as ItemId)) {
    yield { kind: 'missing-there', address: { ...node.address, item: METADATA_ITEM as ItemId }, words }
  }
}
