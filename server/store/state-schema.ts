import type { Generated } from 'kysely'
import type { ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

/** The tables of the state. Instants are ISO 8601 in UTC; booleans are 0 or 1. */
export interface StateSchema {
  author: AuthorTable
  follow: FollowTable
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

/** Blogs of other accounts that the site follows. */
export interface FollowTable {
  jid: BareJid
  since: string
}

export interface OutboxTable {
  id: Generated<number>
  account: BareJid
  formKey: string
  kind: 'post' | 'delete' | 'comment' | 'remove-comment' | 'settings' | 'relink'
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
