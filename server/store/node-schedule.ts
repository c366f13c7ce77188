import { type ExpressionBuilder, sql } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { FEED_KINDS, type IndexSchema } from './index-schema.ts'
import { dateOf, type NodeRow, readNode } from './node.ts'

export interface NodeToRead extends NodeRow {
  /** Of comments: when the newest post that they are about became news. */
  readonly postedAt?: Date
}

export interface NodeSelection {
  readonly dueBy?: Date
  /** Of comments only those on posts since then, or that something came from since. */
  readonly postedSince?: Date
  /** Of one server, and the accounts there. */
  readonly domain?: string
  readonly limit?: number
}

/** Blogs first, then the comments of the newest posts: the order to read them in. */
export async function listNodes(
  index: IndexDb,
  { dueBy, postedSince, domain, limit = -1 }: NodeSelection = {},
): Promise<NodeToRead[]> {
  // A blog may come again, the thread of a post will not.
  let query = index
    .selectFrom('node')
    .selectAll()
    .where('kind', '!=', 'room')
    .where((is) => is.or([is('status', '!=', 'deleted'), is('kind', 'in', FEED_KINDS)]))
  if (domain !== undefined) query = query.where((is) => isOf(is, domain))
  if (dueBy !== undefined) query = query.where('nextTryAt', '<=', dueBy.getTime())
  if (postedSince !== undefined) {
    const since = postedSince.getTime()
    query = query.where((is) =>
      is.or([is('kind', 'in', FEED_KINDS), is('heardAt', '>=', since), is(newestPost(is), '>=', since)]),
    )
  }
  const rows = await query
    .select((is) => newestPost(is).as('postedAt'))
    .orderBy((is) => is('kind', 'not in', FEED_KINDS))
    .orderBy('postedAt', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ ...readNode(row), postedAt: dateOf(row.postedAt) }))
}

function isOf(is: ExpressionBuilder<IndexSchema, 'node'>, domain: string) {
  return is.or([is('service', '=', domain as BareJid), is('service', 'like', `%@${domain}` as BareJid)])
}

/** When the newest post that links to a node for its comments became news. */
function newestPost({ selectFrom }: ExpressionBuilder<IndexSchema, 'node'>) {
  return selectFrom('entry')
    .select(({ fn }) => fn.max<number | null>('entry.arrivedAt').as('newest'))
    .whereRef('entry.commentsService', '=', 'node.service')
    .whereRef('entry.commentsNode', '=', 'node.node')
}

/** One of them. */
export async function findNodeToRead(index: IndexDb, { service, node }: NodeAddress): Promise<NodeToRead | undefined> {
  const query = index.selectFrom('node').selectAll().where('service', '=', service).where('node', '=', node)
  const row = await query.select((is) => newestPost(is).as('postedAt')).executeTakeFirst()
  return row && { ...readNode(row), postedAt: dateOf(row.postedAt) }
}

/** A server does not answer, which goes for every feed there. */
export async function noteUnreachable(index: IndexDb, domain: string, problem: string): Promise<void> {
  const query = index.updateTable('node').set({ problem }).where('kind', 'in', FEED_KINDS).where('problem', 'is', null)
  await query.where((is) => isOf(is, domain)).execute()
}

/** None of these is due before then. */
export async function postponeNodes(index: IndexDb, ids: readonly number[], until: Date): Promise<void> {
  await index.updateTable('node').set({ nextTryAt: until.getTime() }).where('id', 'in', ids).execute()
}

/** Nodes whose reading is not done, or that are to be compared as a whole, in no order: one server is not all. */
export async function listUnreadNodes(
  index: IndexDb,
  { dueBy, limit }: { dueBy: Date; limit: number },
): Promise<NodeAddress[]> {
  return index
    .selectFrom('node')
    .select(['service', 'node'])
    .where('deepDueAt', '<=', dueBy.getTime())
    .where('status', 'in', ['open', 'restricted', 'hidden'])
    .orderBy(sql`random()`)
    .limit(limit)
    .execute()
}

/** Their events may have been missed: each is compared as a whole within so many milliseconds, not all at once. */
export async function spreadReadings(
  index: IndexDb,
  { now, within, domain }: { now: Date; within: number; domain?: string },
): Promise<void> {
  const at = sql<number>`${now.getTime()} + abs(random() % ${within})`
  await index
    .updateTable('node')
    .set(({ fn }) => ({ nextTryAt: fn<number>('min', ['nextTryAt', at]) }))
    .where((is) => (domain === undefined ? is.lit(true) : isOf(is, domain)))
    .execute()
  await index
    .updateTable('node')
    .set(({ fn }) => ({ deepDueAt: fn<number>('min', ['deepDueAt', at]) }))
    .where('deepDueAt', 'is not', null)
    .where((is) => (domain === undefined ? is.lit(true) : isOf(is, domain)))
    .execute()
}
