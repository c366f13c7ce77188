import { createHash } from 'node:crypto'
import type { CommentRow } from '#server/store/comment.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { TalkRow } from '#server/store/room-talk.ts'

/** What an open post page shows of its thread, as a short text: another one means that there is something new. */
export function writePostVersion(post: PostRow, comments: readonly CommentRow[]): string {
  const parts = comments.map(({ address, updated }) => [address.item, updated.getTime()])
  return digest([post.updated.getTime(), ...parts])
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
