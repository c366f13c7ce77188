import { AppError, isAppError } from '#server/errors.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import type { Item, ItemLimits, ItemPage, ItemQuery, NodePage, PageLimits } from './ports.ts'

export interface AllItemsDeps {
  readonly listItems: (address: NodeAddress, query: ItemQuery) => Promise<ItemPage>
  readonly listItemIds: (address: NodeAddress) => Promise<readonly ItemId[] | undefined>
  readonly findItems: (address: NodeAddress, ids: readonly ItemId[]) => Promise<readonly Item[]>
  /** Bytes that one answer should have where the service pages. */
  readonly pageBytes: number
  /** Bytes that one answer may have where it does not. */
  readonly mostBytes: number
}

const FIRST_SIZE = 20
const LARGEST_SIZE = 2000
/** Nothing is known of what comes next: its items may be that much larger than those before. */
const GROWTH = 8
/** A larger answer has all of the smaller one again: it must be worth that. */
const WORTHWHILE = 1.25
/** Bytes by which an entity is longer than its quote. */
const ENTITY = 5
/** One that was not answered although it asked for so few was not too large. */
const SMALL = 3

/** The items of `pages`, for those who want all of them at once. */
export async function* allItems(
  deps: AllItemsDeps,
  address: NodeAddress,
  limits: ItemLimits = {},
): AsyncGenerator<readonly Item[]> {
  for await (const { items } of allPages(deps, address, limits)) if (items.length > 0) yield items
}

/**
 * The whole node, newest first where its service pages. Every page costs some services (ejabberd on Mnesia) the whole
 * node, and an answer over the limit ends a federated stream: so pages are as large as the budget of bytes allows,
 * learned from those before, and smaller after a failure. Items that are too large even alone are left out where the
 * service lists their ids. Throws `too-large` at the end where it does not, or where it does not page and there was more
 * than one answer may hold.
 */
export async function* allPages(
  deps: AllItemsDeps,
  address: NodeAddress,
  limits: PageLimits = {},
): AsyncGenerator<NodePage> {
  const most = limits.max ?? Number.POSITIVE_INFINITY
  const seen = new Set<ItemId>()
  let largest = 0
  let ceiling = Number.POSITIVE_INFINITY
  let size = Math.min(limits.size ?? FIRST_SIZE, most)
  let cursor = limits.before
  for (;;) {
    limits.signal?.throwIfAborted()
    const page = await readAdapted(deps, address, size, { signal: limits.signal, before: cursor })
    // Not even one item alone is read: the others may be by their ids.
    if (page === 'too-large') return yield* readById(deps, address, { seen, most, size: FIRST_SIZE, limits })
    if (page.isAdapted) ceiling = page.size
    size = page.size
    const fresh = page.items.filter((item) => !seen.has(item.id)).slice(0, most - seen.size)
    for (const item of fresh) seen.add(item.id)
    const isPaged = cursor !== undefined || page.cursor !== undefined
    const isEnd = isPaged ? fresh.length === 0 || page.cursor === undefined : page.items.length === 0
    const isLast = page.isComplete || isEnd || seen.size >= most
    const { count } = page
    yield { items: fresh, bytes: bytesOf(fresh), isLast, cursor: isLast ? undefined : page.cursor, count }
    if (isLast) return
    largest = Math.max(largest, ...page.items.map((item) => bytesOf([item])))
    const fitting = page.items.length === 0 ? size : Math.floor(deps.pageBytes / expectedBytes(page.items, largest))
    const next = Math.min(LARGEST_SIZE, ceiling, size * GROWTH, Math.max(1, fitting))
    if (page.cursor === undefined) {
      // Only `max_items` is heeded here: the newest n and no way past them but a larger n, or the ids.
      const more = Math.floor((deps.mostBytes - bytesOf(page.items)) / expectedBytes(page.items, largest))
      const wanted = Math.min(most, ceiling, size * GROWTH, size + more)
      if (fresh.length > 0 && wanted >= size * WORTHWHILE) size = wanted
      else return yield* readById(deps, address, { seen, most, size: next, limits })
    } else {
      cursor = page.cursor
      size = Math.min(next, most - seen.size)
    }
  }
}

async function readAdapted(deps: AllItemsDeps, address: NodeAddress, first: number, query: ItemQuery) {
  let isAdapted = false
  for (let size = first; ; size = Math.max(1, Math.floor(size / 4))) {
    try {
      const page = await deps.listItems(address, { ...query, max: size })
      return { ...page, size, isAdapted }
    } catch (error) {
      const isTooLarge = isAppError(error, 'stanza-too-big', 'too-large')
      isAdapted ||= isTooLarge
      if (size === 1 && isAppError(error, 'too-large')) return 'too-large'
      const mayBeTooLarge = isTooLarge || (size > SMALL && isAppError(error, 'timeout', 'unavailable'))
      if (!mayBeTooLarge || size === 1 || query.signal?.aborted) throw error
    }
  }
}

interface ReadById {
  readonly seen: Set<ItemId>
  readonly most: number
  readonly size: number
  readonly limits: PageLimits
}

async function* readById(
  deps: AllItemsDeps,
  address: NodeAddress,
  { seen, most, size, limits }: ReadById,
): AsyncGenerator<NodePage> {
  const mayList = (await limits.mayListIds?.()) ?? true
  const ids = mayList ? await listQuietly(deps, address) : undefined
  if (ids === undefined) {
    throw new AppError('too-large', `${address.service} has more items than it shows: only the newest could be read`)
  }
  const known = (await limits.listKnown?.()) ?? new Set<ItemId>()
  const unseen = ids.filter((id) => !seen.has(id) && !known.has(id)).slice(0, most - seen.size)
  for (let at = 0; at < unseen.length; at += size) {
    limits.signal?.throwIfAborted()
    const items = await findReadable(deps, address, unseen.slice(at, at + size))
    yield { items, bytes: bytesOf(items), isLast: false, ids }
  }
  yield { items: [], bytes: 0, isLast: true, ids }
}

/** The named items that exist, without those that are too large even alone. */
async function findReadable(deps: AllItemsDeps, address: NodeAddress, ids: readonly ItemId[]): Promise<Item[]> {
  try {
    return [...(await deps.findItems(address, ids))]
  } catch (error) {
    if (!isAppError(error, 'too-large')) throw error
    if (ids.length === 1) return []
    const half = Math.ceil(ids.length / 2)
    const first = await findReadable(deps, address, ids.slice(0, half))
    return [...first, ...(await findReadable(deps, address, ids.slice(half)))]
  }
}

/**
 * How many there are nobody tells where a service does not count: some 8,000 fit into what ends a stream between
 * servers, and then no answer comes.
 */
async function listQuietly(deps: AllItemsDeps, address: NodeAddress): Promise<readonly ItemId[] | undefined> {
  try {
    return await deps.listItemIds(address)
  } catch (error) {
    if (isAppError(error, 'timeout')) return undefined
    throw error
  }
}

/** Bytes that one of the next items may have: some of them may be as large as the largest before. */
function expectedBytes(items: readonly Item[], largest: number): number {
  return (bytesOf(items) / items.length + largest) / 2
}

/** About what they were on the wire. COMPAT(Prosody 13): it writes every quote, in text too, as an entity. */
function bytesOf(items: readonly Item[]): number {
  return items.reduce((sum, { id, payload }) => {
    const text = payload === undefined ? '' : payload.toString()
    const quotes = text.match(/["']/g)?.length ?? 0
    return sum + 200 + Buffer.byteLength(id) + Buffer.byteLength(text) + quotes * ENTITY
  }, 0)
}
