import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { IndexDb } from '#server/store/database.ts'
import { listFeedNodes } from '#server/store/node.ts'
import { savePublicSubscriptions } from '#server/store/public-subscription.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { mayFollow } from './follow.ts'
import { readList } from './follow-list.ts'
import { waitAtMost } from './patience.ts'

export interface PublicReadingDeps {
  readonly index: IndexDb
  readonly site: Pick<XmppSession, 'status' | 'pubsub'>
  readonly clock: () => Date
  readonly log: Logger
}

const TICK = 60_000
const DAY = 24 * 3_600_000
const STOP = 3_000
/** More than anybody looks at. */
const MOST_KEPT = 500

/** Reads daily what the owners of the blogs in the index let everybody know that they follow (XEP-0465 §4.2). */
export function createPublicReading({ index, site, clock, log }: PublicReadingDeps) {
  const readAt = new Map<BareJid, number>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let isStopped = false

  /** One after the other, as nothing waits for it; a server that does not answer is asked once a round. */
  async function read(): Promise<void> {
    const silent = new Set<BareJid>()
    for (const owner of await listDue()) {
      if (isStopped || site.status !== 'online') return
      if (silent.has(domainOf(owner))) continue
      if ((await readOf(owner)) === 'silent') silent.add(domainOf(owner))
      else readAt.set(owner, clock().getTime())
    }
  }

  async function listDue(): Promise<BareJid[]> {
    const due = clock().getTime() - DAY
    const blogs = (await listFeedNodes(index)).filter(({ kind, status }) => kind === 'blog' && status === 'open')
    const owners = new Set(blogs.map(({ address }) => address.service))
    for (const owner of readAt.keys()) if (!owners.has(owner)) readAt.delete(owner)
    return [...owners].filter((owner) => (readAt.get(owner) ?? 0) <= due)
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
    if (running !== undefined || site.status !== 'online') return
    running = read()
      .catch((error: unknown) => {
        if (!isStopped) log.error(`Public subscriptions were not read: ${describeError(error)}`)
      })
      .finally(() => {
        running = undefined
      })
  }

  return {
    start() {
      timer = setInterval(tick, TICK)
      tick()
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      await waitAtMost(running ?? Promise.resolve(), STOP)
    },
  }
}
