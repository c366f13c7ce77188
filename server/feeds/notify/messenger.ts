import { describeError } from '#server/errors.ts'
import {
  listUnsent,
  listWhoWaits,
  markSent,
  type NotificationRow,
  notifiesByMessage,
} from '#server/store/notification.ts'
import type { BareJid } from '#shared/jid.ts'
import { writeNotice } from './notice.ts'
import type { NotifierDeps } from './notifier.ts'
import { chooseReadable } from './readable.ts'

export interface Messenger {
  /** Something may be there to be sent. */
  wake(): void
  idle(): Promise<void>
  stop(): Promise<void>
}

/** To one person. */
const BETWEEN_MS = 5_000
/** What comes at once goes in one message. */
const GATHER_MS = 500
const MOST_AT_ONCE = 1_000

/** Sends people's notifications to their own accounts, as ordinary chat messages of the site account. */
export function createMessenger(deps: NotifierDeps): Messenger {
  const nextAt = new Map<BareJid, number>()
  let timer: NodeJS.Timeout | undefined
  let work: Promise<void> = Promise.resolve()
  let isStopped = false

  function wake(after = GATHER_MS): void {
    if (isStopped || timer !== undefined) return
    timer = setTimeout(() => void run(), after)
  }

  function run(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    work = work.then(sendAll).catch((error: unknown) => {
      deps.log.warn(`Notifications could not be sent as messages: ${describeError(error)}`)
    })
    return work
  }

  async function sendAll(): Promise<void> {
    if (isStopped || deps.site.status !== 'online') return
    let soonest = Number.POSITIVE_INFINITY
    for (const jid of await listWhoWaits(deps.state)) {
      const wait = (nextAt.get(jid) ?? 0) - performance.now()
      if (wait > 0) {
        soonest = Math.min(soonest, wait)
        continue
      }
      nextAt.set(jid, performance.now() + BETWEEN_MS)
      await sendTo(jid)
    }
    for (const [jid, at] of nextAt) if (at < performance.now()) nextAt.delete(jid)
    if (soonest !== Number.POSITIVE_INFINITY) wake(soonest)
  }

  async function sendTo(jid: BareJid): Promise<void> {
    const rows: NotificationRow[] = await listUnsent(deps.state, jid, MOST_AT_ONCE)
    if (rows.length === 0 || !(await notifiesByMessage(deps.state, jid))) return
    const ids = rows.map(({ id }) => id)
    const readable = await chooseReadable(deps, rows)
    if (readable.length === 0) return markSent(deps.state, ids, deps.clock())
    const body = await writeNotice(deps, readable, jid)
    // Before it goes: after a crash in between, nobody gets the same twice.
    await markSent(deps.state, ids, deps.clock())
    try {
      await deps.site.sendMessage({ to: jid, type: 'chat', body })
    } catch (error) {
      await markSent(deps.state, ids, null)
      throw error
    }
  }

  return {
    wake: () => wake(),
    idle: run,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await work
    },
  }
}
