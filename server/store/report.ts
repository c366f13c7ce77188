import type { Selectable } from 'kysely'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { ReportTable } from './state-schema.ts'

/** What somebody told the site's operators about a post or a comment. */
export interface Report {
  readonly id: number
  readonly address: ItemAddress
  /** The post that a comment is about; of a post itself. */
  readonly post: ItemAddress
  /** Absent for who was not signed in. */
  readonly reporter?: BareJid
  readonly reason: string
  readonly at: Date
  readonly settledAt?: Date
  readonly settledBy?: BareJid
}

export interface NewReport extends Omit<Report, 'id' | 'settledAt' | 'settledBy'> {
  /** The JID, or a keyed hash of the web address: one report each. */
  readonly sender: string
}

/** `known` for who reported the same before. */
export async function addReport(state: StateDb, report: NewReport): Promise<'added' | 'known'> {
  const { address, post, reporter = null, sender, reason, at } = report
  const result = await state
    .insertInto('report')
    .values({
      ...{ service: address.service, node: address.node, item: address.item },
      ...{ blogService: post.service, blogNode: post.node, postItem: post.item },
      ...{ reporter, sender, reason, at: at.toISOString() },
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n ? 'added' : 'known'
}

export async function countReportsOf(
  state: StateDb,
  sender: string,
  { since, until }: { since: Date; until: Date },
): Promise<number> {
  const query = state.selectFrom('report').select(({ fn }) => fn.countAll<number>().as('count'))
  const row = await query
    .where('sender', '=', sender)
    .where('at', '>', since.toISOString())
    .where('at', '<=', until.toISOString())
    .executeTakeFirstOrThrow()
  return row.count
}

/** How many wait to be read, up to `most`. */
export async function countOpenReports(state: StateDb, most: number): Promise<number> {
  const open = state.selectFrom('report').select('id').where('settledAt', 'is', null).limit(most)
  const query = state.selectFrom(open.as('open')).select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.executeTakeFirstOrThrow()).count
}

/** Reports that nobody has settled, the newest first. */
export async function listReports(
  state: StateDb,
  { limit, offset = 0 }: { limit: number; offset?: number },
): Promise<Report[]> {
  const query = state.selectFrom('report').selectAll()
  const rows = await query
    .where('settledAt', 'is', null)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute()
  return rows.map(readReport)
}

export async function findReport(state: StateDb, id: number): Promise<Report | undefined> {
  const row = await state.selectFrom('report').selectAll().where('id', '=', id).executeTakeFirst()
  return row && readReport(row)
}

/** All about one thing are settled together; with `undefined` they are open again. */
export async function settleReports(
  state: StateDb,
  { service, node, item }: ItemAddress,
  settled: { readonly at: Date; readonly by: BareJid } | undefined,
): Promise<void> {
  await state
    .updateTable('report')
    .set({ settledAt: settled?.at.toISOString() ?? null, settledBy: settled?.by ?? null })
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .execute()
}

function readReport(row: Selectable<ReportTable>): Report {
  return {
    id: row.id,
    address: { service: row.service, node: row.node, item: row.item },
    post: { service: row.blogService, node: row.blogNode, item: row.postItem },
    reporter: row.reporter ?? undefined,
    reason: row.reason,
    at: new Date(row.at),
    settledAt: row.settledAt === null ? undefined : new Date(row.settledAt),
    settledBy: row.settledBy ?? undefined,
  }
}
