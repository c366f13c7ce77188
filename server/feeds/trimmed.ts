import type { ItemId } from '#shared/address.ts'

// COMPAT(ejabberd, Prosody): what their nodes hold at most unless told otherwise, where "max" says no number.
const USUAL_MAXIMUMS: ReadonlySet<number> = new Set([1, 10, 20, 256, 1000, 10_000, 20_000])

export interface Fullness {
  /** How many items the node has now. */
  readonly count: number
  /** Its `max_items`, where that is known as a number. */
  readonly maxItems: number | undefined
  /** The most items that were ever seen on it. */
  readonly mostItems: number
}

/** Whether a node is at its `max_items`, so that its server trims the oldest item for each new one. */
export function isFull({ count, maxItems, mostItems }: Fullness): boolean {
  if (maxItems !== undefined) return count >= maxItems
  return count >= mostItems && USUAL_MAXIMUMS.has(count)
}

/** The missing items that are older than all that remain: in a full node those were trimmed, not retracted. */
export function listTrimmed(
  known: readonly { readonly item: ItemId; readonly publishedAt: number }[],
  remaining: ReadonlySet<ItemId>,
): Set<ItemId> {
  let oldest = Number.POSITIVE_INFINITY
  for (const { item, publishedAt } of known) if (remaining.has(item)) oldest = Math.min(oldest, publishedAt)
  const older = known.filter(({ item, publishedAt }) => !remaining.has(item) && publishedAt < oldest)
  return new Set(older.map(({ item }) => item))
}
