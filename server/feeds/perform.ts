import type { OutboxRow } from '#server/store/outbox.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { performCloseThread } from './moderation/perform-close-thread.ts'
import { performRestoreComment } from './moderation/perform-restore.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { performBlock } from './perform-block.ts'
import { performComment, performRemoveComment } from './perform-comment.ts'
import { performCommunity } from './perform-community.ts'
import { performDelete } from './perform-delete.ts'
import { performFollow } from './perform-follow.ts'
import { performPost } from './perform-post.ts'
import { performPublicFollows } from './perform-public-follows.ts'
import { performRelink } from './perform-relink.ts'
import { performSettings } from './perform-settings.ts'
import { performReact } from './reactions/perform-react.ts'
import { performAnnounce } from './rooms/perform-announce.ts'
import { performRoomMessage } from './rooms/perform-message.ts'
import { performRoom, performRoomMember } from './rooms/perform-room.ts'
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

/** Does what a row says, on the network and then in the index. Again does no harm. Fails by AppError. */
export async function perform(deps: OutboxDeps, { task, ...performance }: Performance): Promise<void> {
  switch (task.kind) {
    case 'post':
      return performPost(deps, { ...performance, task })
    case 'delete':
      return performDelete(deps, { ...performance, task })
    case 'comment':
      return performComment(deps, { ...performance, task })
    case 'remove-comment':
      return performRemoveComment(deps, { ...performance, task })
    case 'restore-comment':
      return performRestoreComment(deps, { ...performance, task })
    case 'close-thread':
      return performCloseThread(deps, { ...performance, task })
    case 'react':
      return performReact(deps, { ...performance, task })
    case 'settings':
      return performSettings(deps, { ...performance, task })
    case 'relink':
      return performRelink(deps, { ...performance, task })
    case 'follow':
    case 'unfollow':
      return performFollow(deps, performance)
    case 'community':
      return performCommunity(deps, { ...performance, task })
    case 'block':
      return performBlock(deps, { ...performance, task })
    case 'room':
      return performRoom(deps, { ...performance, task })
    case 'room-member':
      return performRoomMember(deps, { ...performance, task })
    case 'room-message':
      return performRoomMessage(deps, { ...performance, task })
    case 'announce':
      return performAnnounce(deps, { ...performance, task })
    case 'public-follows':
      return performPublicFollows(deps, performance)
  }
}
