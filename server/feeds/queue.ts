import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import { findComment } from '#server/store/comment.ts'
import { findNode } from '#server/store/node.ts'
import { deleteUnbegun, findOutboxForm, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { listRightfulPosts } from '#server/store/thread-node.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { addressKey, asItemId, type ItemAddress } from '#shared/address.ts'
import type { Contributor } from '#shared/contributor.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { createItemId } from '#shared/item-id.ts'
import type { BareJid } from '#shared/jid.ts'
import { blogOf } from './indexing.ts'
import { requireWithinLimits } from './moderation/limits.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { isModerator, isSeenModerator, type OwnersDeps, seeModerator } from './owners.ts'
import { isOwnPost } from './queue-post.ts'
import { queue } from './queue-row.ts'
import type { Task } from './task.ts'

export { queueAffiliation, queueCommunity } from './communities.ts'
export { isOwnPost, type NewPost, queuePost } from './queue-post.ts'

/** Deletes somebody's own post, or any of a community that they own, with its comments. */
export async function queueDelete(
  deps: QueueDeps & OwnersDeps,
  { author, address }: { author: BareJid; address: ItemAddress },
): Promise<OutboxRow> {
  const post = await findPost(deps.index, address, 'restricted')
  const isThere = post !== undefined && post !== 'gone'
  const rows = await listOutboxOf(deps.state, address)
  const [last] = rows.filter(({ kind, account }) => account === author && (kind === 'post' || kind === 'delete'))
  const isOwn = isOwnPost(author, address, post) || rows.some((row) => row.kind === 'post' && row.account === author)
  const isSeen = isOwn || (await seeModerator(deps, author, address))
  const mayDelete = isSeen || last !== undefined || (await isModerator(deps, author, address))
  if (!mayDelete) throw new AppError('forbidden', 'Only its author, and who owns the community, can delete a post')
  // Sent twice.
  if (!isThere && last?.kind === 'delete') return last
  if (!isThere && last === undefined) throw new AppError('not-found', 'There is no such post')
  // What never began need never be seen.
  await deleteUnbegun(deps.state, { account: author, address, kind: 'post' })
  const key = `${addressKey(address)} ${isThere ? post.published.toISOString() : last?.id}`
  const comments = isThere ? post.comments : undefined
  return queue(deps, { kind: 'delete', comments, isAsked: !isSeen }, { account: author, address, key })
}

export interface NewComment {
  readonly author: BareJid
  /** Of the form, so that it counts once. */
  readonly key: string
  readonly post: ItemAddress
  readonly text: string
  /** The comment that it answers. */
  readonly inReplyTo?: ItemAddress
  /** Who wrote it, where the site account publishes it for them. */
  readonly contributor?: Contributor
}

/** Comments on a post, by the commenter's own session. */
export async function queueComment(
  deps: QueueDeps,
  { author, key, post, text, inReplyTo, contributor }: NewComment,
): Promise<OutboxRow> {
  const found = await findPost(deps.index, post, 'restricted')
  if (found === 'gone') throw new AppError('gone', 'The post was deleted')
  if (found === undefined) throw new AppError('not-found', 'There is no such post')
  if (found.comments === undefined) throw new AppError('forbidden', 'This post takes no comments')
  if (text.trim() === '') throw new AppError('bad-request', 'The comment has no text')
  if ((await findClosedThread(deps.state, post)) !== undefined && !(await isSeenModerator(deps, author, post))) {
    throw new AppError('forbidden', 'The comments on this post are closed')
  }
  const again = await findOutboxForm(deps.state, author, `comment:${key}`)
  if (again !== undefined) return again
  await requireWithinLimits(deps, { account: author, who: contributor?.jid ?? author, thread: found.comments, post })
  const address = { ...found.comments, item: createItemId('', randomUUID()) }
  const published = deps.clock().toISOString()
  return queue(
    deps,
    { kind: 'comment', text, inReplyTo: inReplyTo ?? post, published, contributor },
    { account: author, address, key },
  )
}

/** Removes a comment: its own author may, and the author of the post. */
export async function queueRemoveComment(
  deps: QueueDeps,
  { by, address }: { by: BareJid; address: ItemAddress },
): Promise<OutboxRow> {
  // Whether they may remove it does not hang on what they may be shown.
  const comment = await findComment(deps.index, address, { jid: by, readable: [address] })
  if (comment === undefined) {
    const rows = await listOutboxOf(deps.state, address)
    const sent = rows.find(({ kind, account }) => kind === 'remove-comment' && account === by)
    if (sent !== undefined) return sent
    throw new AppError('not-found', 'There is no such comment')
  }
  const node = await findNode(deps.index, address)
  const isOwn = comment.author?.jid === by || comment.contributor?.jid === by
  if (!isOwn && node?.owner !== by && !(await moderatesThread(deps, by, address))) {
    throw new AppError('forbidden', 'Only its author and the author of the post can remove a comment')
  }
  const key = `${addressKey(address)} ${comment.published.toISOString()}`
  // What the site account published for somebody it also takes back for them.
  const account = comment.contributor?.jid === by ? (comment.author?.jid ?? by) : by
  return queue(deps, { kind: 'remove-comment' }, { account, address, key })
}

/** Whether somebody was seen to look after a community with the post that these are the comments of. */
async function moderatesThread(deps: QueueDeps, jid: BareJid, thread: ItemAddress): Promise<boolean> {
  for (const post of await listRightfulPosts(deps.index, thread)) {
    if (await isSeenModerator(deps, jid, post)) return true
  }
  return false
}

export interface NewSettings {
  readonly author: BareJid
  readonly title: string
  readonly description: string
  readonly name: string
  readonly language: string
}

/** The blog's title and description, and what its author is called. */
export async function queueSettings(deps: QueueDeps, { author, ...settings }: NewSettings): Promise<OutboxRow> {
  const address = { ...blogOf(author), item: asItemId(METADATA_ITEM) }
  await deleteUnbegun(deps.state, { account: author, address, kind: 'settings' })
  const task: Task = { kind: 'settings', ...settings, updated: deps.clock().toISOString() }
  return queue(deps, task, { account: author, address, key: randomUUID() })
}
