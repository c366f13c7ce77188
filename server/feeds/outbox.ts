import { describeError } from '#server/errors.ts'
import {
  beginAttempt,
  clearNextTries,
  findOutboxRow,
  listWaiting,
  listWaitingAccounts,
  type OutboxRow,
} from '#server/store/outbox.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { type Outcome, settleRow } from './outbox-outcome.ts'
import { perform } from './perform.ts'
import { createReadBack } from './read-back.ts'
import { readTask } from './task.ts'

export { listOutbox, type OutboxRow } from '#server/store/outbox.ts'
export * from './queue.ts'
export { relink } from './relink.ts'

export interface Outbox {
  start(): Promise<void>
  /** Finishes what is under way. */
  stop(): Promise<void>
  /** Something waits for this account, or its session has just come. */
  wake(account: BareJid): void
  /** The row as it is once it no longer waits, or after so many milliseconds. */
  settle(id: number, timeoutMs: number): Promise<OutboxRow>
  /** Told each row that was done or refused; returns the way to stop. */
  onChange(listener: (row: OutboxRow) => void): () => void
}

// Rows also come from other processes (`canto relink`), and sessions without telling.
const TICK = 1_000

/** Does what waits in the outbox: an account's rows one after the other, by the account's own session. */
export function createOutbox(deps: OutboxDeps): Outbox {
  const running = new Map<BareJid, Promise<void>>()
  const again = new Set<BareJid>()
  const listeners = new Set<(row: OutboxRow) => void>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = true
  const readBack = createReadBack(deps, { onOnline: (account) => void comeOnline(account) })
  // What is forwarded to another account is queued by way of us.
  const own: OutboxDeps & { outbox: Pick<Outbox, 'wake'> } = { ...deps, outbox: { wake } }

  function wake(account: BareJid): void {
    if (isStopped) return
    if (running.has(account)) {
      again.add(account)
      return
    }
    const run = work(account)
      .catch((error: unknown) => deps.log.error(`The outbox of ${account} failed: ${describeError(error)}`))
      .finally(() => {
        running.delete(account)
        if (again.delete(account)) wake(account)
      })
    running.set(account, run)
  }

  async function work(account: BareJid): Promise<void> {
    const session = deps.sessions(account)
    readBack.follow(account, session)
    if (session?.status === 'online') await readBack.verify(account, session, (row) => attempt(row, 'again'))
    const held = new Set<string>()
    for (const row of await listWaiting(deps.state, account)) {
      if (isStopped) return
      const key = addressKey(row.address)
      // Of one item, nothing may overtake.
      if (!held.has(key) && (await attempt(row, 'first')) === 'waiting') held.add(key)
    }
  }

  async function attempt(row: OutboxRow, how: 'first' | 'again'): Promise<OutboxRow['status']> {
    if (how === 'first' && row.nextTry !== undefined && row.nextTry > deps.clock()) return 'waiting'
    const session = deps.sessions(row.account)
    if (session?.status !== 'online') return settleRow(deps, row, { kind: 'no-session', problem: session?.problem })
    if (how === 'first' && !(await beginAttempt(deps.state, row.id))) return 'done'
    const outcome = await tryPerform(row, session)
    const status = await settleRow(deps, row, outcome)
    if (status !== 'waiting') await tell(row.id)
    return status
  }

  async function tryPerform(
    row: OutboxRow,
    session: NonNullable<ReturnType<OutboxDeps['sessions']>>,
  ): Promise<Outcome> {
    try {
      await perform(own, session, row)
      return { kind: 'done' }
    } catch (error) {
      return { kind: 'failed', error }
    }
  }

  async function tell(id: number): Promise<void> {
    const row = await findOutboxRow(deps.state, id)
    if (row !== undefined) for (const listener of [...listeners]) listener(row)
  }

  async function comeOnline(account: BareJid): Promise<void> {
    await clearNextTries(deps.state, account)
    wake(account)
  }

  async function tick(): Promise<void> {
    for (const account of await listWaitingAccounts(deps.state)) wake(account)
    for (const account of readBack.waiting()) wake(account)
  }

  function onChange(listener: (row: OutboxRow) => void): () => void {
    const listen = (row: OutboxRow) => listener(row)
    listeners.add(listen)
    return () => listeners.delete(listen)
  }

  async function settle(id: number, timeoutMs: number): Promise<OutboxRow> {
    const { promise: changed, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timeoutMs)
    const started = Date.now()
    const stop = onChange((row) => row.id === id && resolve())
    try {
      const before = await findOutboxRow(deps.state, id)
      if (before?.status === 'waiting') await changed
      const row = (await findOutboxRow(deps.state, id)) ?? before
      if (row === undefined) throw new Error(`There is no outbox row ${id}`)
      const task = readTask(row)
      const forwardedTo = task.kind === 'remove-comment' ? task.forwardedTo : undefined
      if (row.status !== 'done' || forwardedTo === undefined) return row
      return await settle(forwardedTo, Math.max(0, timeoutMs - (Date.now() - started)))
    } finally {
      clearTimeout(timer)
      stop()
    }
  }

  return {
    wake,
    settle,
    onChange,
    async start() {
      isStopped = false
      await readBack.start()
      timer = setInterval(() => {
        tick().catch((error: unknown) => deps.log.error(`The outbox failed: ${describeError(error)}`))
      }, TICK)
      await tick()
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      readBack.stop()
      await Promise.all(running.values())
    },
  }
}
