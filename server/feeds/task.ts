import type { StateDb } from '#server/store/database.ts'
import { type OutboxRow, updateOutboxRow } from '#server/store/outbox.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { Contributor } from '#shared/contributor.ts'
import type { PostDraft } from '#shared/entry.ts'
import type { BareJid } from '#shared/jid.ts'

/** What an outbox row holds to be done at any later time; instants are RFC 3339. */
export interface PostTask {
  readonly kind: 'post'
  readonly draft: PostDraft
  /** The draft of the form, to be deleted once the post is out. */
  readonly draftId: string
  readonly published: string
  readonly updated: string
  /** What an edit was made from; absent for a new post. */
  readonly base?: string
  /** Chosen before the first publication; null where none could be made. */
  readonly comments?: NodeAddress | null
}

export interface DeleteTask {
  readonly kind: 'delete'
  /** By somebody who says that they own the community, which the site does not see. */
  readonly isAsked?: boolean
  readonly comments?: NodeAddress
  /** The row of the community's owner, who may where the post's author may not. */
  readonly forwardedTo?: number
}

export interface CommentTask {
  readonly kind: 'comment'
  readonly text: string
  readonly inReplyTo?: ItemAddress
  readonly published: string
  /** Whose words the site account publishes. */
  readonly contributor?: Contributor
}

export interface RemoveCommentTask {
  readonly kind: 'remove-comment'
  /** By somebody who says that they own the community, which the site does not see. */
  readonly isAsked?: boolean
  /** The row of the post's author, who may where the comment's author may not. */
  readonly forwardedTo?: number
}

export interface SettingsTask {
  readonly kind: 'settings'
  readonly title: string
  readonly description: string
  readonly name: string
  readonly language: string
  readonly updated: string
}

export interface RelinkTask {
  readonly kind: 'relink'
  /** Absent where not its page, but the room beside its blog is another. */
  readonly alternate?: string
  readonly isRoom?: boolean
}

/** The row's node is followed or not as the state then says: the newest wish counts. */
export interface FollowTask {
  readonly kind: 'follow' | 'unfollow'
}

/** Makes public what the account follows, or takes it back, as the state then says. */
export interface PublicFollowsTask {
  readonly kind: 'public-follows'
}

/** A node for many people, to be made at the row's address. */
export interface CommunityTask {
  readonly kind: 'community'
  readonly profile: 'base' | 'gallery'
  readonly title: string
  readonly description: string
  /** Whether anybody may post; else its owner and `publishers`. */
  readonly isOpen: boolean
  readonly publishers: readonly BareJid[]
}

/** Somebody is shut out of the row's node, or may write there, or is one like all others again. */
export interface BlockTask {
  readonly kind: 'block'
  readonly jid: BareJid
  readonly affiliation: 'outcast' | 'publisher' | 'none'
}

/** A comment that was removed, published again from the kept copy, if the newest decision still is so. */
export interface RestoreCommentTask {
  readonly kind: 'restore-comment'
}

/** The comments of a post, on the row's node, are closed or open: as the state then says, unless it is only asked for. */
export interface CloseThreadTask {
  readonly kind: 'close-thread'
  readonly post: ItemAddress
  /** By somebody who says that they own the community, which the site does not see. */
  readonly isAsked?: boolean
  /** What is asked for. */
  readonly isClosed?: boolean
  /** The publish model that the node showed before it was asked for; null where it shows none. */
  readonly before?: string | null
}

/** A room beside the blog of the row's node. */
export interface RoomTask {
  readonly kind: 'room'
  readonly action: 'open' | 'close'
  /** Chosen before it is made: a name is used once. */
  readonly channel?: BareJid
}

/** The account joins the channel of the row's address, under a name, or leaves it. */
export interface RoomMemberTask {
  readonly kind: 'room-member'
  readonly action: 'join' | 'leave'
  readonly nick: string
}

/** Something to be said in the channel of the row's address, or taken back there. */
export interface RoomMessageTask {
  readonly kind: 'room-message'
  readonly text?: string
  readonly inReplyTo?: ItemAddress
  readonly retracts?: ItemId
}

/** Tells a room of a post, as it then is: that it is there, was changed, or is gone. */
export interface AnnounceTask {
  readonly kind: 'announce'
  readonly channel: BareJid
  readonly post: ItemAddress
}

/** Somebody's emoji under a post, attached to it or taken back. */
export interface ReactTask {
  readonly kind: 'react'
  readonly post: ItemAddress
  readonly emoji: string
  readonly isOn: boolean
  /** RFC 3339. */
  readonly at: string
  /** The comment that it is where the post has no node of attachments. */
  readonly heart: ItemId
  /** The row that takes back such a comment. */
  readonly forwardedTo?: number
}

export type Task =
  | ReactTask
  | AnnounceTask
  | RoomTask
  | RoomMemberTask
  | RoomMessageTask
  | RestoreCommentTask
  | CloseThreadTask
  | CommunityTask
  | BlockTask
  | PostTask
  | DeleteTask
  | CommentTask
  | RemoveCommentTask
  | SettingsTask
  | RelinkTask
  | FollowTask
  | PublicFollowsTask

export function readTask(row: Pick<OutboxRow, 'task'>): Task {
  return JSON.parse(row.task) as Task
}

/** Whether it asks a service for something on the word of somebody whom the site does not see to be its owner. */
export function isAsked(task: Task): boolean {
  return 'isAsked' in task && task.isAsked === true
}

export function writeTask(task: Task): string {
  return JSON.stringify(task)
}

export async function saveTask(state: StateDb, row: OutboxRow, task: Task): Promise<void> {
  await updateOutboxRow(state, row.id, { task: writeTask(task) })
}
