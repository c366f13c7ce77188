import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Turns {
  /** Milliseconds of the whole work. */
  readonly total: number
  /** The longest time, in milliseconds, for which the work kept everything else from running. */
  readonly longest: number
  /** How often others got a turn. */
  readonly count: number
}

/** Runs work, and watches how it shares the event loop. */
export async function watchTurns(work: () => Promise<unknown>): Promise<Turns> {
  let isDone = false
  const began = performance.now()
  const done = work().finally(() => {
    isDone = true
  })
  let last = began
  let longest = 0
  let count = 0
  while (!isDone) {
    await nextTurn()
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    count++
  }
  await done
  return { total: performance.now() - began, longest, count }
}
