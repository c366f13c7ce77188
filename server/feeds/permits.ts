import { describeError, isAppError } from '#server/errors.ts'
import { listCommunities } from '#server/store/community.ts'
import { listFollows } from '#server/store/follow.ts'
import { findPost } from '#server/store/post.ts'
import { listRestrictedFeeds } from '#server/store/restricted-node.ts'
import type { Item, Pubsub, XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { isWithinLast } from '#shared/instants.ts'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { writeSortedXml } from '#shared/xml.ts'
import { type BeliefDeps, isOwnGround } from './belief.ts'
import { blogTopic, type LiveEvent, POSTS_TOPIC } from './live.ts'
import { type OwnAccessDeps, readOwnAccess } from './own-access.ts'
import { waitAtMost } from './patience.ts'

export interface PermitsDeps extends OwnAccessDeps, BeliefDeps {
  readonly siteDomain: BareJid
  readonly site: OwnAccessDeps['site'] & Pick<XmppSession, 'pubsub'>
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
}

type Asking = Pick<XmppSession, 'jid' | 'status' | 'pubsub'>

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** How long before its end a permit is asked for again. */
const EARLY = 10 * MINUTE
const AGAIN = MINUTE
/** Items among which one of somebody else's has to be. */
const NEWEST = 10
const TICK = 5_000
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
  const stops: (() => void)[] = []

  const now = () => deps.clock().getTime()

  function has(jid: BareJid, address: NodeAddress): boolean {
    return isWithinLast(HOUR, permits.get(keyOf(address))?.get(jid) ?? 0, now())
  }

  async function askAll(session: Asking): Promise<void> {
    if (!isWithinLast(HOUR, ownReadAt.get(session.jid) ?? 0, now())) {
      ownReadAt.set(session.jid, now())
      if ((await readOwnAccess(deps, session as XmppSession)) === 'more') ownReadAt.delete(session.jid)
    }
    for (const address of await listWanted(deps, session.jid))
      if (isDue(session.jid, address)) await askOne(session, address)
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
      if (await isSame(deps, asking, address)) permit(jid, address)
      else permits.get(keyOf(address))?.delete(jid)
    } catch (error) {
      if (!isAppError(error)) throw error
      // A server that is down takes nothing away before its time.
      if (!isAppError(error, 'unavailable', 'timeout')) permits.get(keyOf(address))?.delete(jid)
    }
    if (has(jid, address) !== had) tell(address)
  }

  function permit(jid: BareJid, address: NodeAddress): void {
    const key = keyOf(address)
    const people = permits.get(key) ?? new Map<BareJid, number>()
    permits.set(key, people.set(jid, now()))
    triedAt.delete(tryKey(jid, address))
  }

  function tell(address: NodeAddress): void {
    for (const topic of [blogTopic(address), POSTS_TOPIC]) deps.live.publish(topic, { kind: 'changed' })
  }

  /** A new or changed post ends its node's permits until each session fetches it; its author keeps theirs. */
  function onPost(event: LiveEvent): void {
    if (event.kind !== 'post-added' && event.kind !== 'post-changed') return
    const people = permits.get(keyOf(event.address))
    if (people === undefined) return
    const former = new Map(people)
    people.clear()
    void lapse(event.address, former)
  }

  async function lapse(address: Parameters<typeof findPost>[1], former: ReadonlyMap<BareJid, number>): Promise<void> {
    const post = await findPost(deps.index, address, 'restricted')
    const author = typeof post === 'object' && post.credit === 'credited' ? post.author?.jid : undefined
    const since = author === undefined ? undefined : former.get(author)
    if (author !== undefined && since !== undefined) permits.get(keyOf(address))?.set(author, since)
    for (const jid of former.keys()) triedAt.delete(tryKey(jid, address))
    round()
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
    round()
  }

  return {
    has,
    ask,
    start() {
      const timer = setInterval(tick, TICK)
      stops.push(() => clearInterval(timer), deps.live.subscribe(POSTS_TOPIC, onPost))
      round()
    },
    async stop() {
      for (const end of stops.splice(0)) end()
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

/**
 * Whether a session gets the newest item by others that the site account gets: one that its person cannot know by
 * having written it. Compared once more where they differ: something may have come in between.
 */
async function isSame(deps: PermitsDeps, { jid, pubsub }: Asking, address: NodeAddress): Promise<boolean> {
  const isOfOthers = await chooseWitnesses(deps, jid, address)
  for (let attempt = 0; attempt < 2; attempt++) {
    // Theirs first: where they may not read it, that is all there is to know.
    const their = await readNewest(pubsub, address)
    if (their.length === 0) return false
    const witness = (await readNewest(deps.site.pubsub, address)).find(isOfOthers)
    if (witness !== undefined && their.some((item) => writeItem(item) === writeItem(witness))) return true
  }
  return false
}

/**
 * Which items a person's server cannot make up: it is believed about the nodes that it keeps itself; elsewhere those that no
 * account of it has published, and on the site's own server, which does not lie, those that this account has not.
 */
async function chooseWitnesses(deps: PermitsDeps, jid: BareJid, address: NodeAddress) {
  const keepsIt = domainOf(address.service) === domainOf(jid) || (await isOwnGround(deps, jid, address.service))
  if (keepsIt) return () => true
  const isTheirs = (publisher: BareJid) =>
    domainOf(jid) === deps.siteDomain ? publisher === jid : domainOf(publisher) === domainOf(jid)
  return ({ publisher }: Item) => {
    // Only the account itself publishes on its own nodes; who did on a service that names nobody is not known.
    if (publisher === undefined) return localPart(address.service) !== undefined
    const by = readBareJid(publisher)
    return by !== undefined && !isTheirs(by)
  }
}

async function readNewest(pubsub: Pick<Pubsub, 'listItems'>, address: NodeAddress): Promise<readonly Item[]> {
  const { items } = await pubsub.listItems(address, { max: NEWEST })
  return items.filter(({ payload }) => payload !== undefined)
}

/** The id and content, to be compared. */
function writeItem({ id, payload }: Item): string {
  return JSON.stringify([id, payload === undefined ? '' : writeSortedXml(payload)])
}

function keyOf({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}

function tryKey(jid: BareJid, address: NodeAddress): string {
  return `${jid} ${keyOf(address)}`
}
