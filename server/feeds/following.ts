import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { PubsubEvent, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { isDue, isWithinLast } from '#shared/instants.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { FollowDeps } from './follow.ts'
import { mergeFollows } from './merge-follows.ts'
import type { Outbox } from './outbox.ts'
import { waitAtMost } from './patience.ts'
import { createPublicReading, type PublicReadingDeps } from './public-reading.ts'
import { DOUBTFUL_MS, RESTART_MS } from './read-back.ts'

export interface FollowingDeps extends FollowDeps, PublicReadingDeps {
  readonly site: PublicReadingDeps['site'] & Pick<XmppSession, 'onPubsubEvent' | 'lastSignIn'>
  readonly log: Logger
  readonly outbox?: Pick<Outbox, 'wake' | 'onChange'>
  /** Of everybody who is signed in. */
  readonly people: () => readonly XmppSession[]
}

export interface Following {
  start(): void
  stop(): Promise<void>
  /** Reads the list on the account now, if its session is online. */
  merge(session: XmppSession): Promise<void>
}

// Nobody tells us of a session that was restored.
const TICK = 5_000
const STOP = 3_000
// A person's session hears no events, for it sends no presence. What other clients change shows within ten minutes.
const EVERY = 9 * 60_000
/** Milliseconds over which those who came at once are spread. */
const SPREAD = 60_000
/** Lists that are read at once. */
const AT_ONCE = 10
/** Time after which a refused request is tried again: it may be allowed by then. */
const RETRY = 6 * 3_600_000
/** After a server that did not answer. */
const AGAIN = 10 * 60_000
/** After one that may only just have started. */
const SOON = 20_000

/** Keeps what people follow here and the lists on their own accounts the same, and reads what others let be known. */
export function createFollowing(deps: FollowingDeps): Following {
  const watched = new Map<XmppSession, () => void>()
  /** When each list is to be read next. */
  const dueAt = new Map<XmppSession, number>()
  const running = new Map<XmppSession, Promise<void>>()
  const retriedAt = new Map<XmppSession, number>()
  const doubtful = new Map<XmppSession, Date>()
  /** Accounts of whose list the site account hears. */
  const heard = new Set<BareJid>()
  const reading = createPublicReading(deps)
  let timer: NodeJS.Timeout | undefined
  const stopHearing: (() => void)[] = []

  /** What is under way may have missed what this was asked for: then it is done once more. */
  function merge(session: XmppSession): Promise<void> {
    const before = running.get(session) ?? Promise.resolve()
    const run: Promise<void> = before
      .then(() => mergeNow(session))
      .finally(() => {
        if (running.get(session) === run) running.delete(session)
      })
    running.set(session, run)
    return run
  }

  async function mergeNow(session: XmppSession): Promise<void> {
    if (session.status !== 'online') return
    const now = deps.clock().getTime()
    dueAt.set(session, now + EVERY - Math.random() * SPREAD)
    const doubtfulSince = doubtful.get(session)
    try {
      const isBrief = isWithinLast(RETRY, retriedAt.get(session) ?? 0, now)
      if (!isBrief) retriedAt.set(session, now)
      const outcome = await mergeFollows(deps, session, { doubtfulSince, isBrief, onOpen: listen })
      if (outcome === 'lost') dueAt.set(session, now + SOON)
      else if (doubtful.get(session) === doubtfulSince) doubtful.delete(session)
    } catch (error) {
      dueAt.set(session, now + AGAIN)
      if (!isAppError(error)) deps.log.error(`What ${session.jid} follows was not read: ${describeError(error)}`)
    }
  }

  /** What a server acknowledged shortly before it went may be lost (servers.md); what resumed was not. */
  function doubt(session: XmppSession, ms: number): void {
    const earlier = doubtful.get(session)?.getTime() ?? Number.POSITIVE_INFINITY
    // A date of its own for each drop: a merge that began before it settles nothing.
    doubtful.set(session, new Date(Math.min(earlier, deps.clock().getTime() - ms)))
  }

  /** The list says nothing but that it changed: what stands on it its owner's session reads. */
  function listen(list: NodeAddress): void {
    if (heard.has(list.service) || deps.site.status !== 'online') return
    heard.add(list.service)
    deps.site.pubsub.subscribeNode(list).catch(() => heard.delete(list.service))
  }

  function hear({ kind, address }: PubsubEvent): void {
    const session = deps.people().find(({ jid }) => jid === address.service)
    if (session === undefined || address.node !== NS.SUBSCRIPTION_LIST) return
    if (kind === 'deleted') heard.delete(address.service)
    // With the next tick, so that one who changes it all the time has it read no more often.
    dueAt.delete(session)
  }

  /** Where the site account signed in anew, events were missed, and a server may have dropped what it was subscribed to. */
  function hearAgain(status: SessionStatus): void {
    if (status !== 'online' || deps.site.lastSignIn === 'resumed') return
    for (const session of deps.people()) if (heard.delete(session.jid)) dueAt.delete(session)
  }

  function leave(service: BareJid): void {
    if (!heard.delete(service)) return
    deps.site.pubsub.unsubscribeNode({ service, node: NS.SUBSCRIPTION_LIST }).catch(() => {})
  }

  function watch(session: XmppSession): void {
    doubt(session, RESTART_MS)
    let wasOnline = session.status === 'online'
    const stop = session.onStatus((status) => {
      if (wasOnline && status !== 'online') doubt(session, DOUBTFUL_MS)
      wasOnline = status === 'online'
      if (status === 'stopped' || status === 'refused') {
        forget(session)
        leave(session.jid)
      }
      // After a resumption nothing was missed.
      else if (status === 'online' && session.lastSignIn !== 'resumed') {
        // Its server may have started anew, without the subscriptions that it had.
        heard.delete(session.jid)
        void merge(session)
      }
    })
    watched.set(session, stop)
  }

  function forget(session: XmppSession): void {
    watched.get(session)?.()
    watched.delete(session)
    dueAt.delete(session)
    retriedAt.delete(session)
    doubtful.delete(session)
  }

  function tick(): void {
    for (const session of deps.people()) {
      if (!watched.has(session)) watch(session)
      const isTime = isDue(dueAt.get(session) ?? 0, deps.clock(), AGAIN) && !running.has(session)
      if (isTime && running.size < AT_ONCE) void merge(session)
    }
  }

  return {
    merge,
    start() {
      timer = setInterval(tick, TICK)
      stopHearing.push(deps.site.onPubsubEvent(hear), deps.site.onStatus(hearAgain))
      tick()
      reading.start()
    },
    async stop() {
      clearInterval(timer)
      for (const stop of stopHearing.splice(0)) stop()
      for (const session of [...watched.keys()]) forget(session)
      await reading.stop()
      await waitAtMost(Promise.all(running.values()), STOP)
    },
  }
}
