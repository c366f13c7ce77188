import { sql } from 'kysely'
import type { ItemAddress, ItemId } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import type { EntryRow } from './entry.ts'

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
  { service, node, item }: ItemAddress,
): Promise<Announcement | undefined> {
  const row = await index
    .selectFrom('entry')
    .select(['item', 'more'])
    .where('rootService', '=', service)
    .where('rootNode', '=', node)
    .where('rootItem', '=', item)
    .where('nodeId', '=', nodeId)
    .where(sql<boolean>`more ->> 'kind' = 'announcement'`)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row && { item: row.item, version: kindOf(row).version ?? '' }
}

/** What a room was told of last, the newest first. */
export async function listAnnounced(index: IndexDb, nodeId: number, limit: number): Promise<ItemAddress[]> {
  const rows = await index
    .selectFrom('entry')
    .select(['rootService', 'rootNode', 'rootItem'])
    .where('nodeId', '=', nodeId)
    .where('rootItem', 'is not', null)
    .where(sql<boolean>`more ->> 'kind' = 'announcement'`)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ rootService, rootNode, rootItem }) => ({
    service: rootService as ItemAddress['service'],
    node: rootNode as string,
    item: rootItem as ItemId,
  }))
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
