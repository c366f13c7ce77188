import type { Logger } from '#server/log.ts'
import { createSlices } from '#server/slices.ts'
import { listOldestEntries, listOldestHeld } from '#server/store/entry.ts'
import { listLargestThreads, sumHeldBytes } from '#server/store/held-bytes.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { dropFirst, type EmptyNodeDeps, type ListToDrop } from './empty-node.ts'
import { BOUNDS, type BoundsDeps, boundsOf, isOwnThread, LEAST_BYTES } from './reading-bounds.ts'

export interface KeepBoundsDeps extends BoundsDeps, EmptyNodeDeps {
  readonly log: Logger
}

/** Threads of one author that are searched for held comments. */
const MOST_THREADS = 20

/**
 * Makes room where more has come than is kept. Of a stranger's node the oldest entries go. Of what is said about the posts
 * of one of our own authors held comments go first, then the oldest.
 */
export async function keepBounds(deps: KeepBoundsDeps, { address }: Pick<NodeRow, 'address'>): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined || node.bytes <= LEAST_BYTES) return
  if (await isOwnThread(deps, node)) return keepOwnThreads(deps, node)
  const { bytes } = await boundsOf(deps, node)
  const pause = createSlices()
  const isOver = async () => ((await findNode(deps.index, address))?.bytes ?? 0) > bytes
  while ((await isOver()) && (await drop(deps, address, listOldestEntries))) await pause()
}

/** Each time the author's largest thread loses some, so that a flood on one post costs the other posts nothing. */
async function keepOwnThreads(deps: KeepBoundsDeps, node: NodeRow): Promise<void> {
  const pause = createSlices()
  const isOver = async () => (await sumHeldBytes(deps.index, node)) > BOUNDS.bytes
  if (!(await isOver())) return
  for (const { address } of await listLargestThreads(deps.index, node, MOST_THREADS)) {
    while ((await isOver()) && (await drop(deps, address, listOldestHeld))) await pause()
  }
  while (await isOver()) {
    const [largest] = await listLargestThreads(deps.index, node, 1)
    if (largest === undefined || !(await drop(deps, largest.address, listOldestEntries))) return
    await pause()
  }
}

/** Takes some entries of a node out of the index. Returns false where there are none. */
async function drop(deps: KeepBoundsDeps, address: NodeAddress, list: ListToDrop): Promise<boolean> {
  const node = await findNode(deps.index, address)
  if (node === undefined || (await dropFirst(deps, node, list)) === 0) return false
  if (node.backfill !== 'cut') {
    deps.log.warn(`${addressKey(address)} has more than is kept here: some of it is not shown`)
    await updateNode(deps.index, address, { backfill: 'cut', backfillCursor: null })
  }
  return true
}
