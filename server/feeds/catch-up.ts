import { setImmediate as nextTurn } from 'node:timers/promises'
import { describeError, isAppError } from '#server/errors.ts'
import { findAuthor } from '#server/store/author.ts'
import type { StateDb } from '#server/store/database.ts'
import { listEntryDates } from '#server/store/entry.ts'
import { findNode, type NodeRow, raiseMostItems, updateNode } from '#server/store/node.ts'
import type { Disco, Pubsub } from '#server/xmpp/ports.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { NS } from '#shared/ns.ts'
import { type IngestDeps, ingest } from './ingest.ts'
import { clearEntries } from './remove.ts'
import { isFull, listTrimmed } from './trimmed.ts'

export interface CatchUpDeps extends IngestDeps {
  readonly state: StateDb
  readonly site: { readonly pubsub: Pubsub; readonly disco: Pick<Disco, 'readInfo'> }
}

// No node that anybody reads is larger; one that is keeps its newest.
const MOST_ITEMS = 50_000

export type CatchUp = 'read' | 'failed' | 'unreachable' | 'unknown'

/** Subscribes to a node and reads it whole: afterwards the index has what it has. Must run between its events. */
export async function catchUp(deps: CatchUpDeps, address: NodeAddress, signal?: AbortSignal): Promise<CatchUp> {
  const node = await findNode(deps.index, address)
  if (node === undefined) return 'unknown'
  const refusal = await subscribe(deps, node)
  const outcome = await readNode(deps, node, signal)
  if (outcome === 'read' && refusal !== undefined) await updateNode(deps.index, address, { problem: refusal })
  return outcome
}

/** Subscribed first and read then, so that nothing falls between; why it cannot is returned. */
async function subscribe(deps: CatchUpDeps, { address }: NodeRow): Promise<string | undefined> {
  try {
    const subscription = await deps.site.pubsub.subscribeNode(address)
    await updateNode(deps.index, address, { subscription })
    return subscription === 'pending' ? 'The subscription waits for its owner' : undefined
  } catch (error) {
    await updateNode(deps.index, address, { subscription: 'none' })
    return describeError(error)
  }
}

async function readNode(deps: CatchUpDeps, node: NodeRow, signal?: AbortSignal): Promise<CatchUp> {
  // One that was closed or deleted may hold other things by now.
  const opened: NodeRow = { ...node, status: 'open' }
  const readAt = deps.clock()
  const seen = new Set<ItemId>()
  try {
    for await (const items of deps.site.pubsub.allItems(node.address, { max: MOST_ITEMS, signal })) {
      if (node.status !== 'open') await updateNode(deps.index, node.address, { status: 'open' })
      for (const item of items) {
        seen.add(item.id)
        const event = { kind: 'published', address: { ...node.address, item: item.id }, item } as const
        await ingest(deps, event, { readAt, isHistory: node.isWaiting })
        // SQLite answers at once, so nothing else here lets a page request in between.
        await nextTurn()
        signal?.throwIfAborted()
      }
    }
  } catch (error) {
    if (signal?.aborted) return 'failed'
    if (seen.size === 0 || !isAppError(error, 'too-large')) return fail(deps, node, error)
    // Its newest items are all there is to see: nothing can be said of those that are missing.
    await updateNode(deps.index, node.address, { isWaiting: 0, problem: describeError(error) })
    return 'read'
  }
  if (seen.size < MOST_ITEMS) await removeMissing(deps, opened, { seen, readAt })
  await raiseMostItems(deps.index, node.id, seen.size)
  await updateNode(deps.index, node.address, { status: 'open', isWaiting: 0, problem: null })
  return 'read'
}

async function fail(deps: CatchUpDeps, node: NodeRow, error: unknown): Promise<CatchUp> {
  await updateNode(deps.index, node.address, { problem: describeError(error) })
  // A server that is merely down says neither: then what we have stays.
  if (isAppError(error, 'not-found', 'gone')) await clearEntries(deps, node, 'deleted')
  else if (isAppError(error, 'forbidden', 'not-authorized')) await clearEntries(deps, node, 'closed')
  return isAppError(error, 'unavailable', 'timeout') ? 'unreachable' : 'failed'
}

async function removeMissing(
  deps: CatchUpDeps,
  node: NodeRow,
  { seen, readAt }: { seen: ReadonlySet<ItemId>; readAt: Date },
): Promise<void> {
  const known = await listEntryDates(deps.index, node.id)
  const missing = known.filter(({ item, changedAt }) => !seen.has(item) && changedAt <= readAt.getTime())
  if (node.metadataPayload !== undefined && !seen.has(METADATA_ITEM as ItemId)) await retract(deps, node, METADATA_ITEM)
  if (missing.length === 0) return
  const maxItems = await readMaxItems(deps, node)
  const isTrimming = isFull({ count: seen.size, maxItems, mostItems: node.mostItems })
  const trimmed = isTrimming ? listTrimmed(known, seen) : new Set<ItemId>()
  for (const { item } of missing) if (!trimmed.has(item)) await retract(deps, node, item)
}

async function retract(deps: CatchUpDeps, node: NodeRow, item: string): Promise<void> {
  await ingest(deps, { kind: 'retracted', address: { ...node.address, item: item as ItemId } })
  await nextTurn()
}

/** As its owner's session read it, or as the service tells everybody (XEP-0060 §5.4). */
async function readMaxItems(deps: CatchUpDeps, { address, owner }: NodeRow): Promise<number | undefined> {
  const isOwn = owner === address.service && address.node === NS.MICROBLOG
  const author = isOwn && owner !== undefined ? await findAuthor(deps.state, owner) : undefined
  if (author?.maxItems !== undefined) return author.maxItems
  try {
    const { forms } = await deps.site.disco.readInfo(address.service, address.node)
    const [text] = forms.get(NS.PUBSUB_META_DATA)?.get('pubsub#max_items') ?? []
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}
