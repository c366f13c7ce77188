import { waitTurn } from '#server/slices.ts'
import { addNode, findNode, isFeed, updateNode } from '#server/store/node.ts'
import {
  listDueNodes,
  listUnreadNodes,
  type NodeToRead,
  noteUnreachable,
  postponeNodes,
} from '#server/store/node-schedule.ts'
import { findBlockOfNode } from '#server/store/site-block.ts'
import type { Pubsub } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { isDue, isWithinLast } from '#shared/instants.ts'
import { domainOf } from '#shared/jid.ts'
import { readAttachmentsNode } from '#shared/profiles/index.ts'
import { type CatchUpDeps, catchUp } from './catch-up.ts'
import { LONGEST_DEEP } from './finish-reading.ts'
import { createGaps } from './gaps.ts'
import type { Lanes, Rank, TaskOutcome } from './lanes.ts'
import { isLost, LONGEST, nextReading, RECENT } from './next-reading.ts'
import { createRetries } from './retries.ts'
import { createSlowReading, type SlowReading } from './slow-reading.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface ReadingsDeps extends CatchUpDeps {
  readonly site: CatchUpDeps['site'] & { readonly pubsub: Pick<Pubsub, 'unsubscribeNode'> }
  readonly subscriptions: Subscriptions
}

/** Which node is read when: each as a task in the lane of its server. */
export interface Readings {
  /** What is new on a node, now. */
  add(address: NodeAddress, rank: Rank): void
  /** The same for many, each at its rank. */
  addAll(nodes: readonly NodeToRead[]): Promise<void>
  /** What is due. */
  addDue(): Promise<void>
  /** Something of it was missed, and may not be among the newest. */
  readWhole(address: NodeAddress): Promise<void>
  viewed(address: NodeAddress): Promise<void>
  /** Nobody wants it any more. */
  drop(address: NodeAddress): void
  /** Events may have been missed until now, of one server or of all: what has begun cannot be relied on. */
  noteGap(domain: string | undefined): void
  /** How many nodes were compared so far. */
  countRead(): number
}

const HOUR = 3_600_000
/** Enough waits to leave what is due for the next time. */
const BUSY = 500
const MOST_DUE = 500
/** What was looked at so lately is not asked for again. */
const FRESH = 10 * 60_000

