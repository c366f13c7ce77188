import { describeError, isAppError } from '#server/errors.ts'
import { listCommunities } from '#server/store/community.ts'
import { findEntry } from '#server/store/entry.ts'
import { listFollows } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { listRestrictedAmong, listRestrictedFeeds } from '#server/store/restricted-node.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import type { BareJid } from '#shared/jid.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { announcePermitted } from './announce.ts'
import { CONVERSATIONS_TOPIC, type LiveEvent, POSTS_TOPIC } from './live.ts'
import { createOpenedNodes } from './opened-nodes.ts'
import { type OwnAccessDeps, readOwnAccess, watchUncounted } from './own-access.ts'
import { waitAtMost } from './patience.ts'
import { type ProofDeps, proveReading } from './permit-proof.ts'

export interface PermitsDeps extends OwnAccessDeps, ProofDeps {
  readonly site: OwnAccessDeps['site'] & ProofDeps['site']
  /** The sessions of everybody who is signed in. */
  readonly people: () => readonly XmppSession[]
}

/** Permits to be shown restricted nodes: each was earned by a person's own session, which could read the node. */
export interface Permits {
  start(): void
  stop(): Promise<void>
  has(jid: BareJid, address: NodeAddress): boolean
  /** Asks for everything that is due for somebody now. */
  ask(session: XmppSession): Promise<void>
  /** Somebody opened a page with what is on these nodes: the restricted ones are asked for until they sign out. */
  look(jid: BareJid, nodes: readonly NodeAddress[]): void
}

type Asking = Pick<XmppSession, 'jid' | 'status' | 'pubsub'>

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** How long before its end a permit is asked for again. */
const EARLY = 10 * MINUTE
const AGAIN = MINUTE
/** How often somebody's session reads their own nodes' configuration. */
const OWN_AGAIN = 10 * MINUTE
const TICK = 5_000
const NEW: ReadonlySet<LiveEvent['kind']> = new Set(['post-added', 'post-changed', 'comment-added', 'comment-changed'])
const STOP = 3_000

/**
 * Following is no right to read. A permit is given where a person's own session fetched the newest item of a node that is not
 * theirs and got what the site account gets: their server may lie, but cannot make that up. It is good for an hour, or until something
 * new comes, which our pages would else tell a liar.
 */
