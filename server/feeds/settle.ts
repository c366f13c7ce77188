import { AppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import { findOutboxRow, type OutboxRow } from '#server/store/outbox.ts'
import { readTask } from './task.ts'

export interface SettleDeps {
  readonly state: StateDb
  readonly onChange: (listener: (row: OutboxRow) => void) => () => void
}

/** The row as it is once it no longer waits, or after so many milliseconds; what was handed on, as that is. */
export async function settle(deps: SettleDeps, id: number, timeoutMs: number): Promise<OutboxRow> {
  const started = performance.now()
  const { promise: changed, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  const stop = deps.onChange((row) => row.id === id && resolve())
  try {
    const before = await findOutboxRow(deps.state, id)
    if (before?.status === 'waiting') await changed
    const row = await findOutboxRow(deps.state, id)
    if (row === undefined) throw new AppError('not-found', 'It was taken back')
    const task = readTask(row)
    const forwardedTo = 'forwardedTo' in task ? task.forwardedTo : undefined
    if (row.status !== 'done' || forwardedTo === undefined) return row
    return await settle(deps, forwardedTo, Math.max(0, timeoutMs - (performance.now() - started)))
  } finally {
    clearTimeout(timer)
    stop()
  }
}
