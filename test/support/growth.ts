import assert from 'node:assert/strict'

/** Milliseconds that a machine with other work may take for nothing. */
const NOISE_MS = 50
const MOST_RUNS = 5

/**
 * Asserts that the time of some work grows in proportion to its size: with ten times the size it may take less than 40 times as
 * long, where something quadratic takes 100 times. A busy machine may make one run look slow, so the quickest of a few counts.
 */
export async function assertLinear(sizes: readonly [number, number], work: (size: number) => unknown): Promise<void> {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const isLinear = () => large < (4 * small * sizes[1]) / sizes[0] + NOISE_MS
  for (let run = 0; run === 0 || (run < MOST_RUNS && !isLinear()); run++) {
    small = Math.min(small, await measure(work, sizes[0]))
    large = Math.min(large, await measure(work, sizes[1]))
  }
  assert.ok(isLinear(), `${sizes[0]} took ${small.toFixed(1)} ms, ${sizes[1]} took ${large.toFixed(1)} ms`)
}

async function measure(work: (size: number) => unknown, size: number): Promise<number> {
  const start = performance.now()
  await work(size)
  return performance.now() - start
}
