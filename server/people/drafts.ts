import { AppError, explainTooLong } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import type { Draft } from '#server/store/draft.ts'
import { deleteDraft, findDraft, listDrafts, saveDraft } from '#server/store/draft.ts'
import { type KeepDeps, requireSpaceInstead } from '#server/store/space-left.ts'
import type { ItemAddress, XmppAddress } from '#shared/address.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

/** Characters of one draft. */
const LONGEST = 1_000_000
/** Factor of the bound of drafts for text that would be lost otherwise. */
const RESCUED = 2
/** What was being written in the form of a page is a draft too, one for each kind and place; the keys of forms have no space. */
const PLACED = /^(?:comment|repost|message) /

/** The form in which something short was being written. */
export interface DraftPlace {
  readonly kind: 'comment' | 'repost' | 'message'
  /** The post that is commented on or shared, or the node of the room. */
  readonly at: XmppAddress
}

/** Stores what was typed; too-large beyond what any server would take, too-many beyond what anybody looks through. */
export async function keepDraft(deps: KeepDeps, draft: Draft, times = 1): Promise<void> {
  const former = await findDraft(deps.state, draft.jid, draft.id)
  if (isEmpty(draft) && former === undefined) return
  const length = lengthOf(draft)
  if (length > LONGEST) throw new AppError('too-large', explainTooLong('This text', length, LONGEST))
  await requireSpaceInstead(deps, 'drafts', { account: draft.jid, row: draft, former, times })
  await saveDraft(deps.state, draft)
}

/** Stores what has no other place: its form is gone, or is being sent. */
export async function rescueDraft(deps: KeepDeps, draft: Draft): Promise<void> {
  await keepDraft(deps, draft, RESCUED)
}

export async function dropDraft(state: StateDb, jid: BareJid, id: string): Promise<void> {
  await deleteDraft(state, jid, id)
}

/** Posts that are being written, newest first. */
export async function listPostDrafts(state: StateDb, jid: BareJid): Promise<Draft[]> {
  return (await listDrafts(state, jid)).filter(({ id }) => !PLACED.test(id))
}

/** Something short that was being written. */
export interface PlacedDraft {
  readonly place: DraftPlace
  readonly text: string
  /** The comment or message that it answers. */
  readonly answers?: ItemAddress | undefined
}

/** What somebody was writing there when their session ended. */
export async function findPlacedDraft(
  state: StateDb,
  jid: BareJid,
  place: DraftPlace,
): Promise<PlacedDraft | undefined> {
  const draft = await findDraft(state, jid, placedId(place))
  if (draft === undefined) return undefined
  const { text, to } = draft
  return { place, text, ...(to !== undefined && 'item' in to && { answers: to }) }
}

export async function keepPlacedDraft(
  deps: KeepDeps,
  jid: BareJid,
  { place, text, answers, now }: PlacedDraft & { readonly now: Date },
): Promise<void> {
  const rest = { title: '', tags: '', language: '', summary: '', comments: false, updatedAt: now }
  await rescueDraft(deps, { ...rest, ...(answers && { to: answers }), id: placedId(place), jid, text })
}

export async function dropPlacedDraft(state: StateDb, jid: BareJid, place: DraftPlace): Promise<void> {
  await deleteDraft(state, jid, placedId(place))
}

function placedId({ kind, at }: DraftPlace): string {
  return `${kind} ${addressKey(at)}`
}

function lengthOf({ title, text, tags, language, summary, pictures = [] }: Draft): number {
  return [title, text, tags, language, summary, JSON.stringify(pictures)].join('').length
}

function isEmpty({ title, text, tags, summary, pictures = [] }: Draft): boolean {
  return pictures.length === 0 && [title, text, tags, summary].every((field) => field.trim() === '')
}
