import { setImmediate as nextTurn } from 'node:timers/promises'
import { readCpuTime } from './cpu-time.ts'

/** Milliseconds are of this thread's CPU: a machine that is busy with others does not change them much. */
export interface Turns {
  /** Milliseconds of the whole work. */
  readonly total: number
  /** The most milliseconds for which the work kept everything else from running. */
  readonly longest: number
  /** How often others got a turn. */
  readonly count: number
}

/** Runs work, and watches how it shares the event loop. */
export async function watchTurns(work: () => Promise<unknown>): Promise<Turns> {
  let isDone = false
  const began = readCpuTime()
  const done = work().finally(() => {
    isDone = true
  })
  // It is awaited at the end.
  done.catch(() => {})
  let last = began
  let longest = 0
  let count = 0
  while (!isDone) {
    await nextTurn()
    const now = readCpuTime()
    longest = Math.max(longest, now - last)
    last = now
    count++
  }
  await done
  return { total: readCpuTime() - began, longest, count }
}
