import { AppError, describeError, isAppError } from '#server/errors.ts'
import type { IndexDb } from '#server/store/database.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import type { Item, XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { creditAuthor } from '#shared/credit.ts'
import type { Entry } from '#shared/entry.ts'
import { type FeedMetadata, METADATA_ITEM, readFeedMetadata } from '#shared/feed-metadata.ts'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { findProfile } from '#shared/profiles/index.ts'
import { cleanLine } from '#shared/text.ts'
import { isWithinBounds } from '#shared/xml.ts'
import { isBelievedAbout, type ServicesDeps } from './belief.ts'
import type { Indexing } from './indexing.ts'
import { PROBES } from './ingest.ts'
import { type NodeInfo, readNodeInfo } from './node-info.ts'
import { waitAtMost } from './patience.ts'
import { readAvatar, readNickname } from './profile-nodes.ts'

/** What a stranger is told of a feed. */
export interface Preview {
  readonly title?: string
  readonly description?: string
  readonly language?: string
  /** What its owner is called. */
  readonly name?: string
  /** As its owner's server sent it: not yet looked at. */
  readonly avatar?: Buffer
  /** Newest first. */
  readonly posts: readonly PreviewPost[]
  /** Why nothing can be read, in a sentence. */
  readonly problem?: string
  /** Whether there is nothing to follow. */
  readonly isMissing?: boolean
}

export interface PreviewPost {
  readonly entry: Entry
  /** Who wrote it, if that may be believed. */
  readonly author?: BareJid
}

export interface PreviewDeps extends ServicesDeps {
  readonly index: IndexDb
  readonly indexing?: Pick<Indexing, 'watch'>
  readonly siteDomain: BareJid
  /** Milliseconds for everything. */
  readonly patience?: number
}

const PATIENCE_MS = 8_000
const MOST_POSTS = 5
const ALL_THE_SAME = 'You can follow it all the same: it is read as soon as it answers.'

/** Asks everything at once, by the person's own session; each answer may be missing alone. */
export async function previewFeed(deps: PreviewDeps, session: XmppSession, address: NodeAddress): Promise<Preview> {
  const isAccount = localPart(address.service) !== undefined
  const found: Found = {}
  const asked: Promise<unknown>[] = [
    readItems(session, address).then(
      (items) => Object.assign(found, { items }),
      (error: unknown) => Object.assign(found, { error }),
    ),
  ]
  if (!isAccount) {
    const info = session.disco.readInfo(address.service, address.node)
    asked.push(info.then((answer) => Object.assign(found, { info: readNodeInfo(answer) }), ignore))
  } else {
    // Strangers are told nothing of an account's nodes by disco. COMPAT(Prosody 13.0.1): not even that, at times.
    asked.push(readNickname(session, address.service).then((name) => Object.assign(found, { name }), ignore))
    asked.push(readAvatar(session, address.service).then((avatar) => Object.assign(found, { avatar }), ignore))
    asked.push(readMetadata(session, address).then((metadata) => Object.assign(found, { metadata }), ignore))
  }
  await waitAtMost(Promise.all(asked), deps.patience ?? PATIENCE_MS)
  if (found.items !== undefined && (await isBehind(deps, address, found.items))) deps.indexing?.watch(address)
  // What comes later must not change what was answered.
  return assemble(deps, address, { ...found })
}

/** Whether the index lacks an item that the session read: the site account then reads the node itself. */
async function isBehind({ index }: PreviewDeps, address: NodeAddress, items: readonly Item[]): Promise<boolean> {
  const node = await findNode(index, address)
  if (node === undefined) return false
  for (const { id, payload } of items) {
    if (payload === undefined || id === METADATA_ITEM || PROBES.has(id)) continue
    if ((await findEntry(index, node.id, id)) === undefined) return true
  }
  return false
}

interface Found {
  items?: readonly Item[]
  error?: unknown
  info?: NodeInfo
  metadata?: FeedMetadata
  name?: string
  avatar?: Buffer
}

