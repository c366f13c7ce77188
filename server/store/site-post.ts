import { sql } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { isAmong, isOneOf } from './json-list.ts'
import { IS_BLOG, IS_FEED } from './node-kind.ts'

/** A stretch of the numbers that entries have in the index: above `after`, up to `until`. */
export interface Stretch {
  readonly after: number
  readonly until: number
}

export interface SitePost {
  readonly address: ItemAddress
  readonly updated: Date
}

/** The numbers of the open blogs of these authors, and of these communities. */
export async function listSiteNodeIds(
  index: IndexDb,
  { authors, communities }: { authors: readonly BareJid[]; communities: readonly NodeAddress[] },
): Promise<number[]> {
  const open = index.selectFrom('node').select('node.id').where('node.status', '=', 'open')
  const blogs = await open.where(IS_BLOG).where(isOneOf('node.owner', authors)).execute()
  const others = await open
    .where(IS_FEED)
    .where(isAmong(['node.service', 'node.node'], communities))
    .execute()
  return [...blogs, ...others].map(({ id }) => id)
}

/** The posts of these nodes in a stretch: on a blog only what its owner wrote. */
export async function listSitePosts(index: IndexDb, nodeIds: readonly number[], stretch: Stretch): Promise<SitePost[]> {
  const rows = await selectSitePosts(index, nodeIds, stretch)
    .select(['node.service', 'node.node', 'entry.item', 'entry.updatedAt'])
    .orderBy('entry.id')
    .execute()
  return rows.map(({ updatedAt, ...address }) => ({ address, updated: new Date(updatedAt) }))
}

/** Whether there is any post in the stretch. */
export async function hasSitePosts(index: IndexDb, nodeIds: readonly number[], stretch: Stretch): Promise<boolean> {
  const query = selectSitePosts(index, nodeIds, stretch).select('entry.id').limit(1)
  return (await query.executeTakeFirst()) !== undefined
}

function selectSitePosts(index: IndexDb, nodeIds: readonly number[], { after, until }: Stretch) {
  return (
    index
      .selectFrom('entry')
      .innerJoin('node', 'node.id', 'entry.nodeId')
      .where('entry.id', '>', after)
      .where('entry.id', '<=', until)
      // By their numbers, which no index of posts or nodes has in order.
      .where(sql<boolean>`+entry.is_post = 1`)
      .where(sql<boolean>`+entry.node_id IN (SELECT value FROM json_each(${JSON.stringify(nodeIds)}))`)
      .where('entry.hold', 'is', null)
      .where(sql<boolean>`(node.kind = 'community' OR (entry.credit = 'credited' AND entry.author = node.owner))`)
  )
}
