import { describeError } from '#server/errors.ts'
import { clearIndex } from '#server/store/clear.ts'
import type { StateDb } from '#server/store/database.ts'
import { listEmptying } from '#server/store/emptying.ts'
import { findNode, updateNode } from '#server/store/node.ts'
import { findNodeToRead, listRecentNodes, spreadReadings } from '#server/store/node-schedule.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import type { PubsubEvent, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { domainOf } from '#shared/jid.ts'
import { longBackoff } from './backoff.ts'
import type { CatchUpDeps } from './catch-up.ts'
import { type CatchUpReport, createCatchUpReports } from './catch-up-report.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { knowBlogs, knowChanged } from './known-blogs.ts'
import { type KnownPeopleDeps, knowPeople } from './known-people.ts'
import { createLanes, type LaneState } from './lanes.ts'
import { NODES_TOPIC } from './live.ts'
import { clearClosed } from './lose-node.ts'
import { RECENT } from './next-reading.ts'
import { waitAtMost } from './patience.ts'
import { createReadings, isRecent } from './readings.ts'
import { resumeEmptying } from './resume-emptying.ts'
import { createSubscriptions } from './subscriptions.ts'
import { missChanges, takeBack, takeChange } from './watched-access.ts'

export interface IndexingDeps extends Omit<CatchUpDeps, 'inbox' | 'subscriptions'>, Pick<KnownPeopleDeps, 'config'> {
  readonly site: Pick<
    XmppSession,
    'status' | 'pubsub' | 'disco' | 'readContacts' | 'onStatus' | 'onPubsubEvent' | 'lastSignIn' | 'traffic'
  >
}

export interface Indexing {
  /** Listens and reads from now on. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Reads a node now, or as soon as the site account is online. */
  watch(address: NodeAddress): void
  /** Compares all of a node, at low priority. */
  readWhole(address: NodeAddress): void
  /** Somebody looks at a post with these comments: they come before those that nobody looks at. */
  viewed(address: NodeAddress): void
  /** When everything that can be read was read, for now, and no event waits. */
  idle(): Promise<void>
  /** Throws the index away and reads everything again. */
  reindex(): Promise<void>
  /** What each server has to answer yet. */
  lanes(): LaneState[]
  /** How the index last became what the network is, after it had not listened. */
  readonly lastCatchUp: CatchUpReport | undefined
  readonly inbox: Inbox
}

export { blogOf } from './blog-of.ts'

const DAY = 24 * 3_600_000
const TICK = 5_000
/** Waiting tasks that keep nobody waiting. */
const FEW = 100
/** A server that does not answer must not keep Canto from ending. */
const STOP = 3_000

