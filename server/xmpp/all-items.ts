import { AppError, isAppError } from '#server/errors.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import type { Item, ItemLimits, ItemPage, ItemQuery } from './ports.ts'

export interface AllItemsDeps {
  readonly listItems: (address: NodeAddress, query: ItemQuery) => Promise<ItemPage>
  readonly listItemIds: (address: NodeAddress) => Promise<readonly ItemId[] | undefined>
  readonly findItems: (address: NodeAddress, ids: readonly ItemId[]) => Promise<Item[]>
  /** Bytes that one answer should have where the service pages. */
  readonly pageBytes: number
  /** Bytes that one answer may have where it does not. */
  readonly mostBytes: number
}

const FIRST_SIZE = 20
const LARGEST_SIZE = 2000

/**
 * The whole node, newest first where its service pages. Every page costs some services (ejabberd on Mnesia) the whole
 * node, and an answer over the limit ends a federated stream: so pages are as large as the budget of bytes allows,
 * learned from those before, and smaller after a failure. Throws `too-large` at the end where the service does not page
 * and there was more than one answer may hold.
 */
export async function* allItems(
  deps: AllItemsDeps,
  address: NodeAddress,
  limits: ItemLimits = {},
): AsyncGenerator<readonly Item[]> {
  const most = limits.max ?? Number.POSITIVE_INFINITY
  const seen = new Set<ItemId>()
  let size = Math.min(FIRST_SIZE, most)
  let cursor: string | undefined
  while (seen.size < most) {
    limits.signal?.throwIfAborted()
    const page = await readAdapted(deps, address, size, { ...limits, before: cursor })
    size = page.size
    const fresh = page.items.filter((item) => !seen.has(item.id)).slice(0, most - seen.size)
    for (const item of fresh) seen.add(item.id)
    if (fresh.length > 0) yield fresh
    if (page.isComplete || fresh.length === 0 || (cursor !== undefined && page.cursor === undefined)) return
    const next = Math.min(LARGEST_SIZE, fitting(page.items, deps.pageBytes, size))
    if (page.cursor === undefined) {
      // Only `max_items` is heeded here: the newest n and no way past them but a larger n, or the ids.
      const wanted = Math.min(most, size * 4)
      if (averageBytes(page.items) * wanted <= deps.mostBytes) size = wanted
      else return yield* readById(deps, address, { seen, most, size: next, signal: limits.signal })
    } else {
      cursor = page.cursor
      size = Math.min(next, most - seen.size)
    }
  }
}

async function readAdapted(deps: AllItemsDeps, address: NodeAddress, first: number, query: ItemQuery) {
  for (let size = first; ; size = Math.max(1, Math.floor(size / 4))) {
    try {
      const page = await deps.listItems(address, { ...query, max: size })
      return { ...page, size }
    } catch (error) {
      const mayBeTooLarge = isAppError(error, 'timeout', 'unavailable', 'stanza-too-big', 'too-large')
      if (!mayBeTooLarge || size === 1 || query.signal?.aborted) throw error
    }
  }
}

interface ReadById {
  readonly seen: Set<ItemId>
  readonly most: number
  readonly size: number
  readonly signal: AbortSignal | undefined
}

async function* readById(deps: AllItemsDeps, address: NodeAddress, { seen, most, size, signal }: ReadById) {
  const ids = await deps.listItemIds(address)
  if (ids === undefined) {
    throw new AppError('too-large', `${address.service} has more items than it shows: only the newest could be read`)
  }
  const missing = ids.filter((id) => !seen.has(id)).slice(0, most - seen.size)
  for (let at = 0; at < missing.length; at += size) {
    signal?.throwIfAborted()
    const found = await deps.findItems(address, missing.slice(at, at + size))
    if (found.length > 0) yield found
  }
}

function fitting(items: readonly Item[], bytes: number, fallback: number): number {
  const average = averageBytes(items)
  return average === 0 ? fallback : Math.max(1, Math.floor(bytes / average))
}

function averageBytes(items: readonly Item[]): number {
  const bytes = items.reduce((sum, { payload }) => sum + 200 + (payload ? measure(payload) : 0), 0)
  return items.length === 0 ? 0 : bytes / items.length
}

// Twice the characters are about the bytes on the wire: markup and other scripts weigh more than they count.
function measure(payload: { toString(): string }): number {
  return payload.toString().length * 1.5
}
