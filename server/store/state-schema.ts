import type { Generated } from 'kysely'
import type { ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

/** The tables of the state. Instants are ISO 8601 in UTC; booleans are 0 or 1. */
export interface StateSchema {
  author: AuthorTable
  follow: FollowTable
  readMark: ReadMarkTable
  reader: ReaderTable
  community: CommunityTable
  block: BlockTable
  outbox: OutboxTable
  draft: DraftTable
  account: AccountTable
  browserSession: BrowserSessionTable
  signInFailure: SignInFailureTable
  setting: SettingTable
  decision: DecisionTable
  thread: ThreadTable
  siteBlock: SiteBlockTable
  report: ReportTable
  notification: NotificationTable
  threadWish: ThreadWishTable
  follower: FollowerTable
  room: RoomTable
  roomMember: RoomMemberTable
  proof: ProofTable
  changedWish: ChangedWishTable
  ownAccess: OwnAccessTable
  markedWords: MarkedWordsTable
}

/** The access model of an account's node, as its owner's own session read it last. */
export interface OwnAccessTable {
  service: BareJid
  node: string
  accessModel: string
  readAt: string
  /** Whether the site account hears of every change of the node's configuration since then. */
  isWatched: Generated<number>
}

export interface AuthorTable {
  jid: BareJid
  since: string
  /** Whether its owner let us open a node that was there before. */
  consent: Generated<'unasked' | 'asked' | 'given' | 'refused'>
  /** JSON: what would become public. */
  consentPosts: string | null
  maxItems: number | null
  /** Whose comments wait for approval: first ones with a link, all of strangers, or nobody's. */
  holds: Generated<'links' | 'strangers' | 'nobody'>
}

/** A feed that was begun or ceased to be followed, written for or kept as a community: triggers write it down. */
export interface ChangedWishTable {
  service: BareJid
  node: string
}

/** What somebody follows. */
export interface FollowTable {
  /** '' for the site itself, by its operator's command. */
  follower: BareJid | ''
  service: BareJid
  node: string
  title: string | null
  /** Its Atom feed on the web, where it is known. */
  feedUrl: string | null
  since: string
  /** Of the follower's own account. */
  subscription: Generated<'none' | 'pending' | 'subscribed' | 'refused'>
  problem: string | null
  /** Whether it is in the list on the follower's own account. */
  isListed: Generated<number>
  /** Whether it was in the list there that contacts may read (XEP-0330), when that was last read. */
  isShown: Generated<number>
}

/** A post that somebody has opened. */
export interface ReadMarkTable {
  reader: BareJid
  service: BareJid
  node: string
  item: ItemId
  at: string
}

/** Somebody who follows here. */
export interface ReaderTable {
  jid: BareJid
  /** What arrived until then counts as read. */
  readUntil: string | null
  /** With their JID it makes the secret in the address of their feeds; null until they ask for one. */
  feedCounter: number | null
  /** SHA-256 of the secret that they had before secrets were derived. */
  knownFeedHash: string | null
  /** Whether they let everybody know what they follow. */
  publishesFollows: Generated<number>
  /** Whether notifications also go to their account as messages. */
  notifiesByMessage: Generated<number>
}

/** A node for many that was made here. */
export interface CommunityTable {
  service: BareJid
  node: string
  owner: BareJid
  since: string
  /** Whether the site sees that the owner owns it; rows from before this was checked are looked at again. */
  isSeen: Generated<number>
  /** When the site last saw that; null where that was before it was noted. */
  seenAt: string | null
}

/** Somebody who was shut out of a node here, by one of its owners; of a blog, of all its comments. */
export interface BlockTable {
  service: BareJid
  node: string
  /** An account, or the domain of a server. */
  jid: BareJid
  by: BareJid
  since: string
  /** The same as for a community. */
  isSeen: Generated<number>
}

export interface OutboxTable {
  id: Generated<number>
  account: BareJid
  formKey: string
  kind:
    | 'post'
    | 'delete'
    | 'comment'
    | 'remove-comment'
    | 'settings'
    | 'relink'
    | 'follow'
    | 'unfollow'
    | 'public-follows'
    | 'community'
    | 'block'
    | 'react'
    | 'restore-comment'
    | 'close-thread'
    | 'room'
    | 'room-member'
    | 'room-message'
    | 'announce'
  service: BareJid
  node: string
  item: ItemId
  /** JSON: everything that is needed to do it, at any later time. */
  task: string
  status: 'waiting' | 'done' | 'refused'
  reason: string | null
  problem: string | null
  attempts: Generated<number>
  nextTry: string | null
  createdAt: string
  acknowledgedAt: string | null
}

export interface DraftTable {
  jid: BareJid
  id: string
  /** JSON: the address of the post that it edits. */
  edits: string | null
  baseUpdated: string | null
  title: string
  text: string
  tags: string
  language: string
  summary: string
  comments: number
  /** JSON: the node that it is for; null for the account's own blog. */
  target: string | null
  /** JSON: those of a gallery; null where the form has none. */
  pictures: string | null
  updatedAt: string
}

export interface AccountTable {
  jid: BareJid
  userAgentId: string
  /** Encrypted. */
  token: string | null
  name: string | null
  createdAt: string
}

export interface BrowserSessionTable {
  hash: string
  jid: BareJid
  /** Encrypted with a key that only the browser has. */
  password: string | null
  createdAt: string
  seenAt: string
  expiresAt: string
  endedReason: string | null
}

export interface SignInFailureTable {
  id: Generated<number>
  jid: BareJid
  address: string
  at: string
}

export interface SettingTable {
  key: string
  value: string
}

/** What was decided about a comment or a message in a room. */
export interface DecisionTable {
  service: BareJid
  node: string
  item: ItemId
  /** The post that it is about. */
  blogService: BareJid
  blogNode: string
  postItem: ItemId
  /** `restored`: published again by the blog's owner after it had been removed. */
  what: 'held' | 'approved' | 'removed' | 'restored'
  /** What it was before, for undoing; null where nothing had been decided. */
  before: 'held' | 'approved' | 'restored' | null
  /** Why it is held. */
  reason: 'link' | 'stranger' | 'too-many' | 'closed' | null
  /** Null for what the site decided by itself. */
  by: BareJid | null
  at: string
  author: BareJid | null
  /** As the service said when it came. */
  publisher: BareJid | null
  /** As it came: the kept copy. */
  payload: string | null
}

/** What its owner has said about the thread of a post. */
export interface ThreadTable {
  service: BareJid
  node: string
  item: ItemId
  closedAt: string | null
  closedBy: BareJid | null
}

/** What nobody is shown anywhere on the site, by one of its operators. */
export interface SiteBlockTable {
  /** A bare JID, a domain, or the `xmpp:` address of a node (`addressKey`). */
  address: string
  kind: 'account' | 'server' | 'node'
  by: BareJid
  since: string
  reason: string | null
}

/** What a reader told the operators of. */
export interface ReportTable {
  id: Generated<number>
  service: BareJid
  node: string
  item: ItemId
  /** The post, or that which the comment is about. */
  blogService: BareJid
  blogNode: string
  postItem: ItemId
  /** Null for who is not signed in. */
  reporter: BareJid | null
  /** The JID, or a keyed hash of the web address: one report each. */
  sender: string
  reason: string
  at: string
  settledAt: string | null
  settledBy: BareJid | null
}

/** Something that somebody here should know of. */
export interface NotificationTable {
  id: Generated<number>
  jid: BareJid
  kind: 'comment' | 'reply' | 'mention' | 'reaction' | 'repost' | 'follower' | 'held' | 'report'
  /** What it is about: the comment, the post that was reacted to, the blog that is followed. */
  service: BareJid
  node: string
  item: ItemId | ''
  /** The post above it. */
  postService: BareJid | null
  postNode: string | null
  postItem: ItemId | null
  /** Who did it; '' where that is not known. */
  actor: BareJid | ''
  actorName: string | null
  /** The beginning of what was written, or the emoji. */
  text: string
  at: string
  readAt: string | null
  /** When it went to their account as a message. */
  sentAt: string | null
}

/** Whether somebody wants to hear of everything in a thread, or of nothing. */
export interface ThreadWishTable {
  jid: BareJid
  service: BareJid
  node: string
  item: ItemId
  wish: 'follow' | 'mute'
  since: string
}

/** Who was seen to follow a blog, where its server tells. */
export interface FollowerTable {
  service: BareJid
  node: string
  jid: BareJid
  since: string
}

/** The MIX channel beside a blog. */
export interface RoomTable {
  /** Of the blog. */
  service: BareJid
  node: string
  channel: BareJid
  owner: BareJid
  since: string
  status: 'opening' | 'open' | 'closing'
}

/** Who has joined a room from here, by way of their own server (XEP-0405). */
export interface RoomMemberTable {
  channel: BareJid
  jid: BareJid
  /** The id that their messages come from. */
  participant: string
  nick: string | null
  since: string
}

/** A comment by somebody who is not signed in, until it is proved whose it is. */
export interface ProofTable {
  /** In the address of its page: whoever knows it may see the text. */
  key: string
  /** What is to be sent to the site's account. */
  code: string
  /** The post. */
  service: BareJid
  node: string
  item: ItemId
  /** The comment that it answers. */
  reply: ItemId | null
  text: string
  name: string
  /** Who was asked to confirm (XEP-0070). */
  asked: BareJid | null
  /** A keyed hash of the web address, for limits. */
  sender: string
  status: 'waiting' | 'denied' | 'proved' | 'published' | 'refused'
  /** Whose it was proved to be. */
  jid: BareJid | null
  how: 'message' | 'confirm' | null
  commentItem: ItemId | null
  /** Why it was denied or refused, in a sentence. */
  problem: string | null
  createdAt: string
  expiresAt: string
}

/** A digest of what a comment said at the upgrade, whose mark binds no words. */
export interface MarkedWordsTable {
  service: BareJid
  node: string
  item: ItemId
  digest: string
}
