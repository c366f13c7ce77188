import { AppError } from '#server/errors.ts'
import { createSlices } from '#server/slices.ts'
import { countEntries, listEntryDates } from '#server/store/entry.ts'
import { type NodeRow, updateNode } from '#server/store/node.ts'
import type { NodePage, Pubsub, SessionStatus } from '#server/xmpp/ports.ts'
import { addressKey, type ItemId } from '#shared/address.ts'
import { type AccessDeps, readAccess } from './access.ts'
import { mayListIds } from './compare-ids.ts'
import type { Inbox } from './inbox.ts'
import { type IngestDeps, ingest } from './ingest.ts'
import { keepBounds } from './keep-bounds.ts'
import { findNodeAgain } from './lose-node.ts'
import { createJoining } from './mark.ts'
import { hasNoEntries } from './missing.ts'
import type { ReadingBounds } from './reading-bounds.ts'

export interface ReadingDeps extends IngestDeps {
  readonly site: AccessDeps['site'] & { readonly status: SessionStatus; readonly pubsub: Pick<Pubsub, 'pages'> }
  readonly inbox: Pick<Inbox, 'run' | 'onEvent'>
}

/** A page that is in the index now. */
export interface ReadPage extends Pick<NodePage, 'isLast' | 'cursor' | 'count' | 'ids'> {
  /** How many of its items the index did not have so. */
  readonly fresh: number
  /** When it was asked for: what changed here since then is newer. */
  readonly readAt: Date
}

export interface Reading {
  /** Asks for the next page and ingests it; undefined after the last. Rejects with `too-large` over a bound. */
  next(): Promise<ReadPage | undefined>
  /** How many items the index did not have so that are newer than what earlier readings had read. */
  readonly newer: number
  /** Every id that its pages had. */
  readonly seen: ReadonlySet<ItemId>
  /** When its first page was asked for. */
  readonly begunAt: Date
  /** Whether it was ended by a bound of ours. */
  readonly isCut: boolean
  /** Whether it reached items that earlier readings had read. */
  readonly isJoined: boolean
  /** The mark of the node once nothing is missing as far down as this got; undefined where it did not begin at the top. */
  readonly mark: string | undefined
}

export interface ReadingOptions {
  readonly size?: number
  readonly before?: string
  readonly isHistory: boolean
  readonly signal: AbortSignal
  readonly bounds: ReadingBounds
  /** Whether items of which the index has some version need not be sent again, where they are asked for by id. */
  readonly isOnlyNew?: boolean
}

/**
 * Reads a node page by page. It is asked outside the inbox and ingested within: what happens while an answer is on its
 * way need not wait for it, and is newer than it (`readAt`).
 */
