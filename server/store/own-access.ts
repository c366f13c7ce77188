import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

/** The access model of a node (`pubsub#access_model`), as its owner's own session read it last. */
export async function findOwnAccess(state: StateDb, { service, node }: NodeAddress): Promise<string | undefined> {
  const query = state.selectFrom('ownAccess').select('accessModel').where('service', '=', service)
  return (await query.where('node', '=', node).executeTakeFirst())?.accessModel
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

/** Forgets the nodes of an account that is no more. */
export async function forgetOwnAccess(state: StateDb, service: BareJid): Promise<void> {
  await state.deleteFrom('ownAccess').where('service', '=', service).execute()
}
