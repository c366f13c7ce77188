import { setTimeout as sleep } from 'node:timers/promises'

export interface UntilOptions {
  /** Milliseconds. */
  readonly timeout?: number
  /** What is waited for, in words, for the failure. */
  readonly what?: string
}

const POLL_MS = 25

/** Waits until `check` returns something other than undefined, null or false, and returns it. A throw counts as not yet. */
export async function until<T>(check: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> {
  const deadline = Date.now() + (options.timeout ?? 30_000)
  for (;;) {
    let failure: unknown
    try {
      const value = await check()
      if (value !== undefined && value !== null && value !== false) return value
    } catch (error) {
      failure = error
    }
    if (Date.now() > deadline) {
      throw new Error(`Still waiting for ${options.what ?? check.toString()}`, { cause: failure })
    }
    await sleep(POLL_MS)
  }
}
