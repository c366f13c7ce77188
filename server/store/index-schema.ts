import type { Generated, GeneratedAlways } from 'kysely'
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
  publicSubscription: PublicSubscriptionTable
  reaction: ReactionTable
  original: OriginalTable
  participant: ParticipantTable
  knownName: KnownNameTable
}

/** The kinds of nodes that are feeds of posts; the others belong to a post or a blog. */
export const FEED_KINDS = ['blog', 'community'] as const
/** The kinds of nodes with what is said about a post. */
export const THREAD_KINDS = ['comments', 'attachments'] as const

export interface NodeTable {
  id: Generated<number>
  service: BareJid
  node: string
  /**
   * An account's own blog, any other node of posts, the comments of a post, its attachments (XEP-0470), or the messages
   * of a MIX channel (XEP-0369): of these the service is the channel.
   */
  kind: 'blog' | 'comments' | 'community' | 'attachments' | 'room'
  /** Whose blog it is, or the author of the post that the comments are about. */
  owner: BareJid | null
  /** `pubsub#type`, where the service announces one. */
  type: string | null
  title: string | null
  description: string | null
  language: string | null
  status: Generated<NodeStatus>
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
  accessModel: string | null
  publishModel: string | null
  /** How far its first reading got: `partial` where the service does not give us the older items, `cut` where we do not read them. */
  backfill: Generated<'none' | 'underway' | 'done' | 'partial' | 'cut'>
  /** Where an unfinished first reading goes on: opaque, of the service. */
  backfillCursor: string | null
  /** How many items the service said it has, when last asked. */
  itemCount: number | null
  /** Of an item on the wire, as seen: how many fit into one answer. */
  averageBytes: number | null
  /** When disco#info of the node was last read: its answer is in the columns above. */
  infoReadAt: number | null
  /** When it was last compared with the service. */
  readAt: number | null
  /** When it was last compared with all that the service has. */
  deepReadAt: number | null
  /** When it is to be compared so again; null before its first reading is done. */
  deepDueAt: number | null
  /** How many items it has beyond those in the index, when last compared: what is no entry, less what was trimmed. */
  otherCount: number | null
  /** When anything last came from it: an event or an item that was new to us. */
  heardAt: number | null
  purgedAt: number | null
  /** A JSON array: how far it is known (`feeds/mark.ts`). Null before a reading has got that far. */
  mark: string | null
  /** When a post was last read that should have come as an event; null since an event came. */
  unheardAt: number | null
  /** Of a room: the id of the newest message of its archive (XEP-0313) up to which everything was read. */
  archiveCursor: string | null
  /** Since when it is hidden, and why; where it is `thinned`, since when that is in doubt. */
  hiddenAt: number | null
  hiddenFor: Loss | null
  /** How it is being emptied, or what else goes on in slices; null once that is done. */
  emptying: Emptying | null
  /** When its loss was last in doubt, and would have changed what is shown: for how many that is so at once. */
  doubtedAt: number | null
  /** Bytes of the payloads of its entries, kept by triggers. */
  bytes: Generated<number>
  /** The account that the node counts for; a service's node without an owner counts for itself, by its address. */
  holder: GeneratedAlways<string>
}

/**
 * `open`: everybody may read it. `restricted`: the site account may, and only people whose own session showed that they
 * may are shown it. `hidden`: its entries are kept and shown to nobody, until it can be read again or its loss is
 * certain. `closed` and `deleted`: nothing of it is here any more.
 */
export type NodeStatus = 'open' | 'restricted' | 'hidden' | 'closed' | 'deleted'

/**
 * How a node was lost: it is certain that it is closed to the site account; its service refuses it and does not say why;
 * its service knows no such node; it is suddenly empty. A `thinned` node answers, but nearly everything on it is gone: it
 * stays as it is until that is certain.
 */
export type Loss = 'closed' | 'refused' | 'missing' | 'emptied' | 'thinned'