export function createReading(deps: ReadingDeps, node: NodeRow, options: ReadingOptions): Reading {
  const { bounds, signal, size, before } = options
  const seen = new Set<ItemId>()
  const spent = { pages: 0, bytes: 0, time: 0 }
  const begunAt = deps.clock()
  const joining = createJoining(node.mark)
  let isCut = false
  let countNewer = 0
  const pages = deps.site.pubsub.pages(node.address, {
    ...{
      size,
      before,
      signal,
      max: bounds.items + 1,
      mayListIds: async () => node.backfill !== 'partial' && mayListIds(deps, node),
    },
    ...(options.isOnlyNew && {
      listKnown: async () => new Set((await listEntryDates(deps.index, node.id)).map(({ item }) => item)),
    }),
  })

  function check(): void {
    const over = (['pages', 'bytes', 'time'] as const).find((bound) => spent[bound] > bounds[bound])
    const bound = over ?? (seen.size > bounds.items ? 'items' : undefined)
    if (bound === undefined) return
    isCut = true
    deps.meters.count('bounds_hit', { bound })
    const words = `${addressKey(node.address)} has more than is read here: only the newest are shown`
    deps.log.warn(words)
    throw new AppError('too-large', words)
  }

  return {
    seen,
    begunAt,
    get isCut() {
      return isCut
    },
    get newer() {
      return countNewer
    },
    get isJoined() {
      return joining.isJoined
    },
    get mark() {
      return before === undefined ? joining.next : undefined
    },
    async next() {
      const readAt = deps.clock()
      const begun = performance.now()
      const removed = listenForRemovals(deps, node)
      const { value: page, done } = await pages.next().finally(removed.stop)
      if (done) return undefined
      const fresh = await deps.inbox.run(node.address, () =>
        ingestPage(deps, node, { page, readAt, removed, isHistory: options.isHistory, signal }),
      )
      const newer = joining.take(page.items)
      countNewer += fresh.filter((id) => newer.has(id)).length
      for (const { id } of page.items) seen.add(id)
      // Some of those that are listed may be too large to be sent, or were asked for in vain.
      if (page.isLast) for (const id of page.ids ?? []) seen.add(id)
      spent.pages++
      spent.bytes += page.bytes
      spent.time += performance.now() - begun
      await learnSize(deps, node, page)
      deps.meters.count('items_read', {}, page.items.length)
      deps.meters.count('bytes_read', {}, page.bytes)
      check()
      const { isLast, cursor, count, ids } = page
      return { isLast, cursor, count, ids, fresh: fresh.length, readAt }
    },
  }
}

interface Removals {
  /** Whether an item was retracted, or all of them. */
  has(id: ItemId): boolean
  readonly stop: () => void
}

/** What leaves the node while an answer is on its way, that may still have it: the index may not know it yet. */
function listenForRemovals({ inbox }: ReadingDeps, { address }: NodeRow): Removals {
  const ids = new Set<ItemId>()
  let isEmptied = false
  const stop = inbox.onEvent(address, (event) => {
    if (event.kind === 'retracted') ids.add(event.address.item)
    else if (event.kind === 'purged' || event.kind === 'deleted') isEmptied = true
  })
  return { has: (id) => isEmptied || ids.has(id), stop }
}

interface Arrived {
  readonly page: NodePage
  readonly removed: Removals
  readonly readAt: Date
  readonly isHistory: boolean
  readonly signal: AbortSignal
}

/** Oldest first, as they were published. Returns what the index did not have so. */
async function ingestPage(deps: ReadingDeps, node: NodeRow, arrived: Arrived): Promise<ItemId[]> {
  const { page, removed, readAt, isHistory, signal } = arrived
  // One that was closed or deleted is there again; one that is empty may be so for the same reason as it was lost.
  if (node.status !== 'hidden' || (await hasContentAgain(deps, node, page))) {
    await findNodeAgain(deps, node.address, await readAccess(deps, node, { isRead: true }))
  }
  const fresh: ItemId[] = []
  const pause = createSlices()
  for (const item of page.items.toReversed()) {
    if (removed.has(item.id)) continue
    const event = { kind: 'published', address: { ...node.address, item: item.id }, item } as const
    if ((await ingest(deps, event, { readAt, isHistory })) === 'stored') fresh.push(item.id)
    await pause()
    signal.throwIfAborted()
  }
  if (fresh.length > 0) await keepBounds(deps, node)
  return fresh
}

/** A description without posts is content only where that is all there ever was. */
async function hasContentAgain({ index }: IngestDeps, { id }: NodeRow, { items, isLast }: NodePage): Promise<boolean> {
  if (!isLast) return items.length > 0
  if (!hasNoEntries(new Set(items.map((item) => item.id)))) return true
  return items.length > 0 && (await countEntries(index, id)) === 0
}

/** The newest items tell best how large the next will be. */
async function learnSize({ index }: IngestDeps, { address }: NodeRow, { items, bytes }: NodePage): Promise<void> {
  if (items.length === 0) return
  await updateNode(index, address, { averageBytes: Math.ceil(bytes / items.length) })
}
