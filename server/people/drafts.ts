import { AppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import type { Draft } from '#server/store/draft.ts'
import { deleteDraft, findDraft, listDrafts, measureDrafts, saveDraft } from '#server/store/draft.ts'
import type { ItemAddress } from '#shared/address.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

const MOST_DRAFTS = 200
/** What would be lost otherwise is kept beyond that. */
const MOST_RESCUED = 1_000
const LONGEST_TEXT = 1_000_000
/** Characters of all drafts of an account. */
const ALL_TEXTS = 20_000_000
/** Comments that were being written are drafts too, one a post. */
const COMMENT = 'comment '

/** Stores what was typed; too-large beyond what any server would take, too-many beyond what anybody looks through. */
export async function keepDraft(state: StateDb, draft: Draft, most = MOST_DRAFTS): Promise<void> {
  const known = await findDraft(state, draft.jid, draft.id)
  if (isEmpty(draft) && known === undefined) return
  const size = draft.title.length + draft.text.length + draft.tags.length + draft.summary.length
  if (size > LONGEST_TEXT) throw new AppError('too-large', 'The text is too long to be kept. Copy it, then shorten it.')
  const kept = await measureDrafts(state, draft.jid)
  if (known === undefined && kept.count >= most) {
    throw new AppError('too-many', `You have ${most} drafts. Delete some, then save this one.`)
  }
  if (kept.size + size > ALL_TEXTS) {
    throw new AppError('too-large', 'Your drafts are too long in all. Delete some, then save this one.')
  }
  await saveDraft(state, draft)
}

/** Stores what has no other place: its form is gone, or is being sent. */
export async function rescueDraft(state: StateDb, draft: Draft): Promise<void> {
  await keepDraft(state, draft, MOST_RESCUED)
}

export async function dropDraft(state: StateDb, jid: BareJid, id: string): Promise<void> {
  await deleteDraft(state, jid, id)
}

/** Posts that are being written, newest first. */
export async function listPostDrafts(state: StateDb, jid: BareJid): Promise<Draft[]> {
  return (await listDrafts(state, jid)).filter(({ id }) => !id.startsWith(COMMENT))
}

/** The comment that somebody was writing under a post when their session ended. */
export async function findCommentDraft(state: StateDb, jid: BareJid, post: ItemAddress): Promise<string | undefined> {
  return (await findDraft(state, jid, COMMENT + addressKey(post)))?.text
}

export async function keepCommentDraft(
  state: StateDb,
  jid: BareJid,
  { post, text, now }: { post: ItemAddress; text: string; now: Date },
): Promise<void> {
  const rest = { title: '', tags: '', language: '', summary: '', comments: false, updatedAt: now }
  await rescueDraft(state, { ...rest, id: COMMENT + addressKey(post), jid, text })
}

export async function dropCommentDraft(state: StateDb, jid: BareJid, post: ItemAddress): Promise<void> {
  await deleteDraft(state, jid, COMMENT + addressKey(post))
}

function isEmpty({ title, text, tags, summary, pictures = [] }: Draft): boolean {
  return pictures.length === 0 && [title, text, tags, summary].every((field) => field.trim() === '')
}
