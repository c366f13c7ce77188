import { AppError } from '#server/errors.ts'

/** The host and the network that a fetch asks. */
export interface Asked {
  readonly host: string
  /** The network of the address that the host resolves to: names cost nothing. */
  readonly network: string
}

/** Runs a fetch when there is a place for it; unavailable where too many wait. */
export type FetchPlaces = <T>(asked: Asked, fetch: () => Promise<T>) => Promise<T>

interface Claim extends Asked {
  readonly start: () => void
}

const MOST_AT_ONCE = 12
const MOST_OF_NETWORK = 6
const MOST_OF_HOST = 4
const MOST_WAITING = 400
const MOST_WAITING_OF_NETWORK = 150

/** A bounded number of fetches at once, and of those that wait; no host and no network gets all the places. */
export function createFetchPlaces(): FetchPlaces {
  const running = new Set<Claim>()
  const waiting = new Set<Claim>()

  function hasPlace({ host, network }: Claim): boolean {
    return (
      running.size < MOST_AT_ONCE &&
      count(running, (claim) => claim.network === network) < MOST_OF_NETWORK &&
      count(running, (claim) => claim.host === host) < MOST_OF_HOST
    )
  }

  function startNext(): void {
    for (const claim of waiting) {
      if (!hasPlace(claim)) continue
      waiting.delete(claim)
      running.add(claim)
      claim.start()
    }
  }

  return async (asked, fetch) => {
    const ofNetwork = count(waiting, ({ network }) => network === asked.network)
    if (waiting.size >= MOST_WAITING || ofNetwork >= MOST_WAITING_OF_NETWORK)
      throw new AppError('unavailable', 'Too much is being fetched at once. Try again in a moment.')
    const { promise, resolve } = Promise.withResolvers<void>()
    const claim = { ...asked, start: resolve }
    waiting.add(claim)
    startNext()
    await promise
    try {
      return await fetch()
    } finally {
      running.delete(claim)
      startNext()
    }
  }
}

function count(claims: ReadonlySet<Claim>, concerns: (claim: Claim) => boolean): number {
  return [...claims].filter(concerns).length
}
