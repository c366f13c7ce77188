import type { Element } from 'ltx'
import { isFeed, type NodeRow } from '#server/store/node.ts'
import type { Item } from '#server/xmpp/ports.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { type Contributor, readContributor } from '#shared/contributor.ts'
import { type Credit, creditAuthor } from '#shared/credit.ts'
import type { Entry } from '#shared/entry.ts'
import { type FeedMetadata, METADATA_ITEM, readFeedMetadata } from '#shared/feed-metadata.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import {
  attachments,
  comments,
  findProfile,
  type Profile,
  type ProfileName,
  room as roomProfile,
} from '#shared/profiles/index.ts'
import { isBelievedAbout, mayHoldComments, type ServicesDeps } from './belief.ts'
import { claimOfRepost, withoutFalseVia } from './sharing/read-repost.ts'
import { isNamedFor } from './thread-name.ts'

/** What is known of a message in a room beside itself: nothing of it is its sender's to say. */
export interface RoomReading {
  readonly kind: 'announcement' | 'answer' | 'talk'
  readonly nick?: string
  readonly root?: ItemAddress
  readonly inReplyTo?: ItemAddress
  readonly at: Date
  /** When it was corrected. */
  readonly updated?: Date
  /** Of an announcement: which version of the post it is about. */
  readonly version?: string
  /** Read off the archive after it was missed. */
  readonly isCaughtUp?: boolean
}

export interface ReadEntryItem {
  readonly kind: 'entry'
  /** The name of the profile that read it. */
  readonly profile: ProfileName
  readonly entry: Entry
  readonly credit: Credit
  /** As the service says, or as it cannot be otherwise on an account's own node. */
  readonly publisher: BareJid | undefined
  readonly payload: string
  /** The comments node of the item, if its author may name it. */
  readonly comments: NodeAddress | undefined
  /** Whose comment our own site account published for them. */
  readonly contributor?: Contributor
  /** Of a message in a room: the post that it announces, or that it answers by way of others. */
  readonly root?: ItemAddress
  readonly room?: RoomReading
}

export interface ReadMetadataItem {
  readonly kind: 'metadata'
  readonly metadata: FeedMetadata
  readonly publisher: BareJid | undefined
  readonly payload: string
}

export type ReadItem = ReadEntryItem | ReadMetadataItem

/** An item as its service sent it, already found to be within bounds. */
export interface SentItem {
  readonly node: NodeRow
  readonly item: Item & { readonly payload: Element }
  /** Its payload, written. */
  readonly text: string
  readonly room?: RoomReading
  /** Whether it bears this site's mark for exactly these words (`isMarked`). */
  readonly isMarked?: boolean
}

export interface ReadItemDeps extends ServicesDeps {
  readonly siteDomain: BareJid
  readonly siteJid?: BareJid
}

/** Plain data of an item, or why there is none. Throws `unavailable` where it is not known yet whom to believe. */
export async function readItem(
  deps: ReadItemDeps,
  { node, item, text, room, isMarked = false }: SentItem,
): Promise<ReadItem | string> {
  const { siteJid } = deps
  const { payload, publisher: stamped } = item
  if (item.id === METADATA_ITEM && node.kind === 'blog') {
    const metadata = readFeedMetadata(payload)
    if (metadata === undefined) return 'it is no description of a blog'
    return { kind: 'metadata', metadata, publisher: readPublisher(stamped), payload: text }
  }
  if (node.kind === 'room') return readMessage({ item, text, room })
  const found = readWords(node, item)
  if (found === undefined) return 'it is no entry'
  if (node.kind === 'attachments' && !isOwn(item)) return 'it is not of who published it'
  const { profile, entry: read } = found
  // Whoever publishes a repost is its author, whomever it names.
  const entryAuthor = read.via === undefined ? read.author.jid : undefined
  const said = await creditOf(deps, { node, stamped, entryAuthor })
  // Anybody may name anybody; only our own account asks for a proof first.
  const isOurs = node.kind === 'comments' && said.kind !== 'unverified' && said.author === siteJid
  const contributor = isOurs ? readContributor(payload) : undefined
  // A service that only says who published it could put any words under a name: it is believed no more than the mark.
  const isForged = contributor !== undefined && said.kind === 'according' && !isMarked
  const credit: Credit = isForged ? { kind: 'unverified', claimed: entryAuthor } : said
  const entry = claimOfRepost(read, credit)
  const publisher = readPublisher(stamped) ?? (credit.kind === 'credited' ? credit.author : undefined)
  const proved = isForged ? undefined : contributor
  const comments = isFeed(node) ? await trustedComments(deps, node, { item, entry, credit }) : undefined
  return { kind: 'entry', profile, entry, credit, publisher, payload: text, comments, contributor: proved }
}

