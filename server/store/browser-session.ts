import type { Selectable } from 'kysely'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { BrowserSessionTable } from './state-schema.ts'

/** One browser of a person who is signed in, or was until `endedReason`. */
export interface BrowserSession {
  /** Of the cookie, which only the browser has. */
  readonly hash: string
  readonly jid: BareJid
  /** Encrypted under the cookie's key. */
  readonly password?: string
  readonly createdAt: Date
  readonly seenAt: Date
  readonly expiresAt: Date
  readonly endedReason?: string
}

export async function saveBrowserSession(state: StateDb, session: BrowserSession): Promise<void> {
  const row = {
    hash: session.hash,
    jid: session.jid,
    password: session.password ?? null,
    createdAt: session.createdAt.toISOString(),
    seenAt: session.seenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    endedReason: session.endedReason ?? null,
  }
  await state
    .insertInto('browserSession')
    .values(row)
    .onConflict((conflict) => conflict.column('hash').doUpdateSet(row))
    .execute()
}

export async function findBrowserSession(state: StateDb, hash: string): Promise<BrowserSession | undefined> {
  const row = await state.selectFrom('browserSession').selectAll().where('hash', '=', hash).executeTakeFirst()
  return row && readBrowserSession(row)
}

export async function touchBrowserSession(
  state: StateDb,
  hash: string,
  { seenAt, expiresAt }: { seenAt: Date; expiresAt: Date },
): Promise<void> {
  await state
    .updateTable('browserSession')
    .set({ seenAt: seenAt.toISOString(), expiresAt: expiresAt.toISOString() })
    .where('hash', '=', hash)
    .execute()
}

/** Ends all of an account's browser sessions; each stays until it expires, to tell its browser why. */
export async function endBrowserSessions(state: StateDb, jid: BareJid, reason: string): Promise<void> {
  await state
    .updateTable('browserSession')
    .set({ endedReason: reason, password: null })
    .where('jid', '=', jid)
    .where('endedReason', 'is', null)
    .execute()
}

export async function deleteBrowserSession(state: StateDb, hash: string): Promise<void> {
  await state.deleteFrom('browserSession').where('hash', '=', hash).execute()
}

/** Those that have not ended. */
export async function listBrowserSessions(state: StateDb, jid: BareJid): Promise<BrowserSession[]> {
  const rows = await state
    .selectFrom('browserSession')
    .selectAll()
    .where('jid', '=', jid)
    .where('endedReason', 'is', null)
    .orderBy('createdAt')
    .execute()
  return rows.map(readBrowserSession)
}

/** Returns the accounts that lost one. */
export async function deleteExpiredBrowserSessions(state: StateDb, now: Date): Promise<BareJid[]> {
  const rows = await state
    .deleteFrom('browserSession')
    .where('expiresAt', '<=', now.toISOString())
    .returning('jid')
    .execute()
  return [...new Set(rows.map((row) => row.jid))]
}

export async function clearBrowserPasswords(state: StateDb, jid: BareJid): Promise<void> {
  await state.updateTable('browserSession').set({ password: null }).where('jid', '=', jid).execute()
}

function readBrowserSession(row: Selectable<BrowserSessionTable>): BrowserSession {
  return {
    hash: row.hash,
    jid: row.jid,
    password: row.password ?? undefined,
    createdAt: new Date(row.createdAt),
    seenAt: new Date(row.seenAt),
    expiresAt: new Date(row.expiresAt),
    endedReason: row.endedReason ?? undefined,
  }
}
