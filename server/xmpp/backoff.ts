const FIRST_DELAY = 1000
const LONGEST_DELAY = 60_000

/**
 * Milliseconds before attempt number `attempt` + 1: twice as long each time, half of it chance, so that a server that
 * comes back is not met by everybody at once.
 */
export function backoff(attempt: number, random = Math.random): number {
  const whole = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(attempt, 16))
  return whole / 2 + (random() * whole) / 2
}

/** Milliseconds before the next attempt to connect: almost none before the first, for most lines are there again at once. */
export function reconnectDelay(attempt: number, random = Math.random): number {
  return attempt === 0 ? 50 + random() * 200 : backoff(attempt - 1, random)
}

/** Waits, but not beyond the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
