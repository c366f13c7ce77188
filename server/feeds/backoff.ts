const LONGEST_SECONDS = 300

/** Seconds to wait after so many failures: doubling up to 5 minutes, never twice the same for two who failed together. */
export function backoff(failures: number, random: () => number = Math.random): number {
  const most = Math.min(LONGEST_SECONDS, 2 ** Math.min(failures - 1, 16))
  return most * (0.5 + random() / 2)
}
