import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds that one piece of long work may keep the event loop before everything else gets a turn. */
const SLICE_MS = 10

/**
 * Returns a function to await between the steps of long work. SQLite answers at once, so awaiting its statements alone
 * lets no request in; this one waits for the next turn of the event loop, once the current slice is used up.
 */
export function createSlices(): () => Promise<void> {
  let startedAt = performance.now()
  return async () => {
    if (performance.now() - startedAt < SLICE_MS) return
    await nextTurn()
    startedAt = performance.now()
  }
}
