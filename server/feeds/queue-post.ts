import { createHash, randomUUID } from 'node:crypto'
import { AppError, isAppError } from '#server/errors.ts'
import { type Draft, findDraft, saveDraft } from '#server/store/draft.ts'
import { findNode } from '#server/store/node.ts'
import { findOutboxForm, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import { findPost, type PostRow } from '#server/store/post.ts'
import { requireSpaceInstead } from '#server/store/space-left.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { type PostDraft, readEntry } from '#shared/entry.ts'
import { createItemId } from '#shared/item-id.ts'
import type { BareJid } from '#shared/jid.ts'
import { gallery } from '#shared/profiles/index.ts'
import { parseXml } from '#shared/xml.ts'
import { blogOf } from './indexing.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { queue } from './queue-row.ts'
import { type PostTask, readTask } from './task.ts'

export interface NewPost {
  readonly author: BareJid
  /** Of the form: a double click, the back button and a reload count once. */
  readonly key: string
  readonly draft: PostDraft
  /** The community that it is for; the author's own blog unless told. */
  readonly to?: NodeAddress
  /** The post that it changes. */
  readonly edits?: ItemAddress
  /** The `updated` of the version that the form showed. */
  readonly baseUpdated?: Date
}

/** Publishes a post or a change of one. Throws `conflict`, with the text kept as a draft, where the form was behind. */
export async function queuePost(deps: QueueDeps, post: NewPost): Promise<OutboxRow> {
  try {
    // Nothing may come between looking at what is there and storing the row: two tabs may send at once.
    return await deps.state.transaction().execute((state) => queueNext({ ...deps, state }, post))
  } catch (error) {
    if (isAppError(error, 'conflict')) await keepAsDraft(deps, post)
    throw error
  }
}

async function queueNext(deps: QueueDeps, post: NewPost): Promise<OutboxRow> {
  const { author, key, draft } = post
  await requireContent(deps, post)
  const earlier = await findOutboxForm(deps.state, author, `post:${key}`)
  if (earlier !== undefined && earlier.status !== 'refused') return queueAgain(deps, post, earlier)
  if (earlier !== undefined) return queueAfresh(deps, post, earlier)
  if (post.edits !== undefined) return queueEdit(deps, { ...post, draftId: key, edits: post.edits })
  const now = deps.clock().toISOString()
  const item = createItemId(draft.title || draft.text.slice(0, 80), randomUUID())
  const task: PostTask = { kind: 'post', draft, draftId: key, published: now, updated: now }
  return queue(deps, task, { account: author, address: { ...(post.to ?? blogOf(author)), item }, key })
}

/** Something to read, or in a gallery to see, for those who cannot see too (XEP-0472 §6.3). */
async function requireContent({ index }: QueueDeps, { draft, to, edits }: NewPost): Promise<void> {
  const { title, text, pictures = [] } = draft
  const node = edits ?? to
  const type = node && (await findNode(index, node))?.type
  if (type === gallery.type && pictures.length === 0) throw new AppError('bad-request', 'Add a picture first.')
  // What others did not describe is theirs to describe.
  if (draft.repost === undefined && pictures.some(({ alt }) => alt.trim() === '')) {
    throw new AppError('bad-request', 'Say in words what is to be seen, for those who cannot see it.')
  }
  if (title.trim() === '' && text.trim() === '' && pictures.length === 0) {
    throw new AppError('bad-request', 'The post has no text')
  }
}

/** The same form once more: nothing new, or (the back button) a change of what it published. */
async function queueAgain(deps: QueueDeps, post: NewPost, earlier: OutboxRow): Promise<OutboxRow> {
  const task = readTask(earlier) as PostTask
  const content = contentOf(post.draft)
  if (contentOf(task.draft) === content) return earlier
  const key = `${post.key} ${hashOf(content)}`
  const again = await findOutboxForm(deps.state, post.author, `post:${key}`)
  if (again !== undefined) return again
  const draftId = post.key
  return queueEdit(deps, { ...post, key, draftId, edits: earlier.address, baseUpdated: new Date(task.updated) })
}

/** A form that was refused, sent again: a row of its own, for the same item. */
async function queueAfresh(deps: QueueDeps, post: NewPost, earlier: OutboxRow): Promise<OutboxRow> {
  const key = `${post.key} after ${earlier.id} ${hashOf(contentOf(post.draft))}`
  const again = await findOutboxForm(deps.state, post.author, `post:${key}`)
  if (again !== undefined && again.status !== 'refused') return again
  if (again !== undefined) return queueAfresh(deps, { ...post, key }, again)
  const task = readTask(earlier) as PostTask
  if (task.base !== undefined) return queueEdit(deps, { ...post, key, draftId: task.draftId, edits: earlier.address })
  const updated = deps.clock().toISOString()
  const { draftId, published } = task
  const next: PostTask = { kind: 'post', draft: post.draft, draftId, published, updated }
  return queue(deps, next, { account: post.author, address: earlier.address, key })
}

async function queueEdit(deps: QueueDeps, post: NewPost & { edits: ItemAddress; draftId: string }): Promise<OutboxRow> {
  const { author, key, draftId, draft, edits, baseUpdated } = post
  const current = await findCurrent(deps, author, edits)
  if (baseUpdated !== undefined && current.updated > baseUpdated) {
    throw new AppError('conflict', 'The post was changed meanwhile. Your text is kept: compare, then publish it again')
  }
  const updated = new Date(Math.max(deps.clock().getTime(), current.updated.getTime() + 1))
  const task: PostTask = {
    kind: 'post',
    draft,
    draftId,
    published: current.published.toISOString(),
    updated: updated.toISOString(),
    base: current.written.toISOString(),
  }
  return queue(deps, task, { account: author, address: edits, key })
}

/** Whether a post is somebody's to change: on their own account, or published by them on another's node. */
export function isOwnPost(
  author: BareJid,
  { service }: NodeAddress,
  post: Pick<PostRow, 'publisher'> | 'gone' | undefined,
): boolean {
  const publisher = typeof post === 'object' ? post.publisher : undefined
  return publisher === undefined ? service === author : publisher === author
}

interface Current {
  readonly published: Date
  /** As pages show it: never in the future. */
  readonly updated: Date
  /** As it is on the node: another clock than ours may have been ahead, or ours. */
  readonly written: Date
}

/** The newest version that is known: one on its way, else what the index has. */
async function findCurrent(deps: QueueDeps, author: BareJid, address: ItemAddress): Promise<Current> {
  const post = await findPost(deps.index, address, 'restricted')
  const rows = (await listOutboxOf(deps.state, address)).filter(({ account }) => account === author)
  if (!isOwnPost(author, address, post) && !rows.some(({ kind }) => kind === 'post')) {
    throw new AppError('forbidden', 'Only its author can change a post')
  }
  const waiting = rows.find(({ kind, status }) => kind === 'post' && status === 'waiting')
  const task = waiting === undefined ? undefined : (readTask(waiting) as PostTask)
  if (task !== undefined) {
    const updated = new Date(task.updated)
    return { published: new Date(task.published), updated, written: updated }
  }
  if (post === 'gone') throw new AppError('gone', 'The post was deleted')
  if (post === undefined) throw new AppError('not-found', 'There is no such post')
  const payload = parseXml(post.payload)
  const written = (payload && readEntry(payload)?.updated) ?? post.updated
  return { published: post.published, updated: post.updated, written }
}

async function keepAsDraft(deps: QueueDeps, { author, key, draft, to, edits, baseUpdated }: NewPost): Promise<void> {
  const { state, clock } = deps
  const { title, text, tags, language, summary, comments, pictures } = draft
  const content = { title, text, tags: tags.join(', '), language, summary, comments, pictures, to }
  const kept: Draft = { id: key, jid: author, edits, baseUpdated, ...content, updatedAt: clock() }
  await requireSpaceInstead(deps, 'drafts', {
    account: author,
    row: kept,
    former: await findDraft(state, author, key),
    times: 2,
  })
  await saveDraft(state, kept)
}

function contentOf({ title, text, tags, language, summary, comments, pictures }: PostDraft): string {
  return JSON.stringify([title, text, tags, language, summary, comments, pictures])
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