/** The words of an item of any node but a room, whoever wrote them. */
export function readWords(
  node: NodeRow,
  { id, payload }: SentItem['item'],
): Pick<ReadEntryItem, 'profile' | 'entry'> | undefined {
  const profile = profileOf(node, payload)
  const entry = profile?.readEntry(payload)
  if (profile === undefined || entry === undefined) return undefined
  return { profile: profile.name, entry: withoutFalseVia(entry, { ...node.address, item: id }, isFeed(node)) }
}

/** A message: of a participant that the channel does not name nobody can say whose it is. */
function readMessage({ item, text, room }: Omit<SentItem, 'node'>): ReadEntryItem | string {
  const entry = roomProfile.readEntry(item.payload)
  if (room === undefined || entry === undefined) return 'it has no words'
  const { nick, at, updated = at, inReplyTo, root } = room
  const publisher = readPublisher(item.publisher)
  const credit: Credit =
    publisher === undefined ? { kind: 'unverified', claimed: undefined } : { kind: 'credited', author: publisher }
  const known = { ...entry, author: { ...(nick && { name: nick }) }, published: at, updated }
  return {
    ...{ kind: 'entry', profile: roomProfile.name, credit, publisher, payload: text, room, comments: undefined },
    entry: { ...known, ...(inReplyTo && { inReplyTo }) },
    ...(root && { root }),
  }
}

// The link of a post makes a node one of comments, whatever it is called.
function profileOf({ kind, type, address }: NodeRow, payload: Element): Profile | undefined {
  if (kind === 'comments') return comments
  return kind === 'attachments' ? attachments : findProfile({ type, node: address.node, payload })
}

/** Of attachments each person has one item, named by their bare JID (XEP-0470 §4.1.1). */
function isOwn({ id, publisher }: Item): boolean {
  const by: string | undefined = readPublisher(publisher)
  return by !== undefined && by === id
}

interface CreditQuestion {
  readonly node: NodeRow
  readonly stamped: string | undefined
  readonly entryAuthor: BareJid | undefined
}

async function creditOf(deps: ReadItemDeps, { node, stamped, entryAuthor }: CreditQuestion): Promise<Credit> {
  // Anybody may write on a comments node, whatever it is called and on whose account it is.
  if (node.kind === 'comments' && (stamped === undefined || stamped === '')) {
    return { kind: 'unverified', claimed: entryAuthor }
  }
  const publisher = readPublisher(stamped)
  const isServiceBelieved = publisher !== undefined && (await isBelievedAbout(deps, node.address.service, publisher))
  return creditAuthor({ address: node.address, publisher: stamped, entryAuthor, isServiceBelieved })
}

/**
 * The comments node of a post, if its author may name it: on the author's account or server, or on the site's own; in a
 * community also beside it, where its service could write them as well.
 */
async function trustedComments(
  deps: ReadItemDeps,
  node: NodeRow,
  { item, entry, credit }: Pick<ReadEntryItem, 'entry' | 'credit'> & Pick<SentItem, 'item'>,
): Promise<NodeAddress | undefined> {
  const { comments, via } = entry
  // The thread of a repost is its original's, and only that one's author can say where it is.
  if (comments === undefined || via !== undefined || credit.kind === 'unverified') return undefined
  if (node.kind === 'community' && comments.service === node.address.service) return comments
  // A service whose word on who wrote is not enough may not hang its posts above the threads of others.
  const isOwnThread = credit.kind === 'credited' || isNamedFor({ ...node.address, item: item.id }, comments)
  const isTrusted = node.kind === 'community' ? isOwnThread : credit.author === node.owner
  return isTrusted && (await mayHoldComments(deps, comments.service, credit.author)) ? comments : undefined
}

function readPublisher(stamped: string | undefined): BareJid | undefined {
  return stamped === undefined || stamped === '' ? undefined : readBareJid(stamped)
}
