import { countEntries } from '#server/store/entry.ts'
import { findNode, isFeed, type NodeRow, updateNode } from '#server/store/node.ts'
import { addressKey } from '#shared/address.ts'
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
  const known = await countKnown(deps, node)
  // Some of a thread may have made way again while it was read.
  const isCut = found.backfill === 'cut' && !isFeed(node) && known < itemCount
  await updateNode(deps.index, node.address, {
    ...{ isWaiting: 0, backfill: isCut ? 'cut' : 'done', backfillCursor: null, itemCount },
    otherCount: itemCount - known,
    ...{ deepReadAt: now, deepDueAt: nextDeepReading(found, now, itemCount * (node.averageBytes ?? LITTLE_BYTES)) },
  })
}

/** Its newest items are all there is to see: nothing can be said of those that are missing. */
export async function finishPartial(deps: IngestDeps, node: NodeRow, reading: Unfinished): Promise<void> {
  const { seen, mark, isJoined, newer } = reading
  const now = deps.clock().getTime()
  // What was read before it grew too large is here, unless something lies between that and what was read now.
  const isApart = node.backfill === 'done' && node.mark !== undefined && !isJoined
  const isDone = node.backfill === 'done' && (!isApart || newer === 0)
  await updateNode(deps.index, node.address, {
    ...{ isWaiting: 0, backfillCursor: null, itemCount: Math.max(seen.size, node.itemCount ?? 0) },
    backfill: isDone ? 'done' : leftOut(reading),
    ...{ deepReadAt: now, deepDueAt: nextDeepReading(node, now, LITTLE_BYTES) },
  })
  // Whether all between was heard the next catching up knows.
  if (!isApart || newer > 0) await moveMark(deps, node, mark)
}

/** A reading that ended at a bound, of its service or of ours. */
type Unfinished = Pick<Reading, 'seen' | 'mark' | 'isCut' | 'isJoined' | 'newer'>

function leftOut({ isCut }: Pick<Reading, 'isCut'>): 'cut' | 'partial' {
  return isCut ? 'cut' : 'partial'
}

/**
 * Between what was read now and what earlier readings had lies more than its service gives, or than is read here. Unless
 * all of it was heard, the pages say so from now on. The older items, as far as they are known here, are asked for when
 * the node is compared whole.
 */
export async function finishUnjoined(
  deps: IngestDeps,
  node: NodeRow,
  { reading, heardSince }: { readonly reading: Unfinished; readonly heardSince: Date },
): Promise<void> {
  const isHeard = reading.newer === 0 && node.readAt !== undefined && heardSince <= node.readAt
  if (!isHeard) {
    deps.log.warn(`${addressKey(node.address)} has more news than one reading gets: some of it is missing here`)
    await updateNode(deps.index, node.address, { backfill: leftOut(reading) })
  }
  await moveMark(deps, node, reading.mark)
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
