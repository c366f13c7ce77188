import { isAppError } from '#server/errors.ts'
import { createSlices } from '#server/slices.ts'
import { listEntryDates } from '#server/store/entry.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import { isDue } from '#shared/instants.ts'
import { type CatchUpDeps, failReading } from './catch-up.ts'
import { finishPartial, finishWhole, LONGEST_DEEP, noteCompared } from './finish-reading.ts'
import { ingest } from './ingest.ts'
import type { TaskOutcome } from './lanes.ts'
import { isSince, removeGone } from './missing.ts'
import { createReading, type Reading, type ReadPage } from './reading.ts'
import { boundsOf } from './reading-bounds.ts'

export interface SlowReading {
  /** Reads one more page, so that what is urgent comes between two. */
  step(): Promise<TaskOutcome>
}

export interface SlowReadingOptions {
  readonly signal: AbortSignal
  /** Whether events of the node may have been missed since its first page was read. */
  readonly isContinued: boolean
}

/** Bytes to begin with, before its service has shown how it pages. */
const FIRST_BYTES = 100_000
const MOST_FIRST = 500
const HOUR = 3_600_000
const DAY = 24 * HOUR

/**
 * The rest of a node's first reading, from where it stopped, or a reading of all it has, to find what was edited or
 * retracted while nobody told us.
 */
export function createSlowReading(
  deps: CatchUpDeps,
  address: NodeAddress,
  { signal, isContinued }: SlowReadingOptions,
): SlowReading {
  let current: { readonly node: NodeRow; readonly reading: Reading } | undefined

  async function begin(): Promise<typeof current> {
    const node = await findNode(deps.index, address)
    if (node?.deepDueAt === undefined || !isDue(node.deepDueAt, deps.clock(), LONGEST_DEEP)) return undefined
    const isHistory = node.backfill === 'underway'
    const size = Math.min(MOST_FIRST, Math.max(1, Math.floor(FIRST_BYTES / (node.averageBytes ?? FIRST_BYTES / 20))))
    const before = isHistory ? node.backfillCursor : undefined
    const bounds = await boundsOf(deps, node, { before })
    const options = { size, before, isHistory, isOnlyNew: isHistory, signal, bounds }
    return { node, reading: createReading(deps, node, options) }
  }

  return {
    async step() {
      try {
        current ??= await begin()
        if (current === undefined) return 'done'
        const { node, reading } = current
        const page = await reading.next()
        if (page !== undefined && !page.isLast) {
          if (node.backfill === 'underway')
            await updateNode(deps.index, address, { backfillCursor: page.cursor ?? null })
          return 'again'
        }
        await finish(deps, { node, reading, page, isContinued })
        current = undefined
        return 'done'
      } catch (error) {
        const failed = current
        current = undefined
        if (signal.aborted || failed === undefined) return 'done'
        return fail(deps, { ...failed, error, signal })
      }
    },
  }
}

interface Finished {
  readonly node: NodeRow
  readonly reading: Reading
  readonly page: ReadPage | undefined
  readonly isContinued: boolean
}

async function finish(deps: CatchUpDeps, { node, reading, page, isContinued }: Finished): Promise<void> {
  const how = node.backfill === 'underway' ? 'backfill' : 'deep'
  deps.meters.count('nodes_read', { how })
  if (how === 'deep') return finishWhole(deps, node, reading)
  const count = page?.count ?? page?.ids?.length ?? reading.seen.size
  await deps.inbox.run(node.address, () => noteCompared(deps, node, count))
  // What was edited or retracted between two parts of it is found out later.
  const within = deps.clock().getTime() + Math.random() * DAY
  if (isContinued) await updateNode(deps.index, node.address, { deepDueAt: within })
}

interface Failed {
  readonly node: NodeRow
  readonly reading: Reading
  readonly error: unknown
  readonly signal: AbortSignal
}

async function fail(deps: CatchUpDeps, { node, reading, error, signal }: Failed): Promise<TaskOutcome> {
  if (isAppError(error, 'too-large') && reading.seen.size > 0) {
    await finishPartial(deps, node, reading)
    return reading.isCut ? 'done' : readKnown(deps, node, { reading, signal })
  }
  await updateNode(deps.index, node.address, { deepDueAt: deps.clock().getTime() + HOUR })
  return (await failReading(deps, node, error)) === 'unreachable' ? 'unreachable' : 'done'
}

/** What a service does not list can still be asked for by the ids that are known. */
async function readKnown(
  deps: CatchUpDeps,
  node: NodeRow,
  { reading, signal }: Pick<Failed, 'reading' | 'signal'>,
): Promise<TaskOutcome> {
  const known = await listEntryDates(deps.index, node.id)
  const older = known.filter(({ item }) => !reading.seen.has(item)).map(({ item }) => item)
  const size = Math.max(1, Math.floor(FIRST_BYTES / (node.averageBytes ?? FIRST_BYTES)))
  const readAt = deps.clock()
  const found = new Set<ItemId>()
  try {
    for (let at = 0; at < older.length; at += size) {
      signal.throwIfAborted()
      for (const item of await readSome(deps, node, older.slice(at, at + size))) found.add(item)
    }
    await removeUnanswered(deps, node, { asked: older, found, seen: reading.seen, readAt })
    return 'done'
  } catch (error) {
    if (signal.aborted) return 'done'
    return (await failReading(deps, node, error)) === 'unreachable' ? 'unreachable' : 'done'
  }
}

/** Returns the ids of those that there are. */
async function readSome(deps: CatchUpDeps, { address }: NodeRow, ids: readonly ItemId[]): Promise<ItemId[]> {
  const readAt = deps.clock()
  const items = await deps.site.pubsub.findItems(address, ids)
  const pause = createSlices()
  await deps.inbox.run(address, async () => {
    for (const item of items) {
      await ingest(deps, { kind: 'published', address: { ...address, item: item.id }, item }, { readAt })
      await pause()
    }
  })
  return items.map((item) => item.id)
}

interface Answered {
  readonly asked: readonly ItemId[]
  readonly found: ReadonlySet<ItemId>
  /** The ids that the service listed just before. */
  readonly seen: ReadonlySet<ItemId>
  readonly readAt: Date
}

/** A node that is lost answers for none of its items: what one did not answer for is gone only where it still has others. */
async function removeUnanswered(
  deps: CatchUpDeps,
  { id, address }: NodeRow,
  { asked, found, seen, readAt }: Answered,
): Promise<void> {
  const isAllThere = asked.every((item) => found.has(item))
  if (!isAllThere && (await deps.site.pubsub.findItems(address, [...seen].slice(0, 1))).length === 0) return
  await deps.inbox.run(address, async () => {
    const older = new Set(asked)
    const known = (await listEntryDates(deps.index, id)).filter(
      ({ item, changedAt }) => older.has(item) && !isSince(deps, changedAt, readAt),
    )
    const gone = known.flatMap(({ item }) => (found.has(item) ? [] : item))
    await removeGone(deps, address, { gone: new Set(gone), known })
  })
}
