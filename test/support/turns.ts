import { setImmediate as nextTurn } from 'node:timers/promises'

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
  const began = readCpu()
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
    const now = readCpu()
    longest = Math.max(longest, now - last)
    last = now
    count++
  }
  await done
  return { total: readCpu() - began, longest, count }
}

function readCpu(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
