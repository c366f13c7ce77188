import { createHash } from 'node:crypto'
import type { CommentRow } from '#server/store/comment.ts'
import type { PostRow } from '#server/store/post-row.ts'

/** What an open post page shows of its thread, as a short text: another one means that there is something new. */
export function writePostVersion(post: PostRow, comments: readonly CommentRow[]): string {
  const parts = comments.map(({ address, updated }) => [address.item, updated.getTime()])
  return digest([post.updated.getTime(), ...parts])
}

/** The newest post that an open blog page shows. */
export function writeBlogVersion(newest: PostRow | undefined): string {
  return digest(newest === undefined ? [] : [newest.address.item, newest.published.getTime()])
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16)
}
