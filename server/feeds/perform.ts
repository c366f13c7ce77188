import type { OutboxRow } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { performCloseThread } from './moderation/perform-close-thread.ts'
import { performRestoreComment } from './moderation/perform-restore.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { performBlock } from './perform-block.ts'
import { performComment } from './perform-comment.ts'
import { performCommunity } from './perform-community.ts'
import { performDelete } from './perform-delete.ts'
import { performFollow } from './perform-follow.ts'
import { performPost } from './perform-post.ts'
import { performPublicFollows } from './perform-public-follows.ts'
import { performRelink } from './perform-relink.ts'
import { performRemoveComment } from './perform-remove-comment.ts'
import { performSettings } from './perform-settings.ts'
import { performReact } from './reactions/perform-react.ts'
import { performAnnounce } from './rooms/perform-announce.ts'
import { performRoomMessage } from './rooms/perform-message.ts'
import { performRoom, performRoomMember } from './rooms/perform-room.ts'
import type { Sent } from './show.ts'
import type { Task } from './task.ts'

export interface Performance<T extends Task = Task> {
  /** The account's own. */
  readonly session: XmppSession
  /** `attempts` of it counts how often it was begun before: after the first time the network may know the item. */
  readonly row: OutboxRow
  readonly task: T
  /** Must come before anything is sent: it stores that the network may know of it. Throws CancelledError. */
  readonly begin: () => Promise<void>
}

/** The row was taken back before it was begun. */
export class CancelledError extends Error {}

type Performer<T extends Task> = (
  deps: OutboxDeps,
  performance: Performance<T>,
) => Promise<Sent | undefined> | Promise<void>
type Performers = { readonly [Kind in Task['kind']]: Performer<Extract<Task, { readonly kind: Kind }>> }

const PERFORMERS: Performers = {
  post: performPost,
  delete: performDelete,
  comment: performComment,
  'remove-comment': performRemoveComment,
  'restore-comment': performRestoreComment,
  'close-thread': performCloseThread,
  react: performReact,
  settings: performSettings,
  relink: performRelink,
  follow: performFollow,
  unfollow: performFollow,
  community: performCommunity,
  block: performBlock,
  room: performRoom,
  'room-member': performRoomMember,
  'room-message': performRoomMessage,
  announce: performAnnounce,
  'public-follows': performPublicFollows,
}

/** Every kind of task. */
export const TASK_KINDS = Object.keys(PERFORMERS) as readonly Task['kind'][]

/**
 * Does what a row says, on the network and then, as far as it may be believed or is seen, in the index and the state.
 * Again does no harm. Resolves with why nothing of it shows here, if so. Fails by AppError.
 */
export async function perform(deps: OutboxDeps, performance: Performance): Promise<Sent | undefined> {
  const performer = PERFORMERS[performance.task.kind] as Performer<Task>
  return (await performer(deps, performance)) ?? undefined
}
