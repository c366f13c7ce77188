import { sql } from 'kysely'
import type { IndexDb } from './database.ts'
import { FEED_KINDS, THREAD_KINDS } from './index-schema.ts'
import { isFeed, type NodeRow } from './node.ts'

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

/** How many posts have more comments, or more attachments, than are read. */
export async function countCutThreads(index: IndexDb): Promise<number> {
  const query = index.selectFrom('node').select(({ fn }) => fn.countAll<number>().as('count'))
  const cut = query.where('kind', 'in', THREAD_KINDS).where(sql<boolean>`backfill = 'cut'`)
  return (await cut.executeTakeFirstOrThrow()).count
}
