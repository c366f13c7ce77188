import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'

/** What somebody lets everybody know that they follow (XEP-0465). */
export interface PublicSubscription {
  readonly address: NodeAddress
  readonly title?: string
}

/** All that somebody publishes now, in place of what they did. */
export async function savePublicSubscriptions(
  index: IndexDb,
  owner: BareJid,
  subscriptions: readonly PublicSubscription[],
): Promise<void> {
  await index.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('publicSubscription').where('owner', '=', owner).execute()
    for (const { address, title = null } of subscriptions) {
      await transaction
        .insertInto('publicSubscription')
        .values({ owner, service: address.service, node: address.node, title })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
  })
}

export async function listPublicSubscriptions(
  index: IndexDb,
  owner: BareJid,
  limit: number,
): Promise<PublicSubscription[]> {
  const query = index.selectFrom('publicSubscription').selectAll().where('owner', '=', owner)
  const rows = await query.orderBy('service').orderBy('node').limit(limit).execute()
  return rows.map(({ service, node, title }) => ({ address: { service, node }, title: title ?? undefined }))
}