/** The site account's ear: it subscribes to what the site shows, and reads what it missed. */
export function createIndexing(parts: IndexingDeps): Indexing {
  const stopping = new AbortController()
  const deps = { ...parts, signal: stopping.signal }
  const lanes = createLanes({
    ...{ backoff: longBackoff, clock: deps.clock },
    onBack: (domain) => guard(() => catchUpWith(domain))(),
  })
  const inbox = createInbox(deps, { onMissed: (address) => guard(() => readings.readWhole(address))() })
  const subscriptions = createSubscriptions(deps, { onLost: (address) => missChanges(learning, address) })
  const learning = { ...deps, indexing: { watch: (address: NodeAddress) => readings.add(address, 'asked') } }
  const underway = new Set<Promise<void>>()
  const guard = (action: () => Promise<void>) => () => {
    if (stopping.signal.aborted) return
    const run = action()
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) deps.log.error(`Indexing failed: ${describeError(error)}`)
      })
      .finally(() => underway.delete(run))
    underway.add(run)
  }
  const readings = createReadings(
    { ...deps, site: deps.site, inbox, subscriptions },
    { lanes, signal: stopping.signal },
  )
  const reports = createCatchUpReports(deps.site)
  const stops: (() => void)[] = []

  /** Everything may have changed: feeds and what is talked about now are read at once, the others within a day. */
  async function catchUpAll(): Promise<void> {
    subscriptions.forget()
    await catchUpWith(undefined)
    await readings.addDue()
    reports.end(lanes.idle('thread'), readings.countRead)
  }

  async function catchUpWith(domain: string | undefined): Promise<void> {
    readings.noteGap(domain)
    if (domain === undefined || domain === deps.siteDomain) await missChanges(learning)
    const now = deps.clock()
    await spreadReadings(deps.index, { now, within: DAY, domain })
    const since = new Date(now.getTime() - RECENT)
    for await (const nodes of listRecentNodes(deps.index, { since, domain })) await readings.addAll(nodes)
  }

  async function tick(): Promise<void> {
    await knowChanged(deps)
    await clearClosed({ ...deps, inbox })
    // An index that cannot be filled again now is better kept.
    if (deps.site.status !== 'online') return
    if (await isReindexAsked(deps)) await clearAndRead()
    await readings.addDue()
  }

  async function clearAndRead(): Promise<void> {
    await clearIndex(deps.index)
    await knowBlogs(deps)
    guard(() => knowPeople(deps))()
    await catchUpAll()
  }

  async function reindex(): Promise<void> {
    await clearAndRead()
    await idle()
  }

  function take(event: PubsubEvent): void {
    lanes.answered(domainOf(event.address.service))
    if (event.kind === 'configured') guard(() => takeConfigured(event))()
    else if (event.kind === 'subscription') guard(() => takeSubscription(event.address, event.state))()
    else inbox.push(event)
    if (event.kind === 'deleted') guard(() => takeBack(learning, event.address))()
  }

  async function takeConfigured(event: Extract<PubsubEvent, { kind: 'configured' }>): Promise<void> {
    const { address } = event
    if (!(await inbox.isExpected(address))) return
    try {
      await takeChange(learning, event)
    } finally {
      // What its service says about it is another now.
      await updateNode(deps.index, address, { infoReadAt: null })
      readings.add(address, 'asked')
    }
  }

  /** A service also tells what our own asking has changed, which is no news. */
  async function takeSubscription(address: NodeAddress, state: string): Promise<void> {
    const node = await findNode(deps.index, address)
    if (node !== undefined && (state === 'subscribed') !== (node.subscription === 'subscribed')) {
      await missChanges(learning, address)
      subscriptions.doubt(address)
      readings.add(address, 'asked')
    }
  }

  async function idle(): Promise<void> {
    do {
      await Promise.all(underway)
      await lanes.idle()
      await inbox.idle()
    } while (lanes.count() + underway.size > 0)
  }

  async function onStatus(status: SessionStatus): Promise<void> {
    if (status !== 'online') {
      lanes.pause()
      reports.begin()
      return
    }
    const isResumed = deps.site.lastSignIn === 'resumed'
    lanes.resume({ isFresh: !isResumed })
    // The stream went on where it was, so nothing was missed.
    if (isResumed) reports.end(Promise.resolve(), () => 0)
    else await catchUpAll()
  }

  async function start(): Promise<void> {
    await knowBlogs(deps)
    guard(() => knowPeople(deps))()
    const emptying = await listEmptying(deps.index)
    guard(() => resumeEmptying({ ...deps, inbox }, emptying))()
    stops.push(deps.site.onPubsubEvent(take))
    stops.push(deps.site.onStatus((status) => guard(() => onStatus(status))()))
    stops.push(deps.live.subscribe(NODES_TOPIC, (event) => 'address' in event && onNode(event.kind, event.address)))
    const timer = setInterval(guard(tick), TICK)
    stops.push(() => clearInterval(timer))
    if (deps.site.status === 'online') await catchUpAll()
    else lanes.pause()
  }

  function onNode(kind: string, address: NodeAddress): void {
    if (kind === 'node-dropped') readings.drop(address)
    else guard(() => addNew(address))()
  }

  /** Where thousands wait, those that nobody talks about do so in the index: they are due. */
  async function addNew(address: NodeAddress): Promise<void> {
    const node = await findNodeToRead(deps.index, address)
    if (node === undefined) return
    if (isRecent(node, deps.clock()) || lanes.count() < FEW) await readings.addAll([node])
  }

  async function stop(): Promise<void> {
    stopping.abort()
    for (const end of stops.splice(0)) end()
    lanes.stop()
    await waitAtMost(idle(), STOP)
  }

  return {
    ...{ start, stop, idle, reindex, inbox },
    watch: (address) => readings.add(address, 'asked'),
    readWhole: (address) => guard(() => readings.readWhole(address))(),
    viewed: (address) => {
      // Pages may be asked for before it starts: then everything is still to be read.
      if (stops.length > 0) guard(() => readings.viewed(address))()
    },
    lanes: () => lanes.list(),
    get lastCatchUp() {
      return reports.last
    },
  }
}

/** Asks the running server to rebuild its index; it looks every few seconds. */
export async function askReindex(state: StateDb, now: Date): Promise<void> {
  await saveSetting(state, 'reindex.asked', now.toISOString())
}

async function isReindexAsked({ state }: IndexingDeps): Promise<boolean> {
  const asked = await findSetting(state, 'reindex.asked')
  if (asked === undefined || asked === (await findSetting(state, 'reindex.begun'))) return false
  await saveSetting(state, 'reindex.begun', asked)
  return true
}
