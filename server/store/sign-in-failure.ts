import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

export async function addSignInFailure(
  state: StateDb,
  { jid, address, at }: { jid: BareJid; address: string; at: Date },
): Promise<number> {
  const row = await state
    .insertInto('signInFailure')
    .values({ jid, address, at: at.toISOString() })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export async function deleteSignInFailure(state: StateDb, id: number): Promise<void> {
  await state.deleteFrom('signInFailure').where('id', '=', id).execute()
}

/** All of an account. */
export async function deleteSignInFailuresOf(state: StateDb, jid: BareJid): Promise<void> {
  await state.deleteFrom('signInFailure').where('jid', '=', jid).execute()
}

/** Of an account, of a client's address, or of both together. */
export async function countSignInFailures(
  state: StateDb,
  { jid, address, since }: { jid?: BareJid; address?: string; since: Date },
): Promise<{ count: number; oldest?: Date }> {
  let query = state
    .selectFrom('signInFailure')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min<string | null>('at').as('oldest')])
    .where('at', '>', since.toISOString())
  if (jid !== undefined) query = query.where('jid', '=', jid)
  if (address !== undefined) query = query.where('address', '=', address)
  const { count, oldest } = await query.executeTakeFirstOrThrow()
  return oldest === null ? { count } : { count, oldest: new Date(oldest) }
}

/** Those still to come too, of a clock that was put back since. */
export async function deleteSignInFailuresOutside(
  state: StateDb,
  { since, until }: { since: Date; until: Date },
): Promise<void> {
  await state.deleteFrom('signInFailure').where('at', '<=', since.toISOString()).execute()
  await state.deleteFrom('signInFailure').where('at', '>', until.toISOString()).execute()
}
