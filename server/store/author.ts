import type { Selectable } from 'kysely'
import type { ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { AuthorTable } from './state-schema.ts'

/** A post that would become public, by its place in the node and its date. */
export interface HiddenPost {
  readonly n: number
  readonly date?: Date
  readonly item?: ItemId
}

/** An account that publishes here. */
export interface Author {
  readonly jid: BareJid
  readonly since: Date
  /** Whether the owner let us open a node that was there before. */
  readonly consent: 'unasked' | 'asked' | 'given' | 'refused'
  readonly consentPosts: readonly HiddenPost[]
  /** Of the blog's node, where the owner's session could read it. */
  readonly maxItems?: number
  /** Whose comments wait for approval. */
  readonly holds: Holds
}

/** First comments with a link, all of strangers, or nobody's. */
export type Holds = Selectable<AuthorTable>['holds']

export async function addAuthorRow(state: StateDb, jid: BareJid, since: Date): Promise<void> {
  await state
    .insertInto('author')
    .values({ jid, since: since.toISOString() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function findAuthor(state: StateDb, jid: BareJid): Promise<Author | undefined> {
  const row = await state.selectFrom('author').selectAll().where('jid', '=', jid).executeTakeFirst()
  return row && readAuthorRow(row)
}

/** Oldest first. */
export async function listAuthorRows(state: StateDb): Promise<Author[]> {
  const rows = await state.selectFrom('author').selectAll().orderBy('since').orderBy('jid').execute()
  return rows.map(readAuthorRow)
}

export async function deleteAuthorRow(state: StateDb, jid: BareJid): Promise<void> {
  await state.deleteFrom('author').where('jid', '=', jid).execute()
}

export async function saveConsent(
  state: StateDb,
  jid: BareJid,
  { consent, posts }: { consent: Author['consent']; posts?: readonly HiddenPost[] },
): Promise<void> {
  const consentPosts = posts === undefined ? null : JSON.stringify(posts)
  await state.updateTable('author').set({ consent, consentPosts }).where('jid', '=', jid).execute()
}

export async function saveMaxItems(state: StateDb, jid: BareJid, maxItems: number | undefined): Promise<void> {
  await state
    .updateTable('author')
    .set({ maxItems: maxItems ?? null })
    .where('jid', '=', jid)
    .execute()
}

export async function saveHolds(state: StateDb, jid: BareJid, holds: Holds): Promise<void> {
  await state.updateTable('author').set({ holds }).where('jid', '=', jid).execute()
}

function readAuthorRow(row: Selectable<AuthorTable>): Author {
  return {
    jid: row.jid,
    since: new Date(row.since),
    consent: row.consent,
    consentPosts: readPosts(row.consentPosts),
    maxItems: row.maxItems ?? undefined,
    holds: row.holds,
  }
}

function readPosts(json: string | null): HiddenPost[] {
  const posts = JSON.parse(json ?? '[]') as { n: number; date?: string; item?: ItemId }[]
  return posts.map(({ n, date, item }) => ({ n, item, date: date === undefined ? undefined : new Date(date) }))
}
