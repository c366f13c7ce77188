import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds that one piece of long work may keep the event loop before everything else gets a turn. */
const SLICE_MS = 10

let last: Promise<void> = Promise.resolve()

/**
 * Resolves in a turn of the event loop that nothing else which waits here shares, first come, first served: much that
 * begins at once would otherwise run in one turn, and let no request in.
 */
export function waitTurn(): Promise<void> {
  last = last.then(() => nextTurn())
  return last
}

/**
 * Returns a function to await between the steps of long work. SQLite answers at once, so awaiting its statements alone
 * lets no request in; this one waits for a turn of its own, once the current slice is used up.
 */
export function createSlices(): () => Promise<void> {
  let startedAt = performance.now()
  return async () => {
    if (performance.now() - startedAt < SLICE_MS) return
    await waitTurn()
    startedAt = performance.now()
  }
}
