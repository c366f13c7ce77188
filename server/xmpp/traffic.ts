import type { Traffic } from './ports.ts'

/** Traffic that still grows. */
export type Counters = { -readonly [Name in keyof Traffic]: number }

export function createTraffic(): Counters {
  return { bytesIn: 0, bytesOut: 0, stanzasIn: 0, stanzasOut: 0, roundTrips: 0 }
}
