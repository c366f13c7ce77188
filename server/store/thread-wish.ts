import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { ThreadWishTable } from './state-schema.ts'

export type ThreadWish = ThreadWishTable['wish']

/** What people wish about the thread of a post. */
export async function listThreadWishes(
  state: StateDb,
  { service, node, item }: ItemAddress,
): Promise<Map<BareJid, ThreadWish>> {
  const rows = await state
    .selectFrom('threadWish')
    .select(['jid', 'wish'])
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .execute()
  return new Map(rows.map(({ jid, wish }) => [jid, wish]))
}

export async function findThreadWish(state: StateDb, jid: BareJid, post: ItemAddress): Promise<ThreadWish | undefined> {
  const row = await state
    .selectFrom('threadWish')
    .select('wish')
    .where('jid', '=', jid)
    .where('service', '=', post.service)
    .where('node', '=', post.node)
    .where('item', '=', post.item)
    .executeTakeFirst()
  return row?.wish
}

/** Without a wish it is as with every other thread. */
export async function saveThreadWish(
  state: StateDb,
  jid: BareJid,
  { post, wish, now }: { post: ItemAddress; wish: ThreadWish | undefined; now: Date },
): Promise<void> {
  const { service, node, item } = post
  if (wish === undefined) {
    const query = state.deleteFrom('threadWish').where('jid', '=', jid).where('service', '=', service)
    await query.where('node', '=', node).where('item', '=', item).execute()
    return
  }
  await state
    .insertInto('threadWish')
    .values({ jid, service, node, item, wish, since: now.toISOString() })
    .onConflict((conflict) => conflict.columns(['jid', 'service', 'node', 'item']).doUpdateSet({ wish }))
    .execute()
}
