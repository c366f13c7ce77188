import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

// SQLite takes 32,766 values in one statement.
const AT_ONCE = 5_000

/** Who was seen to follow a blog until now. */
export async function listFollowers(state: StateDb, { service, node }: NodeAddress): Promise<Set<BareJid>> {
  const query = state.selectFrom('follower').select('jid').where('service', '=', service).where('node', '=', node)
  return new Set((await query.execute()).map(({ jid }) => jid))
}

/** Who follows it from now on, and who does not any more. */
export async function saveFollowers(
  state: StateDb,
  { service, node }: NodeAddress,
  { come, gone, now }: { come: readonly BareJid[]; gone: readonly BareJid[]; now: Date },
): Promise<void> {
  const rows = come.map((jid) => ({ service, node, jid, since: now.toISOString() }))
  await state.transaction().execute(async (db) => {
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      const query = db.insertInto('follower').values(rows.slice(from, from + AT_ONCE))
      await query.onConflict((conflict) => conflict.doNothing()).execute()
    }
    for (const jid of gone) {
      const query = db.deleteFrom('follower').where('service', '=', service).where('node', '=', node)
      await query.where('jid', '=', jid).execute()
    }
  })
}
