import { describeError } from '#server/errors.ts'
import { waitTurn } from '#server/slices.ts'
import { findNode, isRead, type NodeRow, updateNode } from '#server/store/node.ts'
import type { Pubsub, PubsubEvent } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { type AccessDeps, applyAccess, readAccess } from './access.ts'
import { type IngestDeps, ingest } from './ingest.ts'
import { keepBounds } from './keep-bounds.ts'

export interface InboxDeps extends IngestDeps {
  readonly site: AccessDeps['site'] & { readonly pubsub: Pick<Pubsub, 'findItem'> }
}

export interface Inbox {
  /** Takes an event; those of one node are ingested in the order they came. */
  push(event: PubsubEvent): void
  /** Told at once of each event of a node, before those that wait; returns the way to stop. */
  onEvent(address: NodeAddress, listener: (event: PubsubEvent) => void): () => void
  /** Runs a task between the events of a node: what comes meanwhile waits. */
  run<T>(address: NodeAddress, task: () => Promise<T>): Promise<T>
  /** Whether events of a node are due to the site account, which anybody may send some. */
  isExpected(address: NodeAddress): Promise<boolean>
  /** When nothing waits any more. */
  idle(): Promise<void>
}

export interface InboxListeners {
  /** Told of each event that could not be ingested, or of more than may wait: the node must be read again. */
  readonly onMissed: (address: NodeAddress) => void
}

// While a large node is read for the first time its events wait; past this many it is cheaper to read it again.
const MOST_WAITING = 1_000
/** Milliseconds. */
const HEARD = 10_000

export function createInbox(deps: InboxDeps, { onMissed }: InboxListeners): Inbox {
  const listeners = new Map<string, Set<(event: PubsubEvent) => void>>()
  const tails = new Map<string, { last: Promise<unknown>; waiting: number; hasMissed: boolean }>()

  function run<T>(address: NodeAddress, task: () => Promise<T>): Promise<T> {
    const key = nodeKey(address)
    const tail = tails.get(key) ?? { last: Promise.resolve(), waiting: 0, hasMissed: false }
    const result = tail.last.then(task)
    const settled = result.then(
      () => {},
      () => {},
    )
    tails.set(key, { ...tail, last: settled, waiting: tail.waiting + 1 })
    settled.then(() => {
      const current = tails.get(key)
      if (current === undefined) return
      current.waiting--
      if (current.waiting > 0) return
      tails.delete(key)
      // Not before: what was left out meanwhile may be newer than an answer.
      if (current.hasMissed) onMissed(nodeOf(address))
    })
    return result
  }

  async function take(event: PubsubEvent): Promise<void> {
    try {
      // A burst of events must leave room for page requests.
      await waitTurn()
      const node = await findNode(deps.index, event.address)
      if (node === undefined || !isSubscribed(node)) return deps.meters.count('strangers_events')
      if (node.unheardAt !== undefined) await updateNode(deps.index, node.address, { unheardAt: null })
      if (event.kind === 'published' && (await isRestrictedNow(deps, node))) onMissed(node.address)
      const outcome = await ingest(deps, await complete(deps, event))
      if (outcome === 'stored' || outcome === 'removed') await noteHeard(deps, node)
      if (outcome === 'stored') await keepBounds(deps, node)
      // Something came from a node that was closed or deleted: it is open again.
      if (outcome === 'ignored' && event.kind === 'published' && !isRead(node)) onMissed(node.address)
    } catch (error) {
      if (deps.signal?.aborted) return
      deps.log.error(`An event of ${nodeKey(event.address)} could not be stored: ${describeError(error)}`)
      onMissed(nodeOf(event.address))
    }
  }

  return {
    onEvent(address, listener) {
      const key = nodeKey(address)
      const others = listeners.get(key) ?? new Set()
      listeners.set(key, others.add(listener))
      return () => {
        others.delete(listener)
        if (others.size === 0 && listeners.get(key) === others) listeners.delete(key)
      }
    },
    async isExpected(address) {
      const node = await findNode(deps.index, address)
      return node !== undefined && isSubscribed(node)
    },
    push(event) {
      for (const listener of listeners.get(nodeKey(event.address)) ?? []) listener(event)
      const tail = tails.get(nodeKey(event.address))
      if (tail !== undefined && tail.waiting >= MOST_WAITING) tail.hasMissed = true
      else run(event.address, () => take(event))
    },
    run,
    async idle() {
      while (tails.size > 0) await Promise.all([...tails.values()].map(({ last }) => last))
    },
  }
}

/** Whoever knows the site's address may send it events: only those of its own subscriptions count. */
function isSubscribed({ subscription }: NodeRow): boolean {
  return subscription !== 'none'
}

/** Another client may have closed the node since its owner's session read that it is open: seen before anything new shows. */
async function isRestrictedNow(deps: InboxDeps, node: NodeRow): Promise<boolean> {
  if (node.status !== 'open' || (await readAccess(deps, node)) === 'open') return false
  return applyAccess(deps, node, 'restricted')
}

/** Not for every event of many. */
async function noteHeard({ index, clock }: InboxDeps, { address, heardAt }: NodeRow): Promise<void> {
  const now = clock().getTime()
  if (Math.abs(now - (heardAt?.getTime() ?? 0)) > HEARD) await updateNode(index, address, { heardAt: now })
}

/** Some nodes tell only the id (XEP-0472 §5.1): then the item is asked for. */
async function complete({ site }: InboxDeps, event: PubsubEvent): Promise<PubsubEvent> {
  if (event.kind !== 'published' || event.item?.payload !== undefined) return event
  const item = await site.pubsub.findItem(event.address)
  return item === undefined
    ? event
    : { ...event, item: { ...item, publisher: item.publisher ?? event.item?.publisher } }
}

function nodeOf({ service, node }: NodeAddress): NodeAddress {
  return { service, node }
}

function nodeKey(address: NodeAddress): string {
  return addressKey(nodeOf(address))
}
