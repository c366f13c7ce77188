/** Numbers from 0 to 1, the same on every machine. */
export interface Random {
  next(): number
  /** From 0 to `below`, without it. */
  whole(below: number): number
  pick<T>(from: readonly T[]): T | undefined
}

export function createRandom(seed: number): Random {
  let state = (Math.imul(seed, 2654435761) + 1013904223) >>> 0
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const whole = (below: number) => Math.floor(next() * below)
  return { next, whole, pick: (from) => from[whole(from.length)] }
}

const FIRST = 20261122

/** One in `npm test`, as many as asked in `npm run faults`: CANTO_TEST_SEEDS, or the one to repeat in CANTO_TEST_SEED. */
export function listSeeds(): number[] {
  const { CANTO_TEST_SEED: one, CANTO_TEST_SEEDS: count } = process.env
  if (one !== undefined) return [Number(one)]
  return Array.from({ length: Number(count ?? 1) }, (_, i) => FIRST + i)
}
