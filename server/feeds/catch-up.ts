import { type AppError, describeError, isAppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import { findOwnAccess } from '#server/store/own-access.ts'
import type { Disco, Pubsub, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { localPart } from '#shared/jid.ts'
import { applyAccess, readAccess } from './access.ts'
import { announceChanged } from './announce.ts'
import { compareIds } from './compare-ids.ts'
import { countKnown, finishPartial, finishUnjoined, finishWhole, moveMark } from './finish-reading.ts'
import { loseNode, type NodeLoss, readLoss } from './lose-node.ts'
import { MARKED_IN_A_ROW } from './mark.ts'
import { learnNodeInfo } from './node-info.ts'
import { createReading, type Reading, type ReadingDeps, type ReadPage } from './reading.ts'
import { boundsOf } from './reading-bounds.ts'
import { watchSilence } from './silence.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface CatchUpDeps extends ReadingDeps {
  readonly state: StateDb
  readonly site: {
    readonly status: SessionStatus
    readonly pubsub: Pick<Pubsub, 'pages' | 'findItems' | 'listItemIds' | 'listAffiliations'>
    readonly disco: Pick<Disco, 'readInfo'>
    readonly readContacts?: XmppSession['readContacts']
  }
  readonly subscriptions: Pick<Subscriptions, 'ensure' | 'doubt'>
}

/** `more`: the rest is to be read slowly. `unreachable`: its server did not answer. */
export type CatchUp = 'read' | 'more' | 'failed' | 'unreachable' | 'unknown'

/** So many are read of a new node before it waits for its turn: a page full. */
const USEFUL = 20
/** A node that is no larger is compared whole in one answer. */
const WHOLE_BYTES = 4_000
/** So much that is new at once is read slowly. */
const MOST_NEWEST = 2_000
const SIZE_UNKNOWN = 3
const SIZE_UNCOUNTED = 5

export interface CatchUpOptions {
  readonly signal: AbortSignal
  /** No event of its server was missed since then, as far as anybody here can know. */
  readonly heardSince: Date
}

/** Subscribes to a node and reads what is new on it, newest first, up to what the index has already. */
export async function catchUp(deps: CatchUpDeps, address: NodeAddress, options: CatchUpOptions): Promise<CatchUp> {
  const { signal } = options
  const node = await findNode(deps.index, address)
  if (node === undefined) return 'unknown'
  try {
    // Subscribed first and read then, so that nothing falls between.
    const known = await learnNodeInfo(deps, node)
    // Restricted before any item is ingested; opened only once the node could be read.
    if ((await readAccess(deps, known)) === 'restricted') await applyAccess(deps, known, 'restricted')
    const refusal = await deps.subscriptions.ensure(known)
    const outcome = await readNewest(deps, known, options)
    await updateNode(deps.index, address, { problem: refusal ?? null, readAt: deps.clock().getTime() })
    return outcome
  } catch (error) {
    return signal.aborted ? 'failed' : failReading(deps, node, error)
  }
}

/** What an error of its service means for a node. One that is merely down says nothing: then what we have stays. */
export async function failReading(deps: CatchUpDeps, { address }: NodeRow, error: unknown): Promise<CatchUp> {
  // Our own disk's or connection's failing is none of theirs.
  if (!isAppError(error) || error.code === 'no-room') throw error
  if (deps.site.status !== 'online') return 'unreachable'
  await updateNode(deps.index, address, { problem: describeError(error) })
  const loss = await readNodeLoss(deps, address, error)
  // Its service may say other things about it now.
  if (loss !== undefined) await updateNode(deps.index, address, { infoReadAt: null })
  if (loss !== undefined) await deps.inbox.run(address, () => loseNode(deps, address, loss))
  return isAppError(error, 'unavailable', 'timeout') ? 'unreachable' : 'failed'
}

/** A node that its owner's session read is closed is refused for that reason. */
async function readNodeLoss(
  { state }: CatchUpDeps,
  address: NodeAddress,
  error: AppError,
): Promise<NodeLoss | undefined> {
  const loss = readLoss(error)
  const own = loss === 'refused' ? await findOwnAccess(state, address) : undefined
  return own === undefined || own.accessModel === 'open' ? loss : 'closed'
}

async function readNewest(deps: CatchUpDeps, node: NodeRow, { signal, heardSince }: CatchUpOptions): Promise<CatchUp> {
  const isFirst = node.backfill === 'none'
  const bounds = await boundsOf(deps, node)
  const reading = createReading(deps, node, { size: firstSize(node), isHistory: isFirst, signal, bounds })
  const silence = watchSilence(deps, node, heardSince)
  const page = await readUntilEnough(deps, { node, reading, heardSince }).finally(silence.stop)
  await silence.note(reading.newer)
  if (page === 'partial') return count(deps, 'partial')
  if (page === undefined || page.isLast) {
    await finishWhole(deps, node, reading)
    return count(deps, 'whole')
  }
  if (isFirst) {
    await updateNode(deps.index, node.address, {
      ...{ backfill: 'underway', backfillCursor: page.cursor ?? null, itemCount: page.count ?? null },
      ...{ deepDueAt: deps.clock().getTime(), mark: reading.mark },
    })
    return count(deps, 'first', 'more')
  }
  if (reading.isJoined) await moveMark(deps, node, reading.mark)
  if (node.backfill === 'underway') return count(deps, 'newest', 'more')
  if (isEndless(node, { page, reading })) return count(deps, 'newest', await askDeepReading(deps, node))
  // The number of items tells nothing about a node that is not read whole.
  if (node.backfill === 'cut') return count(deps, 'newest')
  return compareCounts(deps, node, { page, signal })
}

async function readUntilEnough(
  deps: CatchUpDeps,
  { node, reading, heardSince }: { node: NodeRow; reading: Reading; heardSince: Date },
): Promise<ReadPage | 'partial' | undefined> {
  const isFirst = node.backfill === 'none'
  try {
    for (;;) {
      const page = await reading.next()
      // Its page is useful from here on.
      if (isFirst) {
        await updateNode(deps.index, node.address, { isWaiting: 0 })
        await announceChanged(deps, node)
      }
      if (page === undefined || page.isLast) return page
      if (isFirst ? reading.seen.size >= USEFUL : isEnough(node, { page, reading })) return page
    }
  } catch (error) {
    if (reading.seen.size === 0 || !isAppError(error, 'too-large')) throw error
    if (isFirst) await finishPartial(deps, node, reading)
    else await finishUnjoined(deps, node, { reading, heardSince })
    return 'partial'
  }
}

function count({ meters }: CatchUpDeps, how: string, outcome: CatchUp = 'read'): CatchUp {
  meters.count('nodes_read', { how })
  return outcome
}

interface Progress {
  readonly page: ReadPage
  readonly reading: Reading
}

function isEnough({ mark }: NodeRow, { page, reading }: Progress): boolean {
  if (reading.isJoined || reading.seen.size >= MOST_NEWEST) return true
  // Without a mark a page of known items must do until the node is compared whole, which is due within a day.
  return mark === undefined && page.fresh === 0
}

/** Whether the reading ended before it reached a known item. */
function isEndless({ mark }: NodeRow, { page, reading }: Progress): boolean {
  return mark === undefined ? page.fresh > 0 : !reading.isJoined
}

/** The fewest that show whether there is anything new, or all where that costs no more than a few. */
function firstSize({ itemCount, averageBytes, backfill, problem }: NodeRow): number {
  if (averageBytes === undefined || backfill === 'none') return problem === undefined ? SIZE_UNKNOWN : 1
  const most = Math.max(1, Math.floor(WHOLE_BYTES / averageBytes))
  if (itemCount === undefined) return Math.min(SIZE_UNCOUNTED, Math.max(most, Math.floor(200_000 / averageBytes), 1))
  return itemCount + 2 <= most ? itemCount + 2 : MARKED_IN_A_ROW
}

interface Newest {
  readonly page: ReadPage
  readonly signal: AbortSignal
}

/** Nothing is new; whether something is gone is told by the number of items, or by their ids. */
async function compareCounts(deps: CatchUpDeps, node: NodeRow, { page, signal }: Newest): Promise<CatchUp> {
  if (page.count !== undefined) {
    const expected = (await countKnown(deps, node)) + (node.otherCount ?? Number.NaN)
    await updateNode(deps.index, node.address, { itemCount: page.count })
    if (page.count === expected) return count(deps, 'count')
  }
  // A service lists its ids to everybody, an account only to its contacts.
  if (localPart(node.address.service) === undefined) {
    const compared = await compareIds(deps, node, signal)
    const isUnclear = compared === 'differs' || (compared === 'unlisted' && page.count !== undefined)
    return count(deps, 'ids', isUnclear ? await askDeepReading(deps, node) : 'read')
  }
  if (page.count !== undefined) return count(deps, 'count', await askDeepReading(deps, node))
  return count(deps, 'newest')
}

async function askDeepReading({ index, clock }: CatchUpDeps, { address }: NodeRow): Promise<'more'> {
  await updateNode(index, address, { deepDueAt: clock().getTime() })
  return 'more'
}