async function assemble(deps: PreviewDeps, address: NodeAddress, found: Found): Promise<Preview> {
  const { metadata, info, name, avatar, items = [], error } = found
  return {
    title: metadata?.title ?? info?.title,
    description: metadata?.description ?? info?.description,
    language: metadata?.language,
    name: name ?? metadata?.author.name,
    avatar,
    posts: await readPosts(deps, { address, type: info?.type, items }),
    problem: found.items === undefined ? explain(address, error) : undefined,
    isMissing: isAppError(error, 'not-found', 'gone', 'not-implemented') || isServerMissing(error),
  }
}

function isServerMissing(error: unknown): boolean {
  return error instanceof AppError && error.server === 'not-found'
}

function explain(address: NodeAddress, error: unknown): string {
  const { service, node } = address
  const isBlog = localPart(service) !== undefined && node === NS.MICROBLOG
  if (error instanceof AppError && error.server !== undefined) {
    const words = `There is no XMPP server ${domainOf(service)}, or it does not answer now.`
    return isServerMissing(error) ? words : `${words} ${ALL_THE_SAME}`
  }
  if (error === undefined || isAppError(error, 'timeout', 'unavailable')) {
    return `${service} does not answer now. ${ALL_THE_SAME}`
  }
  // What a server says that has no such account.
  if (isAppError(error, 'not-found', 'gone', 'not-implemented')) {
    const words = isBlog ? `There is no such blog at ${service}` : `There is no “${cleanLine(node, 200)}” at ${service}`
    return `${words}. Look at the address again.`
  }
  // COMPAT(Prosody 13): it says so of a node that there is not, too.
  if (isAppError(error, 'forbidden', 'not-authorized')) {
    const what = isBlog ? 'such blog' : `“${cleanLine(node, 200)}”`
    return `${service} has no ${what}, or shows it only to people it knows. Ask its owner to open it to everybody.`
  }
  return error instanceof AppError ? `${error.message}.` : describeError(error)
}

/** The newest few; where the answer would be too large, the newest alone. */
async function readItems({ pubsub }: XmppSession, address: NodeAddress): Promise<readonly Item[]> {
  try {
    return (await pubsub.listItems(address, { max: MOST_POSTS + 1 })).items
  } catch (error) {
    if (!isAppError(error, 'too-large', 'stanza-too-big')) throw error
    return (await pubsub.listItems(address, { max: 1 })).items
  }
}

async function readPosts(
  deps: PreviewDeps,
  { address, type, items }: { address: NodeAddress; type: string | undefined; items: readonly Item[] },
): Promise<PreviewPost[]> {
  const posts: PreviewPost[] = []
  for (const { id, payload, publisher } of items) {
    if (id === METADATA_ITEM || payload === undefined || !isWithinBounds(payload)) continue
    const entry = findProfile({ type, node: address.node, payload })?.readEntry(payload)
    if (entry === undefined) continue
    const by = publisher === undefined ? undefined : readBareJid(publisher)
    const isServiceBelieved = by !== undefined && (await isBelieved(deps, address.service, by))
    const credit = creditAuthor({ address, publisher, entryAuthor: entry.author.jid, isServiceBelieved })
    posts.push({ entry, ...(credit.kind === 'credited' ? { author: credit.author } : {}) })
  }
  const at = ({ entry }: PreviewPost) => (entry.published ?? entry.updated)?.getTime() ?? 0
  return posts.sort((a, b) => at(b) - at(a)).slice(0, MOST_POSTS)
}

/** While it is not known whom to believe, nobody is. */
async function isBelieved(deps: PreviewDeps, service: BareJid, author: BareJid): Promise<boolean> {
  return isBelievedAbout(deps, service, author).catch(() => false)
}

async function readMetadata({ pubsub }: XmppSession, address: NodeAddress): Promise<FeedMetadata | undefined> {
  const item = await pubsub.findItem({ ...address, item: asItemId(METADATA_ITEM) })
  return item?.payload && readFeedMetadata(item.payload)
}

function ignore(): undefined {
  return undefined
}
