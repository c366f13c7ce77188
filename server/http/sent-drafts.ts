import { readTask } from '#server/feeds/task.ts'
import { listPostDrafts } from '#server/people/drafts.ts'
import type { StateDb } from '#server/store/database.ts'
import type { Draft } from '#server/store/draft.ts'
import { findDraft } from '#server/store/draft.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findOutboxForm, listOutbox } from '#server/store/outbox.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

/** A draft and what became of it, if it was sent. */
export interface SentDraft {
  readonly draft: Draft
  readonly row?: OutboxRow
}

/** Newest first, with what became of those that were sent. */
export async function listSentDrafts(state: StateDb, jid: BareJid): Promise<SentDraft[]> {
  const sent = await findSent(state, jid)
  return (await listPostDrafts(state, jid)).map((draft) => ({ draft, row: sent.get(draft.id) }))
}

/** A draft to go on with. */
export async function findSentDraft(state: StateDb, jid: BareJid, id: string): Promise<SentDraft | undefined> {
  const draft = await findDraft(state, jid, id)
  return draft && { draft, row: (await findSent(state, jid)).get(id) }
}

/** Whether this very text is published or on its way. */
export async function wasSent(state: StateDb, draft: Draft): Promise<boolean> {
  const row = await findOutboxForm(state, draft.jid, `post:${draft.id}`)
  if (row === undefined || row.status === 'refused') return false
  const task = readTask(row)
  return task.kind === 'post' && task.draft.text === draft.text && task.draft.title === draft.title.trim()
}

/** The post that a form made. */
export async function findSentPost(state: StateDb, jid: BareJid, id: string): Promise<ItemAddress | undefined> {
  const row = await findOutboxForm(state, jid, `post:${id}`)
  return row?.status === 'done' ? row.address : undefined
}

/** What waits or was refused, by the drafts it came from; the newest of each. */
async function findSent(state: StateDb, jid: BareJid): Promise<Map<string, OutboxRow>> {
  const sent = new Map<string, OutboxRow>()
  for (const row of await listOutbox(state, jid)) {
    const task = readTask(row)
    if (task.kind === 'post' && !sent.has(task.draftId)) sent.set(task.draftId, row)
  }
  return sent
}
