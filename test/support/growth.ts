import assert from 'node:assert/strict'
import { cpuTimeOf } from './cpu-time.ts'

/** Milliseconds of CPU that may go to what does not grow. */
const NOISE_MS = 50
const MOST_RUNS = 5

/**
 * Asserts that the CPU time of some work on this thread grows in proportion to its size: with ten times the size it may take
 * less than 40 times as long, where something quadratic takes 100 times. The quickest of a few runs counts.
 */
export async function assertLinear(sizes: readonly [number, number], work: (size: number) => unknown): Promise<void> {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const isLinear = () => large < (4 * small * sizes[1]) / sizes[0] + NOISE_MS
  for (let run = 0; run === 0 || (run < MOST_RUNS && !isLinear()); run++) {
    small = Math.min(small, await cpuTimeOf(() => work(sizes[0])))
    large = Math.min(large, await cpuTimeOf(() => work(sizes[1])))
  }
  assert.ok(isLinear(), `${sizes[0]} took ${small.toFixed(1)} ms, ${sizes[1]} took ${large.toFixed(1)} ms`)
}
