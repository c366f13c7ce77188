import { listEntryDates } from '#server/store/entry.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import type { ItemId } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import type { CatchUpDeps } from './catch-up.ts'
import { ingest } from './ingest.ts'
import { removeMissing } from './missing.ts'

/** Bytes of a list of ids that another server may be asked for. */
const MOST_BYTES = 200_000
/** Of an item of such a list, beside its id and the address of its service. */
const MARKUP_BYTES = 30
/** More than so many are better read in pages. */
const MOST_UNKNOWN = 50

/** Asks a service for the ids alone (XEP-0060 §5.5): takes away what is gone, and asks for what is not here. */
export async function compareIds(
  deps: CatchUpDeps,
  node: NodeRow,
  signal: AbortSignal,
): Promise<'same' | 'differs' | 'unlisted'> {
  const { address } = node
  if (!(await mayListIds(deps, node))) return 'unlisted'
  const readAt = deps.clock()
  const ids = await deps.site.pubsub.listItemIds(address)
  if (ids === undefined) return 'unlisted'
  const seen = new Set(ids)
  const known = await deps.inbox.run(address, async () => {
    await removeMissing(deps, node, { seen, readAt })
    return listKnown(deps, node)
  })
  if (seen.size - known.size === node.otherCount) return 'same'
  const unknown = [...seen].filter((id) => !known.has(id))
  if (unknown.length > MOST_UNKNOWN) return 'differs'
  for (const id of unknown) {
    signal.throwIfAborted()
    await readOne(deps, node, id)
  }
  const otherCount = seen.size - (await listKnown(deps, node)).size
  await updateNode(deps.index, address, { itemCount: seen.size, otherCount })
  return 'same'
}

/** Whether the list of ids of a node fits into an answer, going by those that are known. */
export async function mayListIds({ index }: Pick<CatchUpDeps, 'index'>, { id, address }: NodeRow): Promise<boolean> {
  const known = await listEntryDates(index, id)
  const bytes = known.reduce((sum, { item }) => sum + MARKUP_BYTES + address.service.length + item.length, 0)
  return bytes < MOST_BYTES
}

// COMPAT(ejabberd 24.12): for several ids it reads the whole node, for one only that item.
async function readOne(deps: CatchUpDeps, { address }: NodeRow, id: ItemId): Promise<void> {
  const readAt = deps.clock()
  for (const item of await deps.site.pubsub.findItems(address, [id])) {
    const event = { kind: 'published', address: { ...address, item: item.id }, item } as const
    await deps.inbox.run(address, () => ingest(deps, event, { readAt }))
  }
}

async function listKnown({ index }: CatchUpDeps, { id, address }: NodeRow): Promise<Set<ItemId>> {
  const known = new Set((await listEntryDates(index, id)).map(({ item }) => item))
  if ((await findNode(index, address))?.metadataPayload !== undefined) known.add(METADATA_ITEM as ItemId)
  return known
}
