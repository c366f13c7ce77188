import type { Selectable } from 'kysely'
import type { ItemAddress, ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { ProofTable } from './state-schema.ts'

/** A comment of somebody who is not signed in, and how far it got. */
export interface Proof {
  readonly key: string
  readonly code: string
  readonly post: ItemAddress
  /** The comment that it answers. */
  readonly reply?: ItemId
  readonly text: string
  readonly name: string
  /** Who was asked to confirm (XEP-0070); the others send the code themselves. */
  readonly asked?: BareJid
  readonly sender: string
  readonly status: ProofTable['status']
  readonly jid?: BareJid
  readonly how?: 'message' | 'confirm'
  readonly commentItem?: ItemId
  readonly problem?: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

export type NewProof = Omit<Proof, 'status' | 'jid' | 'how' | 'commentItem' | 'problem'>

/** Stores it, or returns the one that has this key: a form counts once. */
export async function addProof(state: StateDb, proof: NewProof): Promise<Proof> {
  const { key, code, post, reply, text, name, asked, sender, createdAt, expiresAt } = proof
  const { service, node, item } = post
  const dates = { createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }
  await state
    .insertInto('proof')
    .values({ key, code, service, node, item, reply, text, name, asked, sender, status: 'waiting', ...dates })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
  return (await findProof(state, key)) as Proof
}

export async function findProof(state: StateDb, key: string): Promise<Proof | undefined> {
  const row = await state.selectFrom('proof').selectAll().where('key', '=', key).executeTakeFirst()
  return row && readProof(row)
}

export async function findProofByCode(state: StateDb, code: string): Promise<Proof | undefined> {
  const row = await state.selectFrom('proof').selectAll().where('code', '=', code).executeTakeFirst()
  return row && readProof(row)
}

/** Those of a sender that were begun since then, newest first; there are few. */
export async function listProofsOf(state: StateDb, sender: string, since: Date): Promise<Proof[]> {
  const query = state.selectFrom('proof').selectAll().where('sender', '=', sender)
  const rows = await query.where('createdAt', '>=', since.toISOString()).orderBy('createdAt', 'desc').execute()
  return rows.map(readProof)
}

/** Questions to an account, or to anybody, since then (XEP-0070). */
export async function countAsked(state: StateDb, since: Date, jid?: BareJid): Promise<number> {
  const query = state
    .selectFrom('proof')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('createdAt', '>=', since.toISOString())
  const asked = jid === undefined ? query.where('asked', 'is not', null) : query.where('asked', '=', jid)
  return (await asked.executeTakeFirstOrThrow()).count
}

/** How many have come to nothing yet, or at all: they are forgotten after a day. */
export async function countUnpublished(state: StateDb): Promise<number> {
  const query = state.selectFrom('proof').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where('status', 'in', ['waiting', 'denied', 'refused']).executeTakeFirstOrThrow()).count
}

/** What still waits for the answer of an account that was asked. */
export async function listWaitingFor(state: StateDb, jid: BareJid, now: Date): Promise<Proof[]> {
  const query = state.selectFrom('proof').selectAll().where('asked', '=', jid).where('status', '=', 'waiting')
  return (await query.where('expiresAt', '>', now.toISOString()).execute()).map(readProof)
}

export async function listProofs(state: StateDb, status: Proof['status']): Promise<Proof[]> {
  return (await state.selectFrom('proof').selectAll().where('status', '=', status).execute()).map(readProof)
}

/** Takes it a step on; undefined where it was not at `from`, as when it was done twice. */
export async function moveProof(
  state: StateDb,
  key: string,
  { from, ...changes }: { from: Proof['status'] } & Partial<Selectable<ProofTable>>,
): Promise<Proof | undefined> {
  const moved = await state
    .updateTable('proof')
    .set(changes)
    .where('key', '=', key)
    .where('status', '=', from)
    .executeTakeFirst()
  return moved.numUpdatedRows > 0n ? findProof(state, key) : undefined
}

/** Those whose time was up before then; what is being published stays. */
export async function deleteProofsBefore(
  state: StateDb,
  { unpublished, all }: { readonly unpublished: Date; readonly all: Date },
): Promise<void> {
  const query = state.deleteFrom('proof').where('status', '!=', 'proved')
  await query.where('expiresAt', '<', all.toISOString()).execute()
  await query.where('status', '!=', 'published').where('expiresAt', '<', unpublished.toISOString()).execute()
}

function readProof(row: Selectable<ProofTable>): Proof {
  const { key, code, service, node, item, text, name, sender, status } = row
  return {
    ...{ key, code, text, name, sender, status },
    post: { service, node, item },
    reply: row.reply ?? undefined,
    asked: row.asked ?? undefined,
    jid: row.jid ?? undefined,
    how: row.how ?? undefined,
    commentItem: row.commentItem ?? undefined,
    problem: row.problem ?? undefined,
    createdAt: new Date(row.createdAt),
    expiresAt: new Date(row.expiresAt),
  }
}
