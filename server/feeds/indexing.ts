import { describeError } from '#server/errors.ts'
import { clearIndex } from '#server/store/clear.ts'
import type { StateDb } from '#server/store/database.ts'
import { findNode, listNodes, updateNode } from '#server/store/node.ts'
import { findSetting, saveSetting } from '#server/store/setting.ts'
import type { PubsubEvent, XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type CatchUpDeps, catchUp } from './catch-up.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { knowBlogs } from './known-blogs.ts'
import { NODES_TOPIC } from './live.ts'
import { waitAtMost } from './patience.ts'
import { createWork } from './work.ts'

export interface IndexingDeps extends CatchUpDeps {
  readonly site: Pick<XmppSession, 'status' | 'pubsub' | 'disco' | 'onStatus' | 'onPubsubEvent'>
}

export interface Indexing {
  /** Listens and reads from now on. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Reads a node now, or as soon as the site account is online. */
  watch(address: NodeAddress): void
  /** When everything that is known was read, for now, and no event waits. */
  idle(): Promise<void>
  /** Throws the index away and reads everything again. */
  reindex(): Promise<void>
  readonly inbox: Inbox
}

export { blogOf } from './blog-of.ts'

const HOUR = 3_600_000
// Events of a headline are lost on the way now and then, and nobody says so.
const HOURS_WHEN_FINE = { blog: 6, community: 6, comments: 24 } as const
const TICK = 5_000
// Few requests in flight: Debian's ejabberd and Prosody slow a client down that asks for more (servers.md).
const AT_ONCE = 4
const DOWN = 60_000
/** A server that does not answer must not keep Canto from ending. */
const STOP = 3_000
// Enough under way to leave what is due for the next time.
const BUSY = 100

/** The site account's ear: it subscribes to what the site shows, and reads what it missed. */
export function createIndexing(deps: IndexingDeps): Indexing {
  const work = createWork(AT_ONCE)
  const stops: (() => void)[] = []
  const inbox = createInbox(deps, { onMissed: (address) => watch(address) })
  /** Until when. One that does not answer costs half a minute a node, which the others would wait for. */
  const down = new Map<BareJid, number>()
  const stopping = new AbortController()

  function watch(address: NodeAddress): void {
    if (stopping.signal.aborted || deps.site.status !== 'online') return
    const { service, node } = address
    work.add(addressKey({ service, node }), () => check({ service, node }))
  }

  async function check(address: NodeAddress): Promise<void> {
    try {
      const downUntil = down.get(address.service) ?? 0
      if (downUntil > deps.clock().getTime()) return await updateNode(deps.index, address, { nextTryAt: downUntil })
      // Before too, so that a long read is not begun again meanwhile.
      const planned = await planNext(address)
      const outcome = await inbox.run(address, () => catchUp(deps, address, stopping.signal))
      if (outcome === 'unreachable') down.set(address.service, deps.clock().getTime() + DOWN)
      // Else another process asked for it meanwhile.
      if ((await findNode(deps.index, address))?.nextTryAt === planned) await planNext(address)
    } catch (error) {
      if (!stopping.signal.aborted) deps.log.error(`Reading ${addressKey(address)} failed: ${describeError(error)}`)
    }
  }

  async function planNext(address: NodeAddress): Promise<number> {
    const node = await findNode(deps.index, address)
    const isFine = node?.problem === undefined && node?.subscription === 'subscribed'
    const hours = isFine ? HOURS_WHEN_FINE[node.kind] : 1
    const nextTryAt = deps.clock().getTime() + hours * HOUR
    await updateNode(deps.index, address, { nextTryAt })
    return nextTryAt
  }

  async function catchUpAll(): Promise<void> {
    down.clear()
    for (const node of await listNodes(deps.index)) watch(node.address)
  }

  async function tick(): Promise<void> {
    await knowBlogs(deps)
    // An index that cannot be filled again now is better kept.
    if (deps.site.status !== 'online') return
    if (await isReindexAsked(deps)) await reindex()
    if (work.size > BUSY) return
    for (const node of await listNodes(deps.index, { dueBy: deps.clock() })) watch(node.address)
  }

  async function reindex(): Promise<void> {
    await clearIndex(deps.index)
    await knowBlogs(deps)
    await catchUpAll()
    await idle()
  }

  function take(event: PubsubEvent): void {
    down.delete(event.address.service)
    if (event.kind === 'configured') watch(event.address)
    else if (event.kind === 'subscription') guard(() => takeSubscription(event.address, event.state))()
    else inbox.push(event)
  }

  /** A service also tells what our own asking has changed, which is no news. */
  async function takeSubscription(address: NodeAddress, state: string): Promise<void> {
    const node = await findNode(deps.index, address)
    if (node !== undefined && (state === 'subscribed') !== (node.subscription === 'subscribed')) watch(address)
  }

  async function idle(): Promise<void> {
    do {
      await work.idle()
      await inbox.idle()
    } while (!work.isIdle())
  }

  const guard = (action: () => Promise<void>) => () => {
    if (stopping.signal.aborted) return
    action().catch((error: unknown) => deps.log.error(`Indexing failed: ${describeError(error)}`))
  }

  async function start(): Promise<void> {
    await knowBlogs(deps)
    stops.push(deps.site.onPubsubEvent(take))
    stops.push(deps.site.onStatus((status) => status === 'online' && guard(catchUpAll)()))
    stops.push(deps.live.subscribe(NODES_TOPIC, onNode))
    const timer = setInterval(guard(tick), TICK)
    stops.push(() => clearInterval(timer))
    if (deps.site.status === 'online') await catchUpAll()
  }

  function onNode(event: { kind: string; address?: NodeAddress }): void {
    if (event.address === undefined) return
    if (event.kind === 'node-added') watch(event.address)
    else if (deps.site.status === 'online') deps.site.pubsub.unsubscribeNode(event.address).catch(() => {})
  }

  async function stop(): Promise<void> {
    stopping.abort()
    for (const end of stops.splice(0)) end()
    work.clear()
    await waitAtMost(idle(), STOP)
  }

  return { start, stop, watch, idle, reindex, inbox }
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
