import { countEntries } from '#server/store/entry.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import type { Inbox } from './inbox.ts'
import type { IngestDeps } from './ingest.ts'
import { type MissingDeps, removeMissing } from './missing.ts'
import type { Reading } from './reading.ts'

export interface FinishDeps extends MissingDeps {
  readonly inbox: Pick<Inbox, 'run'>
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const WEEK = 7 * DAY
/** What fits into one answer is one question a day. */
const LITTLE_BYTES = 200_000

/** A reading that had everything: what it did not have is gone. */
export async function finishWhole(
  deps: FinishDeps,
  node: NodeRow,
  { seen, begunAt, mark }: Pick<Reading, 'seen' | 'begunAt' | 'mark'>,
): Promise<void> {
  await deps.inbox.run(node.address, async () => {
    await removeMissing(deps, node, { seen, readAt: begunAt })
    await noteCompared(deps, node, seen.size)
    await moveMark(deps, node, mark)
  })
}

/** Everything that was published before the newest of the marked items is in the index now. */
export async function moveMark(
  { index }: Pick<IngestDeps, 'index'>,
  { address }: NodeRow,
  mark?: string,
): Promise<void> {
  if (mark !== undefined) await updateNode(index, address, { mark })
}

/** The node has so many items, and the index all of them that are entries. */
export async function noteCompared(deps: IngestDeps, node: NodeRow, itemCount: number): Promise<void> {
  const now = deps.clock().getTime()
  const found = (await findNode(deps.index, node.address)) ?? node
  await updateNode(deps.index, node.address, {
    ...{ isWaiting: 0, backfill: 'done', backfillCursor: null, itemCount },
    otherCount: itemCount - (await countKnown(deps, node)),
    ...{ deepReadAt: now, deepDueAt: nextDeepReading(found, now, itemCount * (node.averageBytes ?? LITTLE_BYTES)) },
  })
}

/** Its newest items are all there is to see: nothing can be said of those that are missing. */
export async function finishPartial(
  deps: IngestDeps,
  node: NodeRow,
  { seen, mark, isCut }: Pick<Reading, 'seen' | 'mark' | 'isCut'>,
): Promise<void> {
  const now = deps.clock().getTime()
  await updateNode(deps.index, node.address, {
    ...{ isWaiting: 0, backfillCursor: null, itemCount: Math.max(seen.size, node.itemCount ?? 0) },
    // What was read before it grew too large is here.
    backfill: node.backfill === 'done' ? 'done' : isCut ? 'cut' : 'partial',
    ...{ deepReadAt: now, deepDueAt: nextDeepReading(node, now, LITTLE_BYTES) },
  })
  await moveMark(deps, node, mark)
}

/** How many items of a node the index has, its description too. */
export async function countKnown({ index }: Pick<IngestDeps, 'index'>, { id, address }: NodeRow): Promise<number> {
  const node = await findNode(index, address)
  return (await countEntries(index, id)) + Number(node?.metadataPayload !== undefined)
}

/** Milliseconds until a node is compared as a whole again, at most. */
export const LONGEST_DEEP = 1.5 * WEEK

// Even where nobody was away an event is lost now and then, as when a line between two servers breaks. Not all at once.
function nextDeepReading(
  { unheardAt, hiddenAt, hiddenFor }: Pick<NodeRow, 'unheardAt' | 'hiddenAt' | 'hiddenFor'>,
  now: number,
  bytes: number,
): number {
  // A day after most of it was gone the next reading tells whether it still is.
  if (hiddenFor === 'thinned' && hiddenAt !== undefined) return Math.max(hiddenAt.getTime() + DAY, now + HOUR)
  if (unheardAt !== undefined) return now + DAY * (1 - Math.random() / 2)
  return now + (bytes < LITTLE_BYTES ? DAY : WEEK) * (1 + Math.random() / 2)
}
