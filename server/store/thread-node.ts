import { sql } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { attachmentsOf, attachmentsPrefix } from '#shared/profiles/index.ts'
import type { IndexDb } from './database.ts'
import { type NodeRow, readNode } from './node.ts'

/** Greater than every character that a name may have. */
const LAST_CHARACTER = '\u{10ffff}'

/** Posts that one node may have the comments of. A service could link any number to it, for each of which every comment is work. */
const MOST_POSTS = 200

/** The posts that these are the comments of, not more than `MOST_POSTS`. */
export async function listPostsOfThread(index: IndexDb, { service, node }: NodeAddress): Promise<ItemAddress[]> {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['node.service', 'node.node', 'entry.item'])
    .where('entry.commentsService', '=', service)
    .where('entry.commentsNode', '=', node)
    .limit(MOST_POSTS)
    .execute()
}

/** The same, without those of others that only link there: whose the thread is, looks after it. */
export async function listRightfulPosts(index: IndexDb, { service, node }: NodeAddress): Promise<ItemAddress[]> {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .leftJoin('node as thread', (join) =>
      join.onRef('thread.service', '=', 'entry.commentsService').onRef('thread.node', '=', 'entry.commentsNode'),
    )
    .select(['node.service', 'node.node', 'entry.item'])
    .where('entry.commentsService', '=', service)
    .where('entry.commentsNode', '=', node)
    .where(
      sql<boolean>`coalesce(thread.owner = CASE node.kind WHEN 'community' THEN entry.author ELSE node.owner END, 1)`,
    )
    .limit(MOST_POSTS)
    .execute()
}

/** Nodes for the comments on an author's posts that could not be read, those of the newest posts first. */
export async function listMissingThreads(index: IndexDb, owner: BareJid, limit: number): Promise<NodeAddress[]> {
  return (
    index
      .selectFrom('node')
      .innerJoin('entry', (join) =>
        join.onRef('entry.commentsService', '=', 'node.service').onRef('entry.commentsNode', '=', 'node.node'),
      )
      .select(['node.service', 'node.node'])
      // With literals, as in the condition of its index.
      .where(sql<boolean>`node.kind = 'comments' AND node.status <> 'open'`)
      .where('node.owner', '=', owner)
      .groupBy(['node.service', 'node.node'])
      .orderBy(({ fn }) => fn.max('entry.publishedAt'), 'desc')
      .limit(limit)
      .execute()
  )
}

/** Forgets a comments node, with its comments, that no post links to any more. */
export async function dropOrphanThread(index: IndexDb, address: NodeAddress): Promise<boolean> {
  if ((await listPostsOfThread(index, address)).length > 0) return false
  const result = await index
    .deleteFrom('node')
    .where('kind', '=', 'comments')
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Forgets the node of attachments to an item, with what is on it: its name is known. */
export async function dropAttachments(index: IndexDb, post: ItemAddress): Promise<NodeAddress[]> {
  const { service, node } = attachmentsOf(post)
  const query = index.deleteFrom('node').where('kind', '=', 'attachments').where('service', '=', service)
  return query.where('node', '=', node).returning(['service', 'node']).execute()
}

/** Some of the nodes of attachments to what is or was on a feed: their names are known. */
export async function listAttachmentsNodes(
  index: IndexDb,
  { service, node }: NodeAddress,
  limit: number,
): Promise<NodeRow[]> {
  const prefix = attachmentsPrefix({ service, node })
  const query = index.selectFrom('node').selectAll().where('kind', '=', 'attachments').where('service', '=', service)
  const named = query.where('node', '>=', prefix).where('node', '<', `${prefix}${LAST_CHARACTER}`)
  return (await named.limit(limit).execute()).map(readNode)
}
