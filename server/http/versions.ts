import { createHash } from 'node:crypto'
import { findNode } from '#server/store/node.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { countReactions } from '#server/store/reaction.ts'
import type { TalkRow } from '#server/store/room-talk.ts'
import { readThreadStamp, type ThreadReader } from '#server/store/thread.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import type { AppContext } from './context.ts'

/** What an open post page shows of its thread, as a short text: another one means that there is something new. */
export async function readPostVersion(
  { index, state }: Pick<AppContext, 'index' | 'state'>,
  post: PostRow,
  reader: ThreadReader | undefined,
): Promise<string> {
  const reactions = await countReactions(index, post.address, reader)
  const attachments = await findNode(index, attachmentsOf(post.address))
  const isClosed = (await findClosedThread(state, post.address)) !== undefined
  return digest([
    ...[post.updated.getTime(), await readThreadStamp(index, post, reader)],
    // What can be said, and which reactions can be given.
    ...[isClosed, attachments?.status, attachments?.isWaiting],
    ...reactions.map(({ emoji, count }) => [emoji, count]),
  ])
}

/** Posts on one page of a list. */
export const PAGE_POSTS = 20

/** What an open first page of a list shows: the newest post, and the one that came last, which may have an old date. */
export function writeListVersion(posts: readonly PostRow[]): string {
  const [newest] = posts
  if (newest === undefined) return digest([])
  const arrivals = posts.map(({ arrivedAt }) => arrivedAt.getTime())
  return digest([newest.address.item, newest.published.getTime(), Math.max(...arrivals)])
}

/** What an open page of a room shows of its newest talk, and how many are in it. */
export function writeTalkVersion(talk: readonly TalkRow[], peopleCount: number): string {
  const parts = talk.map(({ address, changed, hold }) => [address.item, changed.getTime(), hold])
  return digest([peopleCount, ...parts])
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16)
}
