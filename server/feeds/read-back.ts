import { listAcknowledged, listAcknowledgedAccounts, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { forgetPrepared } from './prepare.ts'

/** What a server acknowledged so shortly before it went may be lost: Mnesia writes its log late (servers.md). */
export const DOUBTFUL_MS = 10_000
/** After a restart of ours nobody knows when the connection ended: as long as a machine takes to come back. */
export const RESTART_MS = 60_000

export interface ReadBack {
  /** Notices when the account's session drops and comes back. */
  follow(account: BareJid, session: XmppSession | undefined): void
  /** Does again what was acknowledged just before the drop, if there was one: each finds out by itself whether it is needed. */
  verify(account: BareJid, attempt: (row: OutboxRow) => Promise<unknown>): Promise<void>
  /** Accounts whose acknowledged rows are to be looked at when they come online. */
  waiting(): BareJid[]
  start(): Promise<void>
  stop(): void
}

/** Remembers which acknowledgements of which accounts are in doubt. */
export function createReadBack(
  deps: OutboxDeps,
  { onOnline }: { readonly onOnline: (account: BareJid) => unknown },
): ReadBack {
  const doubtful = new Map<BareJid, Date>()
  const followed = new Map<XmppSession, () => void>()

  function doubt(account: BareJid, since: Date): void {
    const earlier = doubtful.get(account)
    if (earlier === undefined || since < earlier) doubtful.set(account, since)
  }

  function follow(account: BareJid, session: XmppSession | undefined): void {
    if (session === undefined || followed.has(session)) return
    let wasOnline = session.status === 'online'
    let droppedAt: Date | undefined
    const stop = session.onStatus((status) => {
      if (wasOnline && status !== 'online') droppedAt = deps.clock()
      wasOnline = status === 'online'
      // Where the stream goes on, the server was there all the time.
      const isSame = wasOnline && session.lastSignIn === 'resumed'
      if (droppedAt !== undefined && status !== 'waiting' && status !== 'connecting') {
        if (!isSame) {
          doubt(account, new Date(droppedAt.getTime() - DOUBTFUL_MS))
          // A server that comes back may have lost the node too.
          forgetPrepared(session)
        }
        droppedAt = undefined
      }
      if (wasOnline) onOnline(account)
      if (status === 'stopped' || status === 'refused') unfollow(session)
    })
    followed.set(session, stop)
  }

  function unfollow(session: XmppSession): void {
    followed.get(session)?.()
    followed.delete(session)
  }

  async function verify(account: BareJid, attempt: (row: OutboxRow) => Promise<unknown>): Promise<void> {
    const since = doubtful.get(account)
    if (since === undefined) return
    const last = new Map<string, OutboxRow>()
    for (const row of await listAcknowledged(deps.state, account, since)) last.set(addressKey(row.address), row)
    for (const row of last.values()) if (await isLastWord(deps, row)) await attempt(row)
    if (doubtful.get(account) === since) doubtful.delete(account)
  }

  return {
    follow,
    verify,
    waiting: () => [...doubtful.keys()],
    async start() {
      const since = new Date(deps.clock().getTime() - RESTART_MS)
      for (const account of await listAcknowledgedAccounts(deps.state, since)) doubt(account, since)
    },
    stop() {
      for (const session of [...followed.keys()]) unfollow(session)
    },
  }
}

/** Whether nothing was done to the item since: neither by us nor, as far as we heard, by others. */
async function isLastWord({ index, state, clock }: OutboxDeps, row: OutboxRow): Promise<boolean> {
  const [newest] = await listOutboxOf(state, row.address)
  if (newest !== undefined && newest.id !== row.id) return false
  if (row.kind === 'delete' || row.kind === 'remove-comment') return true
  const removedAt = await findTombstone(index, row.address)
  if (removedAt === undefined || row.acknowledgedAt === undefined) return true
  // Acknowledged by a clock that was put back since, it may have been removed afterwards all the same.
  return removedAt < row.acknowledgedAt && row.acknowledgedAt <= clock()
}
