import { sql } from 'kysely'
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
): Promise<StaleEntry[]> {
  const former = await index
    .selectFrom('entry')
    .select('reader')
    .where('reader', '<', reader)
    .orderBy('reader', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (former === undefined) return []
  const entries = await index
    .selectFrom('entry')
    .selectAll()
    .where('reader', '=', former.reader)
    .orderBy('publishedAt', 'desc')
    .limit(limit)
    .execute()
  const ids = JSON.stringify(entries.map(({ nodeId }) => nodeId))
  const nodes = await index
    .selectFrom('node')
    .selectAll()
    .where('id', 'in', sql<number>`(SELECT value FROM json_each(${ids}))`)
    .execute()
  const byId = new Map(nodes.map((node) => [node.id, readNode(node)]))
  return entries.flatMap((entry) => {
    const node = byId.get(entry.nodeId)
    return node === undefined ? [] : [{ entry, node }]
  })
}

/** Saves what differs of an entry made anew: a column that is not named costs its indexes nothing. */
export async function saveRemade(
  index: IndexDb,
  existing: EntryRow,
  { row, tags }: { readonly row: Partial<EntryRow>; readonly tags: readonly string[] },
): Promise<void> {
  const changed = Object.entries(row).filter(([column, value]) => existing[column as keyof EntryRow] !== value)
  await index.updateTable('entry').set(Object.fromEntries(changed)).where('id', '=', existing.id).execute()
  // A tag's row says besides itself whether its entry is on the web.
  if (changed.some(([column]) => column === 'tags' || column === 'alternate')) {
    await saveTags(index, existing.id, tags)
  }
}

/** Drops an entry that this reader takes for nothing, as it would not enter the index today. */
export async function dropUnreadable(index: IndexDb, id: number): Promise<void> {
  await index.deleteFrom('entry').where('id', '=', id).execute()
}

/** An entry that could not be made anew is not tried again. */
export async function markRead(index: IndexDb, id: number, reader: number): Promise<void> {
  await index.updateTable('entry').set({ reader }).where('id', '=', id).execute()
}
