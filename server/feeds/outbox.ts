import { describeError } from '#server/errors.ts'
import { createSlices } from '#server/slices.ts'
import {
  clearNextTries,
  deleteDoneBefore,
  findOutboxRow,
  listWaitingAccounts,
  listWaitingRows,
  type OutboxRow,
  updateOutboxRow,
  type WaitingRow,
} from '#server/store/outbox.ts'
import type { BareJid } from '#shared/jid.ts'
import { enforceBlocks } from './enforce-blocks.ts'
import { createAttempt } from './outbox-attempt.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { type Lane, laneOf, mayBeTried, WRITING, workLane } from './outbox-lane.ts'
import { waitAtMost } from './patience.ts'
import { createReadBack } from './read-back.ts'
import { settle } from './settle.ts'

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
/** A server that does not answer must not keep Canto from ending: what it was asked is asked again next time. */
const STOP = 1_000
const DAY = 24 * 3_600_000
/** Of all accounts: one that does not answer takes half a minute. */
const MOST_LANES = 100
/** No browser sends a form again after that. */
const KEPT_DAYS = 30

/** Does what waits in the outbox: an account's rows one after the other, by the account's own session. */
export function createOutbox(deps: OutboxDeps): Outbox {
  const running = new Map<string, Promise<void>>()
  const again = new Set<string>()
  /** Accounts that are not online, with what was told to all of their rows that wait: why, and to which. */
  const told = new Map<BareJid, string>()
  const listeners = new Set<(row: OutboxRow) => void>()
  const timers: NodeJS.Timeout[] = []
  let isStopped = true
  let stopEnforcing = () => {}
  const readBack = createReadBack(deps, { onOnline: guard(comeOnline) })
  // With `wake`, as what one account may not do is handed on to another.
  const attempt = createAttempt({ ...deps, outbox: { wake } }, { onEnd })

  function wake(account: BareJid): void {
    wakeLane(account, WRITING)
    void guard(wakeOthers)(account)
  }

  async function wakeOthers(account: BareJid): Promise<void> {
    wakeLanes(account, await listWaitingRows(deps.state, account))
  }

  /** Wakes the lanes for which there is room; the others come again with the next tick. */
  function wakeLanes(account: BareJid, rows: readonly WaitingRow[]): void {
    const lanes = new Set(rows.map(laneOf))
    if (lanes.delete(WRITING)) wakeLane(account, WRITING)
    for (const lane of lanes)
      if (running.size < MOST_LANES || running.has(keyOf(account, lane))) wakeLane(account, lane)
  }

  function wakeLane(account: BareJid, lane: Lane): void {
    if (isStopped) return
    const key = keyOf(account, lane)
    if (running.has(key)) {
      again.add(key)
      return
    }
    const run = guard(work)(account, lane).finally(() => {
      running.delete(key)
      if (again.delete(key)) wakeLane(account, lane)
    })
    running.set(key, run)
  }

  async function work(account: BareJid, lane: Lane): Promise<void> {
    const session = deps.sessions(account)
    readBack.follow(account, session)
    if (lane === WRITING && session?.status === 'online') {
      await readBack.verify(account, (row) => (laneOf(row) === WRITING ? attempt(row, 'again') : reopen(row)))
    }
    const rows = await listWaitingRows(deps.state, account)
    await workLane(lane, rows, {
      attempt: (row) => attempt(row, 'first'),
      isStopped: () => isStopped,
      now: deps.clock(),
    })
  }

  /** What asks other servers keeps to its own lane. */
  async function reopen(row: OutboxRow): Promise<void> {
    await updateOutboxRow(deps.state, row.id, { status: 'waiting', nextTry: null })
    wakeLane(row.account, laneOf(row))
  }

  async function onEnd({ id }: OutboxRow): Promise<void> {
    const row = await findOutboxRow(deps.state, id)
    if (row !== undefined) for (const listener of [...listeners]) listener(row)
  }

  async function comeOnline(account: BareJid): Promise<void> {
    await clearNextTries(deps.state, account)
    wake(account)
  }

  async function sweep(): Promise<void> {
    await deleteDoneBefore(deps.state, new Date(deps.clock().getTime() - KEPT_DAYS * DAY))
  }

  async function tick(): Promise<void> {
    const accounts = await listWaitingAccounts(deps.state)
    for (const account of told.keys()) if (!accounts.includes(account)) told.delete(account)
    const pause = createSlices()
    for (const account of accounts) {
      await look(account)
      await pause()
    }
    for (const account of readBack.waiting()) {
      readBack.follow(account, deps.sessions(account))
      if (isOnline(account)) wakeLane(account, WRITING)
    }
  }

  /** Every second, so it must cost little: nothing is begun unless there is something to do or to tell. */
  async function look(account: BareJid): Promise<void> {
    readBack.follow(account, deps.sessions(account))
    const rows = await listWaitingRows(deps.state, account)
    const due = rows.filter((row) => mayBeTried(row, deps.clock()))
    const words = `${rows.at(-1)?.id} ${due.length} ${deps.sessions(account)?.problem?.message ?? ''}`
    if (!isOnline(account) && told.get(account) === words) return
    told.delete(account)
    wakeLanes(account, due)
    if (!isOnline(account) && running.size < MOST_LANES) told.set(account, words)
  }

  function isOnline(account: BareJid): boolean {
    return deps.sessions(account)?.status === 'online'
  }

  function guard<Args extends unknown[]>(action: (...args: Args) => Promise<void>): (...args: Args) => Promise<void> {
    return (...args) =>
      action(...args).catch((error: unknown) => {
        if (!isStopped) deps.log.error(`The outbox failed: ${describeError(error)}`)
      })
  }

  function onChange(listener: (row: OutboxRow) => void): () => void {
    const own = (row: OutboxRow) => listener(row)
    listeners.add(own)
    return () => listeners.delete(own)
  }

  return {
    wake,
    onChange,
    settle: (id, timeoutMs) => settle({ state: deps.state, onChange }, id, timeoutMs),
    async start() {
      isStopped = false
      await readBack.start()
      stopEnforcing = enforceBlocks({ ...deps, outbox: { wake } })
      timers.push(setInterval(guard(tick), TICK), setInterval(guard(sweep), DAY))
      await sweep()
      await tick()
    },
    async stop() {
      isStopped = true
      for (const timer of timers.splice(0)) clearInterval(timer)
      stopEnforcing()
      readBack.stop()
      await waitAtMost(Promise.all(running.values()), STOP)
    },
  }
}

const keyOf = (account: BareJid, lane: Lane) => `${account} ${lane}`
