import type { ItemId, NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'

/** The titles of posts of one blog that are shown, by item. */
export async function listPostTitles(
  index: IndexDb,
  { service, node }: NodeAddress,
  items: readonly ItemId[],
): Promise<Map<ItemId, string>> {
  if (items.length === 0) return new Map()
  const rows = await index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['entry.item', 'entry.title'])
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where('node.status', '=', 'open')
    .where('entry.isPost', '=', 1)
    .where('entry.hold', 'is', null)
    .where(isOneOf('entry.item', items))
    .execute()
  return new Map(rows.map(({ item, title }) => [item, title]))
}
