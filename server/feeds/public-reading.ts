import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { IndexDb } from '#server/store/database.ts'
import { listFeedNodes } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { savePublicSubscriptions } from '#server/store/public-subscription.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { mayFollow } from './follow.ts'
import { readList } from './follow-list.ts'
import type { Outbox } from './outbox.ts'
import { waitAtMost } from './patience.ts'

export interface PublicReadingDeps {
  readonly index: IndexDb
  readonly site: Pick<XmppSession, 'status' | 'onStatus' | 'pubsub'>
  readonly outbox?: Pick<Outbox, 'onChange'>
  readonly clock: () => Date
  readonly log: Logger
}

const TICK = 60_000
const DAY = 24 * 3_600_000
const STOP = 3_000
/** More than anybody looks at. */
const MOST_KEPT = 500

/** Reads daily, and as soon as it changes here, what the owners of indexed blogs let everybody know that they follow (XEP-0465 §4.2). */
export function createPublicReading({ index, site, outbox, clock, log }: PublicReadingDeps) {
  const readAt = new Map<BareJid, number>()
  /** Those whose list changed since it was read. */
  const changed = new Set<BareJid>()
  const stops: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let isAgain = false
  let isStopped = false

  /** One after the other, as nothing waits for it; a server that does not answer is asked once a round. */
  async function read(): Promise<void> {
    const silent = new Set<BareJid>()
    for (const owner of await listDue()) {
      if (isStopped || site.status !== 'online') return
      if (silent.has(domainOf(owner))) continue
      const isChanged = changed.delete(owner)
      const at = clock().getTime()
      if ((await readOf(owner)) === 'read') readAt.set(owner, at)
      else {
        silent.add(domainOf(owner))
        if (isChanged) changed.add(owner)
      }
    }
  }

  async function listDue(): Promise<BareJid[]> {
    const now = clock().getTime()
    const blogs = (await listFeedNodes(index)).filter(({ kind, status }) => kind === 'blog' && status === 'open')
    // What was read before a blog came into the index is not in it: it may have been emptied since.
    const owners = new Map(blogs.map(({ address, createdAt }) => [address.service, createdAt.getTime()]))
    for (const known of [readAt, changed]) for (const owner of known.keys()) if (!owners.has(owner)) known.delete(owner)
    const isKnown = (owner: BareJid, createdAt: number) => {
      const at = readAt.get(owner) ?? 0
      return !changed.has(owner) && isWithinLast(DAY, at, now) && (createdAt > now || at >= createdAt)
    }
    return [...owners].flatMap(([owner, createdAt]) => (isKnown(owner, createdAt) ? [] : [owner]))
  }

  async function readOf(owner: BareJid): Promise<'read' | 'silent'> {
    try {
      const list = await readList(site.pubsub, { service: owner, node: NS.PUBLIC_SUBSCRIPTION_LIST }, MOST_KEPT)
      const shown = list?.items.filter(({ address }) => mayFollow(address)) ?? []
      await savePublicSubscriptions(index, owner, shown)
    } catch (error) {
      if (isAppError(error, 'unavailable', 'timeout')) return 'silent'
      if (!isAppError(error)) throw error
      // No list, or none for us: then nothing is known.
      await savePublicSubscriptions(index, owner, [])
    }
    return 'read'
  }

  function tick(): void {
    if (isStopped || site.status !== 'online') return
    if (running !== undefined) {
      isAgain = true
      return
    }
    running = read()
      .catch((error: unknown) => {
        if (!isStopped) log.error(`Public subscriptions were not read: ${describeError(error)}`)
      })
      .finally(() => {
        running = undefined
        if (!isAgain) return
        isAgain = false
        tick()
      })
  }

  function onRow({ kind, status, account }: OutboxRow): void {
    if (kind !== 'public-follows' || status !== 'done') return
    changed.add(account)
    tick()
  }

  return {
    start() {
      timer = setInterval(tick, TICK)
      stops.push(site.onStatus(tick))
      if (outbox !== undefined) stops.push(outbox.onChange(onRow))
      tick()
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      for (const stop of stops.splice(0)) stop()
      await waitAtMost(running ?? Promise.resolve(), STOP)
    },
  }
}
