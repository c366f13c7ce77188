import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { asItemId, type ItemAddress, type ItemId } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import type { EntryRow } from './entry.ts'
import { listAnnouncements } from './room-line.ts'

/** Messages that one statement reads. */
const SLICE = 1_000

/** What a room was told of a post last. */
export interface Announcement {
  /** The channel's id of the message. */
  readonly item: ItemId
  /** When the post that it tells of was changed last, RFC 3339. */
  readonly version: string
}

/** The message by which a room was told of a post. */
export async function findAnnouncement(
  index: IndexDb,
  nodeId: number,
  post: ItemAddress,
): Promise<Announcement | undefined> {
  const [id] = await listAnnouncements(index, nodeId, post)
  if (id === undefined) return undefined
  const row = await index.selectFrom('entry').select(['item', 'more']).where('id', '=', id).executeTakeFirst()
  return row && { item: row.item, version: kindOf(row).version ?? '' }
}

/** What a room was told of last, the newest first. In slices. */
export async function listAnnounced(index: IndexDb, nodeId: number, limit: number): Promise<ItemAddress[]> {
  const pause = createSlices()
  const posts: ItemAddress[] = []
  for (let last: Message | undefined = LAST; last !== undefined && posts.length < limit; await pause()) {
    const messages = await listBefore(index, nodeId, last)
    for (const { kind, rootService, rootNode, rootItem } of messages) {
      if (kind !== 'announcement' || rootService === null || rootNode === null || rootItem === null) continue
      posts.push({ service: rootService, node: rootNode, item: rootItem })
    }
    last = messages.at(-1)
  }
  return posts.slice(0, limit)
}

interface Message {
  readonly publishedAt: number
  readonly item: ItemId
}

const LAST: Message = { publishedAt: Number.MAX_SAFE_INTEGER, item: asItemId('') }

function listBefore(index: IndexDb, nodeId: number, last: Message) {
  return index
    .selectFrom('entry')
    .select(['publishedAt', 'item', 'rootService', 'rootNode', 'rootItem'])
    .select(sql<string | null>`more ->> 'kind'`.as('kind'))
    .where('nodeId', '=', nodeId)
    .where(sql<boolean>`(published_at, item) < (${last.publishedAt}, ${last.item})`)
    .orderBy('publishedAt', 'desc')
    .orderBy('item', 'desc')
    .limit(SLICE)
    .execute()
}

/** Posts of a blog that were news since an instant, the newest first. */
export async function listPostsSince(
  index: IndexDb,
  nodeId: number,
  { since, limit }: { since: Date; limit: number },
): Promise<ItemId[]> {
  const rows = await index
    .selectFrom('entry')
    .select('item')
    .where('nodeId', '=', nodeId)
    .where('isPost', '=', 1)
    .where('arrivedAt', '>=', since.getTime())
    .orderBy('arrivedAt', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ item }) => item)
}

/** How much was said in a room within a time. */
export async function countMessages(index: IndexDb, nodeId: number, from: Date, to: Date): Promise<number> {
  const query = index.selectFrom('entry').select(({ fn }) => fn.countAll<number>().as('count'))
  const row = await query
    .where('nodeId', '=', nodeId)
    .where('publishedAt', '>=', from.getTime())
    .where('publishedAt', '<', to.getTime())
    .executeTakeFirstOrThrow()
  return row.count
}

/** What the index keeps of a message in a room, beside what it says. */
export function kindOf({ more }: Pick<EntryRow, 'more'>): { readonly kind?: string; readonly version?: string } {
  return JSON.parse(more) as { kind?: string; version?: string }
}
