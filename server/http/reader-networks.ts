import { networkOf } from '#server/people/throttle.ts'
import { isWithinLast } from '#shared/instants.ts'

/** From how many networks readers come, as far as it tells something about proxies. */
export interface ReaderNetworks {
  note(address: string): void
  /** Whether many requests came within the last hour or two, all from one network. */
  isOne(): boolean
}

const WINDOW_MS = 3_600_000
/** Fewer say nothing. */
const MANY = 200

interface Window {
  readonly since: number
  requests: number
  first: string
  isOne: boolean
}

export function createReaderNetworks(clock: () => Date): ReaderNetworks {
  const open = (first: string): Window => ({ since: clock().getTime(), requests: 0, first, isOne: true })
  let current: Window | undefined
  let last: Window | undefined
  return {
    note(address) {
      const network = networkOf(address)
      if (current === undefined || !isWithinLast(WINDOW_MS, current.since, clock())) {
        last = current
        current = open(network)
      }
      current.requests += 1
      current.isOne &&= network === current.first
    },
    isOne() {
      const told = current !== undefined && current.requests >= MANY ? current : last
      return told?.isOne === true && told.requests >= MANY && current?.isOne !== false
    },
  }
}
