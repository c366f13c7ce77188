import { type Insertable, type Selectable, sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import type { EntryTable, IndexSchema } from './index-schema.ts'
import { isOneOf } from './json-list.ts'

/** Rows that one statement lists. */
const LISTED_AT_ONCE = 2_000
const PAYLOADS = 100

export type EntryRow = Selectable<EntryTable>
export type NewEntry = Insertable<IndexSchema['entry']>

export async function findEntry(index: IndexDb, nodeId: number, item: ItemId): Promise<EntryRow | undefined> {
  const query = index.selectFrom('entry').selectAll().where('nodeId', '=', nodeId).where('item', '=', item)
  return query.executeTakeFirst()
}

/** Inserts the entry, or writes over the one whose `id` it has, with its tags. Only `ingest` may call it, in a transaction. */
export async function saveEntry(index: IndexDb, entry: NewEntry, tags: readonly string[]): Promise<number> {
  const id = entry.id === undefined ? await insertEntry(index, entry) : await replaceEntry(index, entry, entry.id)
  await saveTags(index, id, tags)
  return id
}

/** Writes the tags of an entry that is there, in place of those that it had. */
export async function saveTags(index: IndexDb, id: number, tags: readonly string[]): Promise<void> {
  await index.deleteFrom('tag').where('entryId', '=', id).execute()
  if (tags.length === 0) return
  const names = JSON.stringify([...new Set(tags.map(normalizeTag))])
  const rows = index
    .selectFrom([sql<{ value: string }>`json_each(${names})`.as('name'), 'entry'])
    .select(['name.value as tag', 'entry.id as entryId', 'entry.nodeId', 'entry.publishedAt', 'entry.item'])
    .select(sql<number>`entry.alternate IS NOT NULL`.as('isPublic'))
    .where('entry.id', '=', id)
  const columns = ['tag', 'entryId', 'nodeId', 'publishedAt', 'item', 'isPublic'] as const
  await index.insertInto('tag').columns(columns).expression(rows).execute()
}

async function insertEntry(index: IndexDb, entry: NewEntry): Promise<number> {
  return (await index.insertInto('entry').values(entry).returning('id').executeTakeFirstOrThrow()).id
}

async function replaceEntry(index: IndexDb, entry: NewEntry, id: number): Promise<number> {
  await index.updateTable('entry').set(entry).where('id', '=', id).execute()
  return id
}

/** The same entry as its service writes it. */
export async function savePayload(index: IndexDb, id: number, payload: string): Promise<void> {
  await index.updateTable('entry').set({ payload }).where('id', '=', id).execute()
}

/** How a tag is looked up, whatever its author's spelling. */
export function normalizeTag(tag: string): string {
  return tag.normalize('NFC').toLowerCase()
}

export async function countOverwrite(index: IndexDb, id: number): Promise<void> {
  await index
    .updateTable('entry')
    .set(({ eb }) => ({ overwrites: eb('overwrites', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

/** Some of the entries of a node. */
export async function listSomeEntries(index: IndexDb, nodeId: number, limit: number): Promise<SomeEntry[]> {
  const query = index.selectFrom('entry').select(['id', 'item', 'commentsService', 'commentsNode'])
  return query.where('nodeId', '=', nodeId).limit(limit).execute()
}

/** The oldest entries of a node. */
export async function listOldestEntries(index: IndexDb, nodeId: number, limit: number): Promise<SomeEntry[]> {
  const query = index.selectFrom('entry').select(['id', 'item', 'commentsService', 'commentsNode'])
  return query.where('nodeId', '=', nodeId).orderBy('publishedAt').orderBy('item').limit(limit).execute()
}

/** The oldest items of a node that came from accounts of no such domain. */
export async function listOldestOfOthers(
  index: IndexDb,
  nodeId: number,
  { domains, limit }: { readonly domains: readonly string[]; readonly limit: number },
): Promise<ItemId[]> {
  let query = index.selectFrom('entry').select('item').where('nodeId', '=', nodeId).where('publisher', 'is not', null)
  for (const domain of domains) {
    query = query.where(sql<string>`substr(publisher, instr(publisher, '@') + 1)`, '!=', domain)
  }
  const rows = await query.orderBy('publishedAt').orderBy('item').limit(limit).execute()
  return rows.map(({ item }) => item)
}

export type SomeEntry = Pick<EntryRow, 'id' | 'item' | 'commentsService' | 'commentsNode'>

/** Takes entries of a node out of the pages; with `at`, each is remembered as removed then. */
export async function dropEntries(
  index: IndexDb,
  { service, node }: NodeAddress,
  { entries, at }: { entries: readonly SomeEntry[]; at: Date | undefined },
): Promise<void> {
  if (entries.length === 0) return
  if (at !== undefined) {
    const removedAt = at.getTime()
    await index
      .insertInto('tombstone')
      .values(entries.map(({ item }) => ({ service, node, item, removedAt })))
      .onConflict((conflict) => conflict.columns(['service', 'node', 'item']).doUpdateSet({ removedAt }))
      .execute()
  }
  const ids = entries.map(({ id }) => id)
  await index.deleteFrom('entry').where(isOneOf('id', ids)).execute()
}

/** Milliseconds since the epoch. */
export interface DatedEntry {
  readonly item: ItemId
  readonly publishedAt: number
  readonly changedAt: number
}

/** The id and the dates of every entry of a node, to compare with what is still there. In slices. */
export async function listEntryDates(index: IndexDb, nodeId: number): Promise<DatedEntry[]> {
  const pause = createSlices()
  const found: DatedEntry[] = []
  for (let rows: typeof found | undefined; rows === undefined || rows.length === LISTED_AT_ONCE; ) {
    const query = index.selectFrom('entry').select(['item', 'publishedAt', 'changedAt']).where('nodeId', '=', nodeId)
    const after = query.where('item', '>', found.at(-1)?.item ?? ('' as ItemId))
    rows = await after.orderBy('item').limit(LISTED_AT_ONCE).execute()
    found.push(...rows)
    await pause()
  }
  return found
}

/** How many entries a node has here. */
export async function countEntries(index: IndexDb, nodeId: number): Promise<number> {
  const query = index.selectFrom('entry').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where('nodeId', '=', nodeId).executeTakeFirstOrThrow()).count
}

/** The addresses and payloads of all posts of a blog, newest first, in parts. */
export async function* listPayloads(
  index: IndexDb,
  { service, node }: NodeAddress,
): AsyncGenerator<{ item: ItemId; payload: string }[]> {
  const pause = createSlices()
  for (let last: { publishedAt: number; item: ItemId } | undefined; ; ) {
    const posts = index
      .selectFrom('entry')
      .select(['entry.item', 'entry.payload', 'entry.publishedAt'])
      .where('entry.nodeId', '=', ({ selectFrom }) =>
        selectFrom('node').select('node.id').where('node.service', '=', service).where('node.node', '=', node),
      )
    const older = last && sql<boolean>`(entry.published_at, entry.item) < (${last.publishedAt}, ${last.item})`
    const query = older === undefined ? posts : posts.where(older)
    const rows = await query
      .orderBy('entry.publishedAt', 'desc')
      .orderBy('entry.item', 'desc')
      .limit(PAYLOADS)
      .execute()
    if (rows.length === 0) return
    yield rows
    last = rows.at(-1)
    await pause()
  }
}
