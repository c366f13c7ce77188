import type { Generated } from 'kysely'
import type { ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { SafeHtml } from '#shared/markup.ts'

/** The tables of the index. Instants are milliseconds, because they are sorted by; booleans are 0 or 1. */
export interface IndexSchema {
  node: NodeTable
  entry: EntryTable
  tag: TagTable
  person: PersonTable
  tombstone: TombstoneTable
}

export interface NodeTable {
  id: Generated<number>
  service: BareJid
  node: string
  kind: 'blog' | 'comments'
  /** Whose blog it is, or the author of the post that the comments are about. */
  owner: BareJid | null
  /** `pubsub#type`, where the service announces one. */
  type: string | null
  title: string | null
  description: string | null
  language: string | null
  status: Generated<'open' | 'closed' | 'deleted'>
  /** Not read for the first time yet. */
  isWaiting: Generated<number>
  subscription: Generated<'none' | 'pending' | 'subscribed'>
  problem: string | null
  nextTryAt: Generated<number>
  /** Null while unknown, or where the service only says "max". */
  maxItems: number | null
  /** The most items that were ever seen on it at once. */
  mostItems: Generated<number>
  /** Item `0`, as it came. */
  metadataPayload: string | null
  createdAt: number
}

export interface EntryTable {
  id: Generated<number>
  nodeId: number
  item: ItemId
  /** Of the first version seen. */
  publisher: BareJid | null
  author: BareJid | null
  claimedJid: BareJid | null
  claimedName: string | null
  credit: 'credited' | 'according' | 'unverified'
  /** On a blog, not a comment. */
  isPost: number
  isLike: number
  title: string
  isUntitled: number
  excerpt: string
  summary: string | null
  html: SafeHtml
  /** A JSON array, as its author spelt them. */
  tags: string
  language: string | null
  direction: string | null
  /** Never in the future: the sort key. */
  publishedAt: number
  updatedAt: number
  isEdited: number
  atomId: string | null
  alternate: string | null
  commentsService: BareJid | null
  commentsNode: string | null
  replyService: BareJid | null
  replyNode: string | null
  replyItem: ItemId | null
  payload: string
  firstSeenAt: number
  changedAt: number
  /** How often somebody other than its first publisher wrote over it: those versions are not shown. */
  overwrites: Generated<number>
}

export interface TagTable {
  /** In lower case. */
  tag: string
  entryId: number
}

export interface PersonTable {
  jid: BareJid
  name: string
  namedAt: number
}

export interface TombstoneTable {
  service: BareJid
  node: string
  item: ItemId
  removedAt: number
}
