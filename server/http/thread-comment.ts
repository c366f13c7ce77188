import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import { type CommentRow, findComment } from '#server/store/comment.ts'
import { findNode } from '#server/store/node.ts'
import { findRoomOfBlog } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { findAnswerable, type ThreadPlace } from '#server/store/thread.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import type { ItemAddress } from '#shared/address.ts'
import { readCommentSegment } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { readerOf } from './readable.ts'

/** The comment, or the answer in the blog's room, that a segment of an address means; it need not be there. */
export async function findCommentAddress(
  { state }: Pick<AppContext, 'state'>,
  { address, comments }: ThreadPlace,
  segment: string,
): Promise<ItemAddress | undefined> {
  const read = readCommentSegment(segment)
  if (read === undefined) return undefined
  if (!read.isFromRoom) return comments && { ...comments, item: read.item }
  const room = await findRoomOfBlog(state, address)
  return room && { ...talkNode(room.channel), item: read.item }
}

/** The comment, if this person, or without one anybody, is shown it: 410 for one that was removed. */
export async function requireComment(
  { index, permits }: Pick<AppContext, 'index' | 'permits'>,
  address: ItemAddress | undefined,
  person: Person | undefined,
): Promise<CommentRow> {
  const reader = address && readerOf({ permits }, person, address)
  const comment = address && (await findComment(index, address, reader))
  if (comment !== undefined) return comment
  const isReadable =
    address !== undefined && (reader?.readable.length === 1 || (await findNode(index, address))?.status === 'open')
  const isGone =
    isReadable &&
    ((await findAnswerable(index, address))?.hold === 'removed' || (await findTombstone(index, address)) !== undefined)
  throw isGone
    ? new AppError('gone', 'This comment was removed.')
    : new AppError('not-found', 'There is no such comment.')
}