export function createPermits(deps: PermitsDeps): Permits {
  /** By node, then by person: since when, in milliseconds. */
  const permits = new Map<string, Map<BareJid, number>>()
  const triedAt = new Map<string, number>()
  const ownReadAt = new Map<BareJid, number>()
  const running = new Map<BareJid, Promise<void>>()
  const opened = createOpenedNodes()
  const stops: (() => void)[] = []
  let tickedAt = deps.clock()

  const now = () => deps.clock().getTime()

  function has(jid: BareJid, address: NodeAddress): boolean {
    return isWithinLast(HOUR, permits.get(keyOf(address))?.get(jid) ?? 0, now())
  }

  async function askAll(session: Asking): Promise<void> {
    const { jid } = session
    if (!isWithinLast(OWN_AGAIN, ownReadAt.get(jid) ?? 0, now())) {
      ownReadAt.set(jid, now())
      if ((await readOwnAccess(deps, session as XmppSession)) === 'more') ownReadAt.delete(jid)
    }
    for (const address of [...(await listWanted(deps, jid)), ...opened.list(jid)])
      if (isDue(jid, address)) await askOne(session, address)
  }

  function isDue(jid: BareJid, address: NodeAddress): boolean {
    const since = permits.get(keyOf(address))?.get(jid) ?? 0
    const tried = triedAt.get(tryKey(jid, address)) ?? 0
    return !isWithinLast(HOUR - EARLY, since, now()) && !isWithinLast(AGAIN, tried, now())
  }

  async function askOne(asking: Asking, address: NodeAddress): Promise<void> {
    const { jid } = asking
    triedAt.set(tryKey(jid, address), now())
    const had = has(jid, address)
    try {
      const proof = await proveReading(deps, asking, address)
      if (proof === 'same') permit(jid, address)
      else if (proof === 'different') refuse(jid, address)
      else opened.rest(jid, address)
    } catch (error) {
      if (!isAppError(error)) throw error
      // A server that is down takes nothing away before its time.
      if (!isAppError(error, 'unavailable', 'timeout')) refuse(jid, address)
    }
    if (has(jid, address) !== had) await tell(address)
  }

  function permit(jid: BareJid, address: NodeAddress): void {
    const key = keyOf(address)
    const people = permits.get(key) ?? new Map<BareJid, number>()
    permits.set(key, people.set(jid, now()))
    triedAt.delete(tryKey(jid, address))
  }

  function refuse(jid: BareJid, address: NodeAddress): void {
    permits.get(keyOf(address))?.delete(jid)
    opened.rest(jid, address)
  }

  async function tell(address: NodeAddress): Promise<void> {
    const node = await findNode(deps.index, address)
    if (node !== undefined) await announcePermitted(deps, node)
  }

  /** A new or changed item ends its node's permits until each session fetches it; its author keeps theirs. */
  function onItem(event: LiveEvent): void {
    if (event.kind === 'reaction-changed') end(attachmentsOf(event.address))
    else if (NEW.has(event.kind) && 'address' in event) end(event.address)
  }

  function end(address: NodeAddress | ItemAddress): void {
    const former = new Map(permits.get(keyOf(address)))
    const readers = new Set([...former.keys(), ...opened.wake(address)])
    if (readers.size === 0) return
    permits.delete(keyOf(address))
    for (const jid of readers) triedAt.delete(tryKey(jid, address))
    void renew(address, { former, readers }).catch((error: unknown) =>
      deps.log.error(`Permits for ${address.node} were not renewed: ${describeError(error)}`),
    )
  }

  async function renew(
    address: NodeAddress | ItemAddress,
    { former, readers }: { former: ReadonlyMap<BareJid, number>; readers: ReadonlySet<BareJid> },
  ): Promise<void> {
    const author = 'item' in address ? await findCredited(deps, address) : undefined
    const since = author && former.get(author)
    if (author !== undefined && since !== undefined) {
      permits.set(keyOf(address), (permits.get(keyOf(address)) ?? new Map()).set(author, since))
      await tell(address)
    }
    if (stops.length > 0) for (const session of deps.people()) if (readers.has(session.jid)) void ask(session)
  }

  function ask(session: Asking): Promise<void> {
    const { jid } = session
    const run = (running.get(jid) ?? Promise.resolve())
      .then(() => (session.status === 'online' ? askAll(session) : undefined))
      .catch((error: unknown) => deps.log.error(`What ${jid} may read was not asked: ${describeError(error)}`))
      .finally(() => {
        if (running.get(jid) === run) running.delete(jid)
      })
    running.set(jid, run)
    return run
  }

  async function open(jid: BareJid, nodes: readonly NodeAddress[]): Promise<void> {
    const restricted = (await listRestrictedAmong(deps.index, nodes)).filter(({ service }) => service !== jid)
    const session = restricted.length > 0 ? deps.people().find((each) => each.jid === jid) : undefined
    if (session === undefined) return
    for (const address of restricted) opened.add(jid, address)
    await ask(session)
  }

  function round(): void {
    if (stops.length === 0) return
    for (const session of deps.people()) if (!running.has(session.jid)) void ask(session)
  }

  function tick(): void {
    for (const [key, people] of permits) {
      for (const [jid, since] of people) if (!isWithinLast(HOUR, since, now())) people.delete(jid)
      if (people.size === 0) permits.delete(key)
    }
    for (const [key, at] of triedAt) if (!isWithinLast(AGAIN, at, now())) triedAt.delete(key)
    opened.keep(new Set(deps.people().map(({ jid }) => jid)))
    round()
    const [since, until] = [tickedAt, deps.clock()]
    tickedAt = until
    void watchUncounted(deps, since, until).catch((error: unknown) =>
      deps.log.error(`Nodes that may be closed were not looked at: ${describeError(error)}`),
    )
  }

  return {
    has,
    ask,
    look: (jid, nodes) =>
      void open(jid, nodes).catch((error: unknown) =>
        deps.log.error(`What ${jid} opened was not asked for: ${describeError(error)}`),
      ),
    start() {
      const timer = setInterval(tick, TICK)
      stops.push(() => clearInterval(timer))
      for (const topic of [POSTS_TOPIC, CONVERSATIONS_TOPIC]) stops.push(deps.live.subscribe(topic, onItem))
      round()
    },
    async stop() {
      for (const stop of stops.splice(0)) stop()
      await waitAtMost(Promise.all(running.values()), STOP)
    },
  }
}

/** Restricted feeds that somebody follows, or that they made here. */
async function listWanted({ index, state }: PermitsDeps, jid: BareJid): Promise<NodeAddress[]> {
  const restricted = await listRestrictedFeeds(index)
  if (restricted.length === 0) return []
  const follows = (await listFollows(state, jid)).map(({ address }) => address)
  const made = (await listCommunities(state)).filter(({ owner }) => owner === jid).map(({ address }) => address)
  const wanted = new Set([...follows, ...made].map(keyOf))
  return restricted.filter((address) => wanted.has(keyOf(address)))
}

async function findCredited({ index }: PermitsDeps, item: ItemAddress): Promise<BareJid | undefined> {
  const node = await findNode(index, item)
  const entry = node && (await findEntry(index, node.id, item.item))
  return entry?.credit === 'credited' ? (entry.author ?? undefined) : undefined
}

function keyOf({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}

function tryKey(jid: BareJid, address: NodeAddress): string {
  return `${jid} ${keyOf(address)}`
}
