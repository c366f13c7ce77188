/** What is counted from start to stop, by the names of OpenMetrics without `canto_` and `_total`. */
export type Counter =
  /** Items that came in. Labels: outcome, as `ingest` names them. */
  | 'ingest'
  /** Versions by somebody other than the first publisher: nobody sees them. */
  | 'overwrites'
  /** Events from where the site account has no subscription. */
  | 'strangers_events'
  /** Nodes compared with their service. Labels: how. */
  | 'nodes_read'
  /** Items and bytes that were asked for, not sent to us. */
  | 'items_read'
  | 'bytes_read'
  /** Readings that were cut by a bound. Labels: bound. */
  | 'bounds_hit'
  /** Rows of the outbox. Labels: kind, outcome. */
  | 'outbox'

/** Counts what happens, for `/metrics`. */
export interface Meters {
  count(counter: Counter, labels?: Readonly<Record<string, string>>, by?: number): void
}

/** Counts nothing. */
export const noMeters: Meters = { count: () => {} }
