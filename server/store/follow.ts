import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

/** The site follows this account's blog from now on; `known` if it did before. */
export async function addFollow(state: StateDb, jid: BareJid, since: Date): Promise<'added' | 'known'> {
  const result = await state
    .insertInto('follow')
    .values({ jid, since: since.toISOString() })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n ? 'added' : 'known'
}

export async function listFollows(state: StateDb): Promise<BareJid[]> {
  return (await state.selectFrom('follow').select('jid').orderBy('since').execute()).map(({ jid }) => jid)
}
