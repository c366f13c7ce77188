/** What is counted from start to stop, by the names of OpenMetrics without `canto_` and `_total`. */
export const COUNTERS = {
  ingest: 'Items that came in, by what became of them',
  overwrites: 'Versions by somebody other than the first publisher: nobody sees them',
  strangers_events: 'Events from where the site account has no subscription',
  nodes_read: 'Nodes compared with their service, by how',
  items_read: 'Items that were asked for, not sent to us by themselves',
  bytes_read: 'Bytes of the payloads of these items',
  bounds_hit: 'Readings that were cut, by the bound',
  outbox: 'Attempts to do what people asked for, by kind and outcome',
} as const

export type Counter = keyof typeof COUNTERS
export type Labels = Readonly<Record<string, string>>

/** Counts what happens, for `/metrics`. A counter has always the same names of labels. */
export interface Meters {
  count(counter: Counter, labels?: Labels, by?: number): void
  /** Seconds that the answer to a web request took; `route` as it was declared, so that there are few of them. */
  timeRequest(
    labels: { readonly route: string; readonly method: string; readonly status: string },
    seconds: number,
  ): void
}

/** Counts nothing. */
export const noMeters: Meters = { count: () => {}, timeRequest: () => {} }
