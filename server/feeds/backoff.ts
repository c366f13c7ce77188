/** The longest wait in seconds, but for a server that does not answer. */
export const LONGEST_SECONDS = 300
const LONGEST_OF_LANE = 3_600
const FIRST_OF_LANE = 5

/** Seconds to wait after so many failures: doubling up to 5 minutes, never twice the same for two who failed together. */
export function backoff(failures: number, random: () => number = Math.random): number {
  return doubled(failures, { first: 1, longest: LONGEST_SECONDS, random })
}

/** The same for a server that does not answer: from 5 seconds up to an hour. */
export function longBackoff(failures: number, random: () => number = Math.random): number {
  return doubled(failures, { first: FIRST_OF_LANE, longest: LONGEST_OF_LANE, random })
}

function doubled(
  failures: number,
  { first, longest, random }: { first: number; longest: number; random: () => number },
): number {
  const most = Math.min(longest, first * 2 ** Math.min(failures - 1, 16))
  return most * (0.5 + random() / 2)
}
