import { describeError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { CONVERSATIONS_TOPIC, type LiveEvent, POSTS_TOPIC } from '../live.ts'
import { followersDue, readFollowers } from './followers.ts'
import { createMessenger } from './messenger.ts'
import { NOTIFIED_TOPIC } from './notify.ts'
import { lookAgain, type ScanDeps, scanNews } from './scan.ts'

export interface NotifierDeps extends ScanDeps {
  readonly log: Logger
  /** The site's public address. */
  readonly config: { readonly url: URL }
  readonly siteDomain: BareJid
  readonly site: Pick<XmppSession, 'jid' | 'status' | 'onStatus' | 'sendMessage'>
  /** Of everybody who is signed in. */
  readonly people: () => readonly Pick<XmppSession, 'jid' | 'status' | 'pubsub'>[]
}

/** Tells people what concerns them: on their page, and by messages where they wish for those. */
export interface Notifier {
  start(): void
  /** Resolves once everything that was known when it was called has been looked at. */
  idle(): Promise<void>
  /** Reads who follows somebody's blog, where their server tells and it is time to. */
  readFollowers(session: Pick<XmppSession, 'jid' | 'pubsub'>): Promise<void>
  stop(): Promise<void>
}

/** Much happens at once, as in a burst of reactions: it is looked at together. */
const PAUSE_MS = 200
/** What no event told of, as after a crash of what tells it. */
const TICK_MS = 60_000
/** More single changes than these are found by a later look, or not at all. */
const MOST_CHANGED = 1_000

export function createNotifier(deps: NotifierDeps): Notifier {
  const messenger = createMessenger(deps)
  const changed = new Map<string, ItemAddress>()
  const stops: (() => void)[] = []
  let pause: NodeJS.Timeout | undefined
  let work: Promise<void> = Promise.resolve()
  let isStopped = false

  function look(): void {
    if (isStopped || pause !== undefined) return
    pause = setTimeout(() => void lookNow(), PAUSE_MS)
  }

  function lookNow(): Promise<void> {
    clearTimeout(pause)
    pause = undefined
    const addresses = [...changed.values()]
    changed.clear()
    work = work
      .then(async () => {
        await lookAgain(deps, addresses)
        await scanNews(deps)
      })
      .catch((error: unknown) => deps.log.error(`Finding what is new for people failed: ${describeError(error)}`))
    return work
  }

  function take(event: LiveEvent): void {
    const address = changedAddress(event)
    if (address !== undefined && changed.size < MOST_CHANGED) changed.set(addressKey(address), address)
    look()
  }

  async function readFollowersOf(session: Pick<XmppSession, 'jid' | 'pubsub'>): Promise<void> {
    if (!(await followersDue(deps, session.jid))) return
    await readFollowers(deps, session)
  }

  async function tick(): Promise<void> {
    look()
    for (const session of deps.people()) if (session.status === 'online') await readFollowersOf(session)
  }

  const guard = (act: () => Promise<void>) => () =>
    void act().catch((error: unknown) => deps.log.warn(`Notifications: ${describeError(error)}`))

  return {
    start() {
      stops.push(deps.live.subscribe(CONVERSATIONS_TOPIC, take), deps.live.subscribe(POSTS_TOPIC, take))
      stops.push(deps.live.subscribe(NOTIFIED_TOPIC, () => messenger.wake()))
      stops.push(deps.site.onStatus((status) => status === 'online' && messenger.wake()))
      const timer = setInterval(guard(tick), TICK_MS)
      stops.push(() => clearInterval(timer))
      look()
      messenger.wake()
    },
    async idle() {
      await lookNow()
      await messenger.idle()
    },
    readFollowers: (session) =>
      readFollowersOf(session).catch((error: unknown) => {
        deps.log.warn(`The followers of ${session.jid} could not be read: ${describeError(error)}`)
      }),
    async stop() {
      isStopped = true
      clearTimeout(pause)
      for (const stop of stops.splice(0)) stop()
      await Promise.all([work, messenger.stop()])
    },
  }
}

/** What may have been told already. */
function changedAddress(event: LiveEvent): ItemAddress | undefined {
  switch (event.kind) {
    case 'comment-changed':
    case 'comment-removed':
    case 'post-changed':
    case 'post-removed':
      return event.address
    default:
      return undefined
  }
}
