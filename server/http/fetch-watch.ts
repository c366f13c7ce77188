/** How fast a stranger's server has to be. */
export interface Pace {
  /** Until the first byte of the body. */
  readonly firstByteMs: number
  /** From then on, in each second or so. */
  readonly bytesPerSecond: number
}

export interface FetchWatch {
  /** Aborts when the fetch is too slow, or takes longer than it may in all. */
  readonly signal: AbortSignal
  saw(bytes: number): void
  stop(): void
}

/** A link that falls silent for a moment is not slow yet. */
const WINDOW_MS = 2_000

export function watchFetch({ firstByteMs, bytesPerSecond }: Pace, leftMs: number): FetchWatch {
  const controller = new AbortController()
  const abort = () => controller.abort(new Error('It is too slow'))
  const first = setTimeout(abort, firstByteMs)
  const whole = setTimeout(abort, Math.max(0, leftMs))
  let window: NodeJS.Timeout | undefined
  let inWindow = 0
  const look = () => {
    if (inWindow < (bytesPerSecond * WINDOW_MS) / 1_000) abort()
    inWindow = 0
  }
  return {
    signal: controller.signal,
    saw(bytes) {
      clearTimeout(first)
      window ??= setInterval(look, WINDOW_MS)
      inWindow += bytes
    },
    stop() {
      clearTimeout(first)
      clearTimeout(whole)
      clearInterval(window)
    },
  }
}
