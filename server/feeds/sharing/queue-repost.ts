import { AppError } from '#server/errors.ts'
import type { IndexDb } from '#server/store/database.ts'
import { findNode } from '#server/store/node.ts'
import { findOutboxForm, listOutbox, type OutboxRow } from '#server/store/outbox.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { findRepost } from '#server/store/repost.ts'
import { type ItemAddress, sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { createRepostDraft } from '#shared/write-repost.ts'
import type { QueueDeps } from '../outbox-deps.ts'
import { queuePost } from '../queue-post.ts'
import { readTask } from '../task.ts'

export interface NewRepost {
  readonly author: BareJid
  /** Of the form, so that it counts once. */
  readonly key: string
  readonly post: PostRow
  /** Of the original: its page, or its `xmpp:` address. */
  readonly url: string
  readonly words: string
}

/** Shares a post on somebody's own blog. Throws `forbidden` for what is theirs, `conflict` where they did so before. */
export async function queueRepost(deps: QueueDeps, repost: NewRepost): Promise<OutboxRow> {
  const { author, key, post, url, words } = repost
  const sent = await findOutboxForm(deps.state, author, `post:${key}`)
  if (sent === undefined || sent.status === 'refused') await requireShareable(deps, repost)
  const { title, html, tags, language, pictures, atomId, comments } = post
  const name = post.author?.name ?? post.claimedName
  const of = { via: post.address, atomId, name, comments }
  const draft = createRepostDraft({ of, title, html, tags, language, pictures, url, words })
  return queuePost(deps, { author, key, draft })
}

/** Throws `forbidden` for a post of a restricted node: whoever may read it shall not make it public by a click. */
export async function requireOpenNode(index: IndexDb, address: ItemAddress): Promise<void> {
  if ((await findNode(index, address))?.status !== 'restricted') return
  throw new AppError('forbidden', 'Only people whom its owner lets in may read this post, so it cannot be shared.')
}

/** Why somebody cannot share a post, whoever may read it. */
export function findShareObstacle({ author, repost }: PostRow, jid: BareJid): string | undefined {
  if (author?.jid === jid) return 'This is your own post.'
  return repost === undefined ? undefined : 'This is itself shared. Share its original.'
}

async function requireShareable(deps: QueueDeps, { author, post }: NewRepost): Promise<void> {
  const obstacle = findShareObstacle(post, author)
  if (obstacle !== undefined) throw new AppError('forbidden', obstacle)
  await requireOpenNode(deps.index, post.address)
  if ((await findOwnRepost(deps, author, post.address)) !== undefined) {
    throw new AppError('conflict', 'You have shared this already.')
  }
}

/** Somebody's repost of a post, also where it is not out yet. */
export async function findOwnRepost(
  { index, state }: Pick<QueueDeps, 'index' | 'state'>,
  author: BareJid,
  via: ItemAddress,
): Promise<ItemAddress | undefined> {
  const waiting = (await listOutbox(state, author)).find((row) => {
    const task = readTask(row)
    if (task.kind !== 'post' || row.status !== 'waiting' || task.draft.repost === undefined) return false
    return sameAddress(task.draft.repost.via, via)
  })
  return (await findRepost(index, via, author)) ?? waiting?.address
}
