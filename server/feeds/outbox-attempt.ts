import { beginAttempt, findOutboxRow, type OutboxRow, type WaitingRow } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { type Outcome, settleRow } from './outbox-outcome.ts'
import { CancelledError, perform } from './perform.ts'
import { readTask } from './task.ts'

/** `again` for what was acknowledged once and is in doubt. */
export type How = 'first' | 'again'

export type Attempt = (row: WaitingRow, how: How) => Promise<OutboxRow['status']>

export interface AttemptListeners {
  /** Told each row that was done or refused. */
  readonly onEnd: (row: OutboxRow) => Promise<void>
}

/** Tries rows one by one, and remembers how often each has failed. */
export function createAttempt(deps: OutboxDeps, { onEnd }: AttemptListeners): Attempt {
  const failures = new Map<number, number>()

  async function tryPerform(row: OutboxRow, session: XmppSession, how: How): Promise<Outcome> {
    let hasBegun = false
    const begin = async () => {
      hasBegun = true
      if (how === 'first' && !(await beginAttempt(deps.state, row.id))) throw new CancelledError()
    }
    try {
      const sent = await perform(deps, { session, row, task: readTask(row), begin })
      return { kind: 'done', isNews: how === 'first' || hasBegun, sent }
    } catch (error) {
      if (error instanceof CancelledError) return { kind: 'cancelled' }
      const count = (failures.get(row.id) ?? 0) + 1
      failures.set(row.id, count)
      return { kind: 'failed', error, failures: count }
    }
  }

  return async ({ id, account }, how) => {
    const row = await findOutboxRow(deps.state, id)
    // Taken back meanwhile.
    if (row === undefined) return 'done'
    if (how === 'first' && row.status !== 'waiting') return row.status
    const session = deps.sessions(account)
    if (session?.status !== 'online') return settleRow(deps, row, { kind: 'no-session', problem: session?.problem })
    const status = await settleRow(deps, row, await tryPerform(row, session, how))
    deps.meters.count('outbox', { kind: row.kind, outcome: status })
    if (status === 'waiting') return status
    failures.delete(row.id)
    await onEnd(row)
    return status
  }
}
