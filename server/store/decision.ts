import { type Selectable, sql } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { isAmong } from './json-list.ts'
import type { DecisionTable } from './state-schema.ts'

/** What was decided about a comment or a message in a room. */
export interface Decision {
  readonly address: ItemAddress
  /** The post that it is about; with an empty item, the blog whose room it is in. */
  readonly post: ItemAddress
  readonly what: DecisionTable['what']
  /** What was decided before, for undoing. */
  readonly before?: NonNullable<DecisionTable['before']>
  readonly reason?: NonNullable<DecisionTable['reason']>
  /** Absent for what the site decided by itself. */
  readonly by?: BareJid
  readonly at: Date
  readonly author?: BareJid
  /** As the service said when it came. */
  readonly publisher?: BareJid
  /** The kept copy, as it came: once it was removed. */
  readonly payload?: string
}

export async function findDecision(state: StateDb, address: ItemAddress): Promise<Decision | undefined> {
  const row = await selectDecision(state, address).selectAll().executeTakeFirst()
  return row && readDecision(row)
}

/** In place of the one before. */
export async function saveDecision(state: StateDb, decision: Decision): Promise<void> {
  const { address, post, what, before = null, reason = null, by = null, at } = decision
  const { author = null, publisher = null, payload = null } = decision
  const values = { what, before, reason, by, at: at.toISOString(), author, publisher, payload }
  await state
    .insertInto('decision')
    .values({
      ...{ service: address.service, node: address.node, item: address.item },
      ...{ blogService: post.service, blogNode: post.node, postItem: post.item },
      ...values,
    })
    .onConflict((conflict) => conflict.columns(['service', 'node', 'item']).doUpdateSet(values))
    .execute()
  if (payload !== null) await forgetOldestCopies(state, post)
}

/** Bytes of the copies of what was removed from one blog. */
const MOST_COPIES = 20_000_000

/** The decisions on items removed long ago stay, but nobody can put those items back any more. */
async function forgetOldestCopies(state: StateDb, { service, node }: NodeAddress): Promise<void> {
  await sql`
    UPDATE decision SET payload = NULL WHERE rowid IN (
      SELECT rowid FROM (
        SELECT rowid, sum(octet_length(payload)) OVER (ORDER BY at DESC, rowid DESC) AS total FROM decision
        WHERE blog_service = ${service} AND blog_node = ${node} AND what = 'removed' AND payload IS NOT NULL
      ) WHERE total > ${MOST_COPIES}
    )
  `.execute(state)
}

/** What its writer took back themselves is nothing to decide about any more; what has a kept copy may come again. */
export async function forgetDecision(state: StateDb, { service, node, item }: ItemAddress): Promise<void> {
  await state
    .deleteFrom('decision')
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .where('payload', 'is', null)
    .execute()
}

/** Whether a comment of somebody's on a blog was approved. */
export async function hasApproved(state: StateDb, blog: NodeAddress, author: BareJid): Promise<boolean> {
  const row = await state
    .selectFrom('decision')
    .select('what')
    .where('blogService', '=', blog.service)
    .where('blogNode', '=', blog.node)
    .where('author', '=', author)
    .where('what', 'in', ['approved', 'restored'])
    .executeTakeFirst()
  return row !== undefined
}

export interface DecisionQuery {
  /** On posts of any of these. */
  readonly blogs: readonly NodeAddress[]
  readonly what: Decision['what']
  readonly limit: number
  readonly offset?: number
}

/** The newest first. */
export async function listDecisions(state: StateDb, query: DecisionQuery): Promise<Decision[]> {
  const rows = await state
    .selectFrom('decision')
    .selectAll()
    .where(isAmong(['blogService', 'blogNode'], query.blogs))
    .where('what', '=', query.what)
    .orderBy('at', 'desc')
    .orderBy('item')
    .limit(query.limit)
    .offset(query.offset ?? 0)
    .execute()
  return rows.map(readDecision)
}

/** What who runs the site took out of its pages: nothing of it was kept, for on its node it stays. The newest first. */
export async function listHidden(
  state: StateDb,
  { by, limit }: { by: readonly BareJid[]; limit: number },
): Promise<Decision[]> {
  // With a literal, as in the condition of its index.
  const query = state
    .selectFrom('decision')
    .selectAll()
    .where(sql<boolean>`what = 'removed'`)
    .where('payload', 'is', null)
  const rows = await query.where('by', 'in', by).orderBy('at', 'desc').orderBy('item').limit(limit).execute()
  return rows.map(readDecision)
}

function selectDecision(state: StateDb, { service, node, item }: ItemAddress) {
  const query = state.selectFrom('decision').where('service', '=', service).where('node', '=', node)
  return query.where('item', '=', item)
}

function readDecision(row: Selectable<DecisionTable>): Decision {
  return {
    address: { service: row.service, node: row.node, item: row.item },
    post: { service: row.blogService, node: row.blogNode, item: row.postItem },
    what: row.what,
    before: row.before ?? undefined,
    reason: row.reason ?? undefined,
    by: row.by ?? undefined,
    at: new Date(row.at),
    author: row.author ?? undefined,
    publisher: row.publisher ?? undefined,
    payload: row.payload ?? undefined,
  }
}

/** When something that waited was approved. */
export async function findApproval(state: StateDb, address: ItemAddress): Promise<Date | undefined> {
  const row = await selectDecision(state, address).select('at').where('what', '=', 'approved').executeTakeFirst()
  return row && new Date(row.at)
}
