import type { Insertable, Selectable } from 'kysely'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import type { EntryTable, IndexSchema } from './index-schema.ts'

export type EntryRow = Selectable<EntryTable>
export type NewEntry = Insertable<IndexSchema['entry']>

export async function findEntry(index: IndexDb, nodeId: number, item: ItemId): Promise<EntryRow | undefined> {
  const query = index.selectFrom('entry').selectAll().where('nodeId', '=', nodeId).where('item', '=', item)
  return query.executeTakeFirst()
}

/** Inserts the entry, or writes over the one whose `id` it has, with its tags. Only `ingest` may call it, in a transaction. */
export async function saveEntry(index: IndexDb, entry: NewEntry, tags: readonly string[]): Promise<number> {
  if (entry.id !== undefined) await index.deleteFrom('tag').where('entryId', '=', entry.id).execute()
  const id = entry.id === undefined ? await insertEntry(index, entry) : await replaceEntry(index, entry, entry.id)
  const names = new Set(tags.map(normalizeTag))
  if (names.size > 0) {
    await index
      .insertInto('tag')
      .values([...names].map((tag) => ({ tag, entryId: id })))
      .execute()
  }
  return id
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

/** The posts of a node whose kind was learnt after them. */
export async function saveProfile(index: IndexDb, nodeId: number, profile: string): Promise<void> {
  const query = index.updateTable('entry').set({ profile }).where('nodeId', '=', nodeId)
  await query.where('profile', '!=', profile).execute()
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

/** Takes the entry out of the pages and remembers that it was there. */
export async function buryEntry(
  index: IndexDb,
  address: ItemAddress,
  { id, at }: { id: number; at: Date },
): Promise<void> {
  await index.deleteFrom('entry').where('id', '=', id).execute()
  const { service, node, item } = address
  await index
    .insertInto('tombstone')
    .values({ service, node, item, removedAt: at.getTime() })
    .onConflict((conflict) => conflict.columns(['service', 'node', 'item']).doUpdateSet({ removedAt: at.getTime() }))
    .execute()
}

/** Takes all entries of a node out of the pages; with `at`, each is remembered as removed then. */
export async function clearNode(
  index: IndexDb,
  address: NodeAddress,
  { nodeId, at }: { nodeId: number; at?: Date },
): Promise<number> {
  if (at !== undefined) {
    const { service, node } = address
    const removed = index
      .selectFrom('entry')
      .select(({ val, ref }) => [
        val(service).as('service'),
        val(node).as('node'),
        ref('item').as('item'),
        val(at.getTime()).as('removedAt'),
      ])
      .where('nodeId', '=', nodeId)
    await index
      .insertInto('tombstone')
      .columns(['service', 'node', 'item', 'removedAt'])
      .expression(removed)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  const result = await index.deleteFrom('entry').where('nodeId', '=', nodeId).executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** What is known of every entry of a node, to compare with what is still there. */
export async function listEntryDates(
  index: IndexDb,
  nodeId: number,
): Promise<{ item: ItemId; publishedAt: number; changedAt: number }[]> {
  return index.selectFrom('entry').select(['item', 'publishedAt', 'changedAt']).where('nodeId', '=', nodeId).execute()
}

/** How many entries a node has here. */
export async function countEntries(index: IndexDb, nodeId: number): Promise<number> {
  const query = index.selectFrom('entry').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where('nodeId', '=', nodeId).executeTakeFirstOrThrow()).count
}

/** The addresses and payloads of all posts of a blog. */
export async function listPayloads(index: IndexDb, address: NodeAddress): Promise<{ item: ItemId; payload: string }[]> {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['entry.item', 'entry.payload'])
    .where('node.service', '=', address.service)
    .where('node.node', '=', address.node)
    .orderBy('entry.publishedAt')
    .execute()
}
