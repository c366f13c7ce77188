import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

/** Since when nobody may comment on a post, and who said so. */
export interface ClosedThread {
  readonly since: Date
  readonly by: BareJid
}

export async function findClosedThread(state: StateDb, post: ItemAddress): Promise<ClosedThread | undefined> {
  const row = await state
    .selectFrom('thread')
    .select(['closedAt', 'closedBy'])
    .where('service', '=', post.service)
    .where('node', '=', post.node)
    .where('item', '=', post.item)
    .executeTakeFirst()
  return row?.closedAt == null || row.closedBy === null
    ? undefined
    : { since: new Date(row.closedAt), by: row.closedBy }
}

/** Closes the thread of a post, or with `undefined` opens it again. */
export async function saveClosedThread(
  state: StateDb,
  { service, node, item }: ItemAddress,
  closed: ClosedThread | undefined,
): Promise<void> {
  const values = { closedAt: closed?.since.toISOString() ?? null, closedBy: closed?.by ?? null }
  await state
    .insertInto('thread')
    .values({ service, node, item, ...values })
    .onConflict((conflict) => conflict.columns(['service', 'node', 'item']).doUpdateSet(values))
    .execute()
}
