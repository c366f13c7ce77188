import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

/** The access model of a node (`pubsub#access_model`), as its owner's own session read it last. */
export interface OwnAccess {
  readonly accessModel: string
  readonly readAt: Date
}

export async function findOwnAccess(state: StateDb, { service, node }: NodeAddress): Promise<OwnAccess | undefined> {
  const query = state.selectFrom('ownAccess').select(['accessModel', 'readAt']).where('service', '=', service)
  const row = await query.where('node', '=', node).executeTakeFirst()
  return row && { accessModel: row.accessModel, readAt: new Date(row.readAt) }
}

/** Characters. */
const LONGEST = 20

/** Only for a node on the account whose session read it: nobody is believed about the nodes of others. */
export async function saveOwnAccess(
  state: StateDb,
  { service, node }: NodeAddress,
  { accessModel: said, now }: { accessModel: string; now: Date },
): Promise<void> {
  // A word of XEP-0060 §4.5, or whatever their server says instead.
  const accessModel = said.slice(0, LONGEST)
  const readAt = now.toISOString()
  await state
    .insertInto('ownAccess')
    .values({ service, node, accessModel, readAt })
    .onConflict((conflict) => conflict.columns(['service', 'node']).doUpdateSet({ accessModel, readAt }))
    .execute()
}

/** Nodes of an account whose access model was read before an instant, the longest ago first. */
export async function listReadBefore(
  state: StateDb,
  service: BareJid,
  { before, limit }: { before: Date; limit: number },
): Promise<NodeAddress[]> {
  const query = state.selectFrom('ownAccess').select(['service', 'node']).where('service', '=', service)
  return query.where('readAt', '<', before.toISOString()).orderBy('readAt').limit(limit).execute()
}

/** Nodes whose access model was last read between two instants, the first of them left out. */
export async function listReadBetween(state: StateDb, after: Date, until: Date): Promise<NodeAddress[]> {
  const query = state.selectFrom('ownAccess').select(['service', 'node']).where('readAt', '>', after.toISOString())
  return query.where('readAt', '<=', until.toISOString()).execute()
}

/** Forgets the nodes of an account that is no more, or one of them. */
export async function forgetOwnAccess(state: StateDb, service: BareJid, node?: string): Promise<void> {
  const query = state.deleteFrom('ownAccess').where('service', '=', service)
  await (node === undefined ? query : query.where('node', '=', node)).execute()
}
