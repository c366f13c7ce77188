import { sql } from 'kysely'
import type { ItemAddress, ItemId } from '#shared/address.ts'
import type { IndexDb } from './database.ts'

/** Replies that one statement gives their parent; more than that wait for nothing but a reindex. */
const MOST = 1_000

/** The comment of a node that was the first to have this `atom:id`: a later copy of the id takes no replies away. */
export async function findItemByAtomId(index: IndexDb, nodeId: number, atomId: string): Promise<ItemId | undefined> {
  const row = await index
    .selectFrom('entry')
    .select('item')
    .where('nodeId', '=', nodeId)
    .where('atomId', '=', atomId)
    .where('isPost', '=', 0)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row?.item
}

/** Gives the replies that came before their parent its address. */
export async function linkReplies(
  index: IndexDb,
  parent: { readonly nodeId: number; readonly atomId: string; readonly address: ItemAddress },
): Promise<void> {
  const { service, node, item } = parent.address
  const waiting = index
    .selectFrom('entry')
    .select('id')
    .where('nodeId', '=', parent.nodeId)
    .where('replyRef', '=', parent.atomId)
    .where('replyItem', 'is', null)
    .where('item', '!=', item)
    .limit(MOST)
  await index
    .updateTable('entry')
    .set({ replyService: service, replyNode: node, replyItem: item })
    .where('id', 'in', sql<number>`(${waiting})`)
    .execute()
}