/**
 * `left`: comments that a post no longer links to. `holds`: nothing goes, but its reactions are being held back or shown,
 * as its status says, or follow a post whose link to it has changed, or its replies get their parents. The others are
 * what its service did with it.
 */
export type Emptying = 'purged' | 'deleted' | 'closed' | 'left' | 'holds'

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
  /** The `atom:id` of what it answers, where it gives no address (RFC 4685 §3). */
  replyRef: string | null
  payload: string
  firstSeenAt: number
  changedAt: number
  /** When it became news: for what was read as history its own date, so that nobody's timeline shows it as unread. */
  arrivedAt: Generated<number>
  /** The name of the profile that read it. */
  profile: Generated<string>
  /** JSON: what the profile keeps beside the core. */
  more: Generated<string>
  /** How often somebody other than its first publisher wrote over it: those versions are not shown. */
  overwrites: Generated<number>
  /** Why nobody is shown it; null for what is shown. What was decided is in the state: this is only its shadow. */
  hold: Hold | null
  /** Who wrote a comment that our own site account published for them. */
  contributor: BareJid | null
  /** Of a message in a room: the post that it announces, or that it answers by way of others. */
  rootService: BareJid | null
  rootNode: string | null
  rootItem: ItemId | null
  /** Of a repost: the original. */
  viaService: BareJid | null
  viaNode: string | null
  viaItem: ItemId | null
  /** For a comment: the look of the name of its known writer (UTS 39). */
  look: string | null
  /** The version of the reader that made it (`READER`). */
  reader: Generated<number>
}

/** `held` waits for the blog's owner; `removed` is out of the pages where the network still has it. */
export type Hold = 'held' | 'removed' | 'blocked' | 'closed'

export interface TagTable {
  /** In lower case. */
  tag: string
  entryId: number
  /** A copy from the entry, as the next two: in their order the posts with a tag are listed. */
  nodeId: number
  publishedAt: number
  item: ItemId
  /** Whether its author put the post on the web. */
  isPublic: number
}

export interface PersonTable {
  jid: BareJid
  name: string
  namedAt: number
}

/** The look of the name of somebody who has a blog here (UTS 39). */
export interface KnownNameTable {
  jid: BareJid
  look: string
}

export interface TombstoneTable {
  service: BareJid
  node: string
  item: ItemId
  removedAt: number
}

/** What somebody lets everybody know that they follow (XEP-0465). */
export interface PublicSubscriptionTable {
  owner: BareJid
  service: BareJid
  node: string
  title: string | null
}

/** One person's emoji under a post, once for each item that says so: count people, not rows. */
export interface ReactionTable {
  /** Of the post. */
  service: BareJid
  node: string
  item: ItemId
  reactor: BareJid
  /** Without variation selectors: `♥` for every red heart. */
  emoji: string
  /** The attachment, or the comment of one heart. */
  sourceService: BareJid
  sourceNode: string
  sourceItem: ItemId
  at: number
  /** When it became news; of history its own date. */
  arrivedAt: number
  hold: Hold | null
  /** The entry of the source: the row goes with it. */
  sourceId: number | null
}

/** What was read of a post that was reposted, from its own node. */
export interface OriginalTable {
  service: BareJid
  node: string
  item: ItemId
  /** `unknown` until its node has answered. */
  status: 'unknown' | 'found' | 'missing'
  /** Only where the node says so (design, "Who wrote it"). */
  author: BareJid | null
  name: string | null
  title: string | null
  alternate: string | null
  commentsService: BareJid | null
  commentsNode: string | null
  readAt: number
}

/** Who is, or was, in a room, by the id that its messages come from. */
export interface ParticipantTable {
  channel: BareJid
  id: string
  /** Null where the channel hides it. */
  jid: BareJid | null
  nick: string | null
  isPresent: Generated<number>
  seenAt: number
}
