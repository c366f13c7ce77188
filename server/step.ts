import type { Logger } from './log.ts'

const WORTH_SAYING_MS = 1000

/** Waits for one step of the start, and says what it is once it has taken a second. */
export async function step<T>(log: Logger, words: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => log.info(`${words} …`), WORTH_SAYING_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
