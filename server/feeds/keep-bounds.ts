import type { Logger } from '#server/log.ts'
import { createSlices } from '#server/slices.ts'
import { listOldestEntries } from '#server/store/entry.ts'
import { listLargestThreads, sumHeldBytes } from '#server/store/held-bytes.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import { listWritten, type WrittenEntry } from '#server/store/written-entry.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { dropFirst, type EmptyNodeDeps, type ListToDrop } from './empty-node.ts'
import { accountOf, BOUNDS, type BoundsDeps, boundsOf, isOwnThread, LEAST_BYTES } from './reading-bounds.ts'

export interface KeepBoundsDeps extends BoundsDeps, EmptyNodeDeps {
  readonly log: Logger
}

/** Threads of one author that are searched for held comments. */
const MOST_THREADS = 20
/** The part of what is kept that is left once it was too much. */
const LEFT = 15 / 16

/**
 * Makes room where more has come than is kept. Of a stranger's node the oldest entries go. Of what is said about the posts
 * of one of our own authors held comments go first, then those of whoever has most in the largest thread.
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

/**
 * Each time the author's largest thread loses some, so that a flood on one post costs the other posts nothing; and within
 * it whoever has most there, so that it costs the others under that post little.
 */
async function keepOwnThreads(deps: KeepBoundsDeps, node: NodeRow): Promise<void> {
  if ((await sumHeldBytes(deps.index, node)) <= BOUNDS.bytes) return
  // Some more, so that not every comment to come makes this work anew.
  const isOver = async () => (await sumHeldBytes(deps.index, node)) > BOUNDS.bytes * LEFT
  for (const { address } of await listLargestThreads(deps.index, node, MOST_THREADS)) {
    await thin(deps, address, { isHeld: true, isOver })
  }
  while (await isOver()) {
    const [largest, next] = await listLargestThreads(deps.index, node, 2)
    if (largest === undefined) return
    const least = (next?.bytes ?? 0) - BOUNDS.bytes * (1 - LEFT)
    const isLarge = async () => ((await findNode(deps.index, largest.address))?.bytes ?? 0) > least
    const isBoth = async () => (await isOver()) && (await isLarge())
    if (!(await thin(deps, largest.address, { isHeld: false, isOver: isBoth }))) return
  }
}

interface Thinning {
  /** Whether only what nobody is shown may go. */
  readonly isHeld: boolean
  readonly isOver: () => Promise<boolean>
}

/** Returns false where there was nothing to take away. */
async function thin(deps: KeepBoundsDeps, address: NodeAddress, { isHeld, isOver }: Thinning): Promise<boolean> {
  const node = await findNode(deps.index, address)
  if (node === undefined || !(await isOver())) return false
  const next = createQueue(await listWritten(deps.index, node.id, { isHeld }), accountOf(node))
  const pause = createSlices()
  let isThinner = false
  while (await isOver()) {
    if (!(await drop(deps, address, async (_index, _nodeId, limit) => next(limit)))) return isThinner
    isThinner = true
    await pause()
  }
  return isThinner
}

interface Share {
  /** Those that are left, the oldest first. */
  readonly entries: WrittenEntry[]
  bytes: number
}

/** Gives the next entries to go: each time the oldest of the writer who has most. Those of `owner` come last. */
function createQueue(entries: readonly WrittenEntry[], owner: string | undefined): (limit: number) => WrittenEntry[] {
  const byWriter = Map.groupBy(entries, ({ writer }) => writer)
  const own = owner === undefined ? [] : [...(byWriter.get(owner) ?? [])]
  if (owner !== undefined) byWriter.delete(owner)
  const shares = [...byWriter.values()].map((written): Share => {
    return { entries: [...written], bytes: written.reduce((sum, { bytes }) => sum + bytes, 0) }
  })

  function takeOne(): WrittenEntry | undefined {
    let most: Share | undefined
    for (const share of shares) if (share.bytes > (most?.bytes ?? 0)) most = share
    const entry = most?.entries.shift() ?? own.shift()
    if (most !== undefined && entry !== undefined) most.bytes -= entry.bytes
    return entry
  }

  return (limit) => Array.from({ length: limit }, takeOne).filter((entry) => entry !== undefined)
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
