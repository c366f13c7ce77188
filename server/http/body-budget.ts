import { AppError } from '#server/errors.ts'

/** How many bytes of bodies may be under way at once. */
export interface BodyShare {
  /** For one sender. */
  readonly each: number
  /** For all senders of this kind together. */
  readonly all: number
}

export interface BodyBudget {
  /** Counts `bytes` of `sender` until the returned function is called; unavailable where they do not fit. */
  take(sender: string, bytes: number): () => void
}

const RETRY_SECONDS = 10

export function createBodyBudget({ each, all }: BodyShare): BodyBudget {
  const held = new Map<string, number>()
  let total = 0
  return {
    take(sender, bytes) {
      const own = held.get(sender) ?? 0
      if (own + bytes > each || total + bytes > all) {
        const words = 'Too much is being sent to this site at once. Go back and try again in a moment.'
        throw new AppError('unavailable', words, { retryAfter: RETRY_SECONDS })
      }
      held.set(sender, own + bytes)
      total += bytes
      return () => {
        total -= bytes
        const left = (held.get(sender) ?? 0) - bytes
        if (left > 0) held.set(sender, left)
        else held.delete(sender)
      }
    },
  }
}
