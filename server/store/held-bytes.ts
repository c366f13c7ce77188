import { sql } from 'kysely'
import type { IndexDb } from './database.ts'
import { FEED_KINDS, THREAD_KINDS } from './index-schema.ts'
import { isFeed, type NodeRow, readNode } from './node.ts'

/**
 * Bytes of everything that is here of the holder of a node: an account, for its nodes and the comments on its posts, or
 * else the node alone. Feeds and comments count apart, so that strangers who comment take no space from the posts.
 */
export async function sumHeldBytes(index: IndexDb, node: Pick<NodeRow, 'id' | 'kind'>): Promise<number> {
  const query = index
    .selectFrom('node')
    .select(({ fn }) => fn.sum<number | null>('bytes').as('bytes'))
    .where('holder', '=', ({ selectFrom }) => selectFrom('node').select('holder').where('id', '=', node.id))
    .where('kind', 'in', isFeed(node) ? FEED_KINDS : THREAD_KINDS)
    .where(sql<boolean>`bytes > 0`)
  return (await query.executeTakeFirstOrThrow()).bytes ?? 0
}

/** The nodes with what is said about the posts of the same account as those on this node, the largest first. */
export async function listLargestThreads(
  index: IndexDb,
  { id }: Pick<NodeRow, 'id'>,
  limit: number,
): Promise<NodeRow[]> {
  const found: NodeRow[] = []
  // One kind after the other, so that each comes in the order of its index.
  for (const kind of THREAD_KINDS) {
    const query = index
      .selectFrom('node')
      .selectAll()
      .where('holder', '=', ({ selectFrom }) => selectFrom('node').select('holder').where('id', '=', id))
      .where('kind', '=', kind)
      .where(sql<boolean>`bytes > 0`)
    found.push(...(await query.orderBy('bytes', 'desc').limit(limit).execute()).map(readNode))
  }
  return found.toSorted((a, b) => b.bytes - a.bytes).slice(0, limit)
}

/** How many posts have more comments, or more attachments, than are read. */
export async function countCutThreads(index: IndexDb): Promise<number> {
  const query = index.selectFrom('node').select(({ fn }) => fn.countAll<number>().as('count'))
  const cut = query.where('kind', 'in', THREAD_KINDS).where(sql<boolean>`backfill = 'cut'`)
  return (await cut.executeTakeFirstOrThrow()).count
}
