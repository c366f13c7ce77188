import { AppError } from '#server/errors.ts'
import type { Person } from '#server/people/people.ts'
import type { BlogRow } from '#server/store/blog.ts'
import { findRoomOfBlog, type RoomRow } from '#server/store/room.ts'
import type { AppContext } from './context.ts'
import { type FeedParams, readFeedParams } from './places.ts'
import { findAccess, requireFeed } from './shown.ts'

export type RoomParams = Pick<FeedParams, 'blog'>

/** The room of a blog that this person, or without one anybody, may see; 404 where it has none. */
export async function requireRoom(
  ctx: AppContext,
  params: RoomParams,
  person: Person | undefined,
): Promise<{ blog: BlogRow; room: RoomRow }> {
  const { blog, room } = await findRoomIfOpen(ctx, params, person)
  if (room === undefined) throw new AppError('not-found', 'This blog has no room.')
  return { blog, room }
}

/** A blog that this person may see; without a room where it has none any more. */
export async function findRoomIfOpen(
  ctx: AppContext,
  params: RoomParams,
  person: Person | undefined,
): Promise<{ blog: BlogRow; room?: RoomRow }> {
  const blog = await requireFeed(ctx, readFeedParams(ctx, params), person)
  if ((await findAccess(ctx, blog.address, person)) === 'stranger')
    throw new AppError('not-found', 'This blog has no room.')
  const room = await findRoomOfBlog(ctx.state, blog.address)
  return room?.status === 'open' ? { blog, room } : { blog }
}
