import { AppError } from '#server/errors.ts'

/** How many bytes of bodies may be under way at once. */
export interface BodyShare {
  /** For one sender. */
  readonly each: number
  /** For all senders of this kind together. */
  readonly all: number
}

export interface SentBody {
  readonly sender: string
  readonly bytes: number
  /** Whether some of it has not been received yet. */
  isArriving(): boolean
  /** Ends the request, so that others have its room. */
  giveUp(): void
}

export interface BodyBudget {
  /**
   * Counts a body until the returned function is called. Where all is taken, the sender who has the most, and more than
   * this one would have, gives up what has been arriving for the longest. Throws `unavailable` where it does not fit.
   */
  take(body: SentBody): () => void
}

const RETRY_SECONDS = 10

export function createBodyBudget({ each, all }: BodyShare): BodyBudget {
  const held = new Set<SentBody>()
  let total = 0

  function sumBySender(bodies: Iterable<SentBody>): Map<string, number> {
    const sums = new Map<string, number>()
    for (const { sender, bytes } of bodies) sums.set(sender, (sums.get(sender) ?? 0) + bytes)
    return sums
  }

  function release(body: SentBody): void {
    if (held.delete(body)) total -= body.bytes
  }

  /** The oldest body still arriving of the sender who has the most, if that is more than `bytes`. */
  function findLargest(bytes: number): SentBody | undefined {
    const arriving = [...held].filter((body) => body.isArriving())
    const [largest] = [...sumBySender(arriving)].sort(([, a], [, b]) => b - a)
    if (largest === undefined || largest[1] <= bytes) return undefined
    return arriving.find(({ sender }) => sender === largest[0])
  }

  return {
    take(body) {
      const own = (sumBySender(held).get(body.sender) ?? 0) + body.bytes
      while (own <= each && total + body.bytes > all) {
        const largest = findLargest(own)
        if (largest === undefined) break
        release(largest)
        largest.giveUp()
      }
      if (own > each || total + body.bytes > all) {
        const words = 'Too much is being sent to this site at once. Go back and try again in a moment.'
        throw new AppError('unavailable', words, { retryAfter: RETRY_SECONDS })
      }
      held.add(body)
      total += body.bytes
      return () => release(body)
    },
  }
}
