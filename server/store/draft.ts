import type { Selectable } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { Picture } from '#shared/entry.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { DraftTable } from './state-schema.ts'

/** What somebody is writing, as it stands in the form. */
export interface Draft {
  /** The key of its form, one account's own. */
  readonly id: string
  readonly jid: BareJid
  readonly edits?: ItemAddress
  readonly baseUpdated?: Date
  readonly title: string
  readonly text: string
  /** As typed. */
  readonly tags: string
  readonly language: string
  readonly summary: string
  readonly comments: boolean
  /** The node that it is for, the account's own blog unless told; of something short, the item that it answers. */
  readonly to?: NodeAddress | ItemAddress
  readonly pictures?: readonly Picture[]
  readonly updatedAt: Date
}

export async function saveDraft(state: StateDb, draft: Draft): Promise<void> {
  const { jid, id, title, text, tags, language, summary } = draft
  const content = {
    edits: draft.edits === undefined ? null : JSON.stringify(draft.edits),
    baseUpdated: draft.baseUpdated?.toISOString() ?? null,
    ...{ title, text, tags, language, summary },
    comments: Number(draft.comments),
    target: draft.to === undefined ? null : JSON.stringify(draft.to),
    pictures: draft.pictures === undefined ? null : JSON.stringify(draft.pictures),
    updatedAt: draft.updatedAt.toISOString(),
  }
  await state
    .insertInto('draft')
    .values({ jid, id, ...content })
    .onConflict((conflict) => conflict.columns(['jid', 'id']).doUpdateSet(content))
    .execute()
}

export async function findDraft(state: StateDb, jid: BareJid, id: string): Promise<Draft | undefined> {
  const query = state.selectFrom('draft').selectAll().where('jid', '=', jid).where('id', '=', id)
  const row = await query.executeTakeFirst()
  return row && readDraftRow(row)
}

/** Newest first. */
export async function listDrafts(state: StateDb, jid: BareJid): Promise<Draft[]> {
  const rows = await state
    .selectFrom('draft')
    .selectAll()
    .where('jid', '=', jid)
    .orderBy('updatedAt', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(readDraftRow)
}

export async function deleteDraft(state: StateDb, jid: BareJid, id: string): Promise<void> {
  await state.deleteFrom('draft').where('jid', '=', jid).where('id', '=', id).execute()
}

function readDraftRow(row: Selectable<DraftTable>): Draft {
  const { id, jid, title, text, tags, language, summary } = row
  return {
    ...{ id, jid, title, text, tags, language, summary },
    edits: row.edits === null ? undefined : (JSON.parse(row.edits) as ItemAddress),
    baseUpdated: row.baseUpdated === null ? undefined : new Date(row.baseUpdated),
    comments: row.comments === 1,
    ...(row.target === null ? {} : { to: JSON.parse(row.target) as NodeAddress | ItemAddress }),
    ...(row.pictures === null ? {} : { pictures: JSON.parse(row.pictures) as Picture[] }),
    updatedAt: new Date(row.updatedAt),
  }
}
