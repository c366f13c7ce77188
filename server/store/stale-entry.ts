import type { IndexDb } from './database.ts'
import { type EntryRow, saveTags } from './entry.ts'
import { type NodeRow, readNode } from './node.ts'

/** An entry that an older reader made. */
export interface StaleEntry {
  readonly entry: EntryRow
  readonly node: NodeRow
}

/** The newest of those that were made by the newest reader before this one; nothing once all are of this one. */
export async function listStale(
  index: IndexDb,
  { reader, limit }: { readonly reader: number; readonly limit: number },
): Promise<number[]> {
  const former = await index
    .selectFrom('entry')
    .select('reader')
    .where('reader', '<', reader)
    .orderBy('reader', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (former === undefined) return []
  const rows = await index
    .selectFrom('entry')
    .select('id')
    .where('reader', '=', former.reader)
    .orderBy('publishedAt', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

export async function findStale(index: IndexDb, id: number, reader: number): Promise<StaleEntry | undefined> {
  const entry = await index
    .selectFrom('entry')
    .selectAll()
    .where('id', '=', id)
    .where('reader', '<', reader)
    .executeTakeFirst()
  const node = entry && (await index.selectFrom('node').selectAll().where('id', '=', entry.nodeId).executeTakeFirst())
  return entry && node && { entry, node: readNode(node) }
}

/** Saves an entry made anew in place of what an older reader made of it, only where the payload is still the same. */
export async function saveRemade(
  index: IndexDb,
  { id, payload }: Pick<EntryRow, 'id' | 'payload'>,
  { row, tags }: { readonly row: Partial<EntryRow>; readonly tags: readonly string[] },
): Promise<boolean> {
  const result = await index
    .updateTable('entry')
    .set(row)
    .where('id', '=', id)
    .where('payload', '=', payload)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) return false
  await saveTags(index, id, tags)
  return true
}

/** Drops an entry that this reader takes for nothing, as it would not enter the index today. */
export async function dropUnreadable(index: IndexDb, id: number): Promise<void> {
  await index.deleteFrom('entry').where('id', '=', id).execute()
}

/** An entry that could not be made anew is not tried again. */
export async function markRead(index: IndexDb, id: number, reader: number): Promise<void> {
  await index.updateTable('entry').set({ reader }).where('id', '=', id).execute()
}
