import type { ItemAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'

/** When an item that was here was retracted. */
export async function findTombstone(index: IndexDb, { service, node, item }: ItemAddress): Promise<Date | undefined> {
  const row = await index
    .selectFrom('tombstone')
    .select('removedAt')
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .executeTakeFirst()
  return row && new Date(row.removedAt)
}

export async function deleteTombstone(index: IndexDb, { service, node, item }: ItemAddress): Promise<void> {
  await index
    .deleteFrom('tombstone')
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .execute()
}
