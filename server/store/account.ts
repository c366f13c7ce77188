import type { Selectable } from 'kysely'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import type { AccountTable } from './state-schema.ts'

/** Rows that one statement lists. */
const SLICE = 500

/** An account that has signed in here. */
export interface Account {
  readonly jid: BareJid
  readonly userAgentId: string
  /** Encrypted. */
  readonly token?: string
  readonly name?: string | undefined
  readonly createdAt: Date
}

export async function findAccount(state: StateDb, jid: BareJid): Promise<Account | undefined> {
  const row = await state.selectFrom('account').selectAll().where('jid', '=', jid).executeTakeFirst()
  return row && readAccount(row)
}

/** When an account signed in here for the first time. */
export async function findSince(state: StateDb, jid: BareJid): Promise<Date> {
  const row = await state.selectFrom('account').select('createdAt').where('jid', '=', jid).executeTakeFirstOrThrow()
  return new Date(row.createdAt)
}

export async function saveAccount(state: StateDb, account: Account): Promise<void> {
  const { jid, userAgentId, token = null, name = null } = account
  await state
    .insertInto('account')
    .values({ jid, userAgentId, token, name, createdAt: account.createdAt.toISOString() })
    .onConflict((conflict) => conflict.column('jid').doUpdateSet({ userAgentId, token, name }))
    .execute()
}

/** What the account is called from now on; one that never signed in has no row, and none is made. */
export async function saveAccountName(state: StateDb, jid: BareJid, name: string): Promise<void> {
  await state
    .updateTable('account')
    .set({ name: name || null })
    .where('jid', '=', jid)
    .execute()
}

/** Every account with its name, in parts. */
export async function* listAccountNames(state: StateDb): AsyncGenerator<Pick<Account, 'jid' | 'name'>[]> {
  let last: BareJid | undefined
  do {
    const query = state.selectFrom('account').select(['jid', 'name']).orderBy('jid').limit(SLICE)
    const rows = await (last === undefined ? query : query.where('jid', '>', last)).execute()
    yield rows.map(({ jid, name }) => ({ jid, name: name ?? undefined }))
    last = rows.at(-1)?.jid
  } while (last !== undefined)
}

export async function listAccountsWithToken(state: StateDb): Promise<Account[]> {
  const rows = await state.selectFrom('account').selectAll().where('token', 'is not', null).orderBy('jid').execute()
  return rows.map(readAccount)
}

function readAccount(row: Selectable<AccountTable>): Account {
  return {
    jid: row.jid,
    userAgentId: row.userAgentId,
    token: row.token ?? undefined,
    name: row.name ?? undefined,
    createdAt: new Date(row.createdAt),
  }
}

/** Which of them have ever signed in here. */
export async function listKnownAccounts(state: StateDb, jids: readonly BareJid[]): Promise<Set<BareJid>> {
  const rows = await state.selectFrom('account').select('jid').where(isOneOf('jid', jids)).execute()
  return new Set(rows.map(({ jid }) => jid))
}