export function createReadings(
  deps: ReadingsDeps,
  { lanes, signal }: { readonly lanes: Lanes; readonly signal: AbortSignal },
): Readings {
  const slow = new Map<string, SlowReading>()
  const retries = createRetries({ log: deps.log, signal, again: (address) => void readWhole(address) })
  const gaps = createGaps(deps.clock)
  let count = 0

  function add(address: NodeAddress, rank: Rank): void {
    const key = keyOf(address)
    const run = async () => {
      const outcome = await check(address)
      // Answers that come at once, as refusals of our own server do, leave room for signals and page requests.
      await waitTurn()
      return outcome
    }
    lanes.add(domainOf(address.service), { key, rank, run })
  }

  async function check({ service, node }: NodeAddress): Promise<TaskOutcome> {
    const address = { service, node }
    try {
      // Before too, so that a long reading is not begun again meanwhile.
      const planned = await planNext(address)
      if ((await findBlockOfNode(deps.state, address)) !== undefined) return 'done'
      const outcome = await catchUp(deps, address, { signal, heardSince: gaps.heardSince(service) })
      if (outcome === 'unreachable') return await noteDown(address)
      count++
      retries.done(address)
      // Else another process asked for it meanwhile.
      if ((await findNode(deps.index, address))?.nextTryAt === planned) await planNext(address)
      if (outcome === 'more') addSlow(address, { isContinued: false })
    } catch (error) {
      retries.add(address, error)
    }
    return 'done'
  }

  async function readWhole({ service, node }: NodeAddress): Promise<void> {
    const address = { service, node }
    try {
      gaps.note(domainOf(service))
      await updateNode(deps.index, address, { deepDueAt: deps.clock().getTime() })
      add(address, 'asked')
      // One that is underway may be past what was missed.
      slow.delete(slowKeyOf(address))
      addSlow(address, { isContinued: true })
    } catch (error) {
      retries.add(address, error)
    }
  }

  async function noteDown(address: NodeAddress): Promise<'unreachable'> {
    const problem = (await findNode(deps.index, address))?.problem
    if (problem !== undefined) await noteUnreachable(deps.index, domainOf(address.service), problem)
    return 'unreachable'
  }

  async function planNext(address: NodeAddress): Promise<number> {
    const node = await findNode(deps.index, address)
    const now = deps.clock()
    const nextTryAt = Math.floor(now.getTime() + nextReading(node, now) * (1 - Math.random() / 20))
    await updateNode(deps.index, address, { nextTryAt })
    return nextTryAt
  }

  function addSlow(address: NodeAddress, { isContinued }: { readonly isContinued: boolean }): void {
    const key = slowKeyOf(address)
    const reading = slow.get(key) ?? createSlowReading(deps, address, { signal, isContinued })
    slow.set(key, reading)
    const run = async (): Promise<TaskOutcome> => {
      if (slow.get(key) !== reading) return 'done'
      const outcome = await step(address, reading)
      if (slow.get(key) !== reading) return 'done'
      if (outcome === 'done') slow.delete(key)
      return outcome
    }
    lanes.add(domainOf(address.service), { key, rank: 'slow', run })
  }

  async function step(address: NodeAddress, reading: SlowReading): Promise<TaskOutcome> {
    try {
      return await reading.step()
    } catch (error) {
      retries.add(address, error)
      return 'done'
    }
  }

  async function addAll(nodes: readonly NodeToRead[]): Promise<void> {
    const now = deps.clock()
    // A server that does not answer keeps them waiting: others must be seen when next it is looked what is due.
    await postponeNodes(
      deps.index,
      nodes.map(({ id }) => id),
      new Date(now.getTime() + HOUR),
    )
    for (const node of nodes) {
      const rank = isFeed(node) ? 'feed' : isRecent(node, now) ? 'thread' : 'later'
      add(node.address, rank)
    }
  }

  return {
    add,
    addAll,
    async addDue() {
      if (lanes.count() > BUSY) return
      const now = deps.clock()
      const due = await listDueNodes(deps.index, { now, longest: LONGEST, limit: MOST_DUE })
      await addAll(due)
      const unread = await listUnreadNodes(deps.index, { now, longest: LONGEST_DEEP, limit: MOST_DUE })
      for (const address of unread) addSlow(address, { isContinued: true })
    },
    readWhole,
    async viewed(address) {
      const now = deps.clock()
      if (readAttachmentsNode(address) !== undefined) await addNode(deps.index, { address, kind: 'attachments', now })
      const node = await findNode(deps.index, address)
      // Whoever looks at a post that nothing is attached to does not have it asked for each time.
      if (node === undefined || isFeed(node)) return
      const isMissing = node.kind === 'attachments' && isLost(node)
      const isFresh = isMissing
        ? !isDue(node.nextTryAt, now, LONGEST.thread)
        : node.readAt !== undefined && isWithinLast(FRESH, node.readAt, now)
      if (!isFresh) add(node.address, 'thread')
    },
    drop(address) {
      const run = async (): Promise<TaskOutcome> => {
        // It may have come back while this waited.
        if ((await findNode(deps.index, address)) !== undefined) return 'done'
        return deps.subscriptions.end(address).then(
          () => 'done',
          () => 'done',
        )
      }
      lanes.add(domainOf(address.service), { key: `drop ${keyOf(address)}`, rank: 'thread', run })
    },
    noteGap(domain) {
      gaps.note(domain)
      if (domain === undefined) slow.clear()
    },
    countRead: () => count,
  }
}

/** Whether comments are likely to be looked at; other nodes always are. */
export function isRecent(node: NodeToRead, now: Date): boolean {
  const { postedAt, heardAt } = node
  return isFeed(node) || now.getTime() - Math.max(postedAt?.getTime() ?? 0, heardAt?.getTime() ?? 0) < RECENT
}

function slowKeyOf(address: NodeAddress): string {
  return `slow ${keyOf(address)}`
}

function keyOf({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}
