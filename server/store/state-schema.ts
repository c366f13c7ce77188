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
}

export interface AuthorTable {
  jid: BareJid
  since: string
  /** Whether its owner let us open a node that was there before. */
  consent: Generated<'unasked' | 'asked' | 'given' | 'refused'>
  /** JSON: what would become public. */
  consentPosts: string | null
  maxItems: number | null
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
  /** In the address of the feeds of their timeline. */
  feedSecret: string | null
  /** Whether they let everybody know what they follow. */
  publishesFollows: Generated<number>
}

/** A node for many that was made here. */
export interface CommunityTable {
  service: BareJid
  node: string
  owner: BareJid
  since: string
}

/** Somebody who was shut out of a node here, by one of its owners. */
export interface BlockTable {
  service: BareJid
  node: string
  jid: BareJid
  by: BareJid
  since: string
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
