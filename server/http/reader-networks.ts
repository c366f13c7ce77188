import ipaddr from 'ipaddr.js'
import { networkOf } from '#server/people/throttle.ts'
import { isWithinLast } from '#shared/instants.ts'

/** From how many networks readers come, as far as it tells something about proxies. */
export interface ReaderNetworks {
  /** `isForwarded`: it says that it comes by way of a proxy, and no proxy is configured. */
  note(address: string, isForwarded: boolean): void
  /** Whether many requests came within the last hour or two, all from one network, or one from a proxy nearby. */
  isOne(): boolean
}

const WINDOW_MS = 3_600_000
/** Fewer say nothing. */
const MANY = 200
const NEARBY = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal'])

interface Window {
  readonly since: number
  requests: number
  first: string
  isOne: boolean
  isProxied: boolean
}

export function createReaderNetworks(clock: () => Date): ReaderNetworks {
  const open = (first: string): Window => ({
    since: clock().getTime(),
    requests: 0,
    first,
    isOne: true,
    isProxied: false,
  })
  let current: Window | undefined
  let last: Window | undefined
  return {
    note(address, isForwarded) {
      const network = networkOf(address)
      if (current === undefined || !isWithinLast(WINDOW_MS, current.since, clock())) {
        last = current
        current = open(network)
      }
      current.requests += 1
      current.isOne &&= network === current.first
      // Readers can write such a header themselves; from this machine or its own network it is a proxy's.
      current.isProxied ||= isForwarded && isNearby(address)
    },
    isOne() {
      if (current?.isProxied) return true
      const told = current !== undefined && current.requests >= MANY ? current : last
      return told?.isOne === true && told.requests >= MANY && current?.isOne !== false
    },
  }
}

function isNearby(address: string): boolean {
  return ipaddr.isValid(address) && NEARBY.has(ipaddr.process(address).range())
}
