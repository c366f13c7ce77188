import { AppError } from '#server/errors.ts'
import { findReaderBySecret } from '#server/people/feed-secret.ts'
import { findSince } from '#server/store/account.ts'
import { feedKey } from '#server/store/blog.ts'
import { type Follow, listFollows } from '#server/store/follow.ts'
import { listPosts } from '#server/store/post.ts'
import { type NodeAddress, readXmppUri, sameAddress, writeXmppUri } from '#shared/address.ts'
import type { Feed } from '#shared/atom.ts'
import type { BareJid } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { createPostFeed, type FeedQuery, type FeedSource, readFeedNames } from './feed-data.ts'
import { chooseReadable, explainLeftOut } from './readable.ts'
import { blogTitle, requireFeed } from './shown.ts'

type Deps = Pick<AppContext, 'config' | 'siteDomain' | 'state' | 'index' | 'secret' | 'permits'>

export interface HomeFeedQuery extends FeedQuery {
  /** The `xmpp:` address of the one feed that is wanted. */
  readonly of?: string | undefined
  readonly file: string
}

const ENTRIES = 20

/** Where the feed of somebody's timeline is, or of one of the feeds that they follow: whoever knows it can read it. */
export function homeFeedPath(secret: string, feed?: NodeAddress, file = 'atom.xml'): string {
  const query = feed === undefined ? '' : `?${new URLSearchParams({ feed: writeUri(feed) })}`
  return `/home/${secret}/${file}${query}`
}

/** For logs, which are read by more than one. */
export function hideSecret(url: string): string {
  return url.replace(/^(\/(?:home|notifications)\/)[^/?]+(?=\/)/, '$1…').replace(/(\/comments\/proof\/)[^/?]+/, '$1…')
}

/** What is at such an address; 404 for a secret that is nobody's, and for what they do not follow. */
export async function createHomeFeed(deps: Deps, secret: string, { of, file, ...query }: HomeFeedQuery): Promise<Feed> {
  const jid = await findReaderBySecret(deps, secret)
  if (jid === undefined) throw new AppError('not-found', 'There is no such feed.')
  const follows = await listFollows(deps.state, jid)
  const followed = follows.map(({ address }) => address)
  const one = of === undefined ? undefined : findFollowed(followed, of)
  const { addresses, leftOut } = await chooseReadable(deps, jid, one === undefined ? followed : [one])
  const scope = { kind: 'feeds', addresses, isPermitted: true } as const
  const page = await listPosts(deps.index, { scope, ...query, limit: ENTRIES })
  const feedPath = homeFeedPath(secret, one, file)
  const left = follows.filter(isOneOf(leftOut))
  const subtitle = left.length === 0 ? undefined : explainLeftOut(left)
  const source = await (one === undefined ? describeTimeline(deps, jid) : describeFeed(deps, one, { jid, left }))
  const described = { ...source, ...(subtitle !== undefined && { subtitle }), feedPath, isPrivate: true }
  return createPostFeed(deps, described, { query, page, names: await readFeedNames(deps, page) })
}

function isOneOf(addresses: readonly NodeAddress[]): (follow: Follow) => boolean {
  const keys = new Set(addresses.map(feedKey))
  return ({ address }) => keys.has(feedKey(address))
}

function findFollowed(followed: readonly NodeAddress[], uri: string): NodeAddress {
  const wanted = readXmppUri(uri)
  const found = followed.find((address) => wanted !== undefined && sameAddress(address, wanted))
  if (found === undefined) throw new AppError('not-found', 'There is no such feed.')
  return found
}

type Described = Omit<FeedSource, 'feedPath'>

async function describeTimeline({ config, state }: Deps, jid: BareJid): Promise<Described> {
  const id = new URL('/home', config.url)
  // Of one person, whatever the secret: a new address is no new feed.
  id.hash = jid
  return { id: id.href, title: `${config.title}: ${jid}`, pagePath: '/home', since: await findSince(state, jid) }
}

async function describeFeed(
  deps: Deps,
  address: NodeAddress,
  { jid, left: [left] }: { readonly jid: BareJid; readonly left: readonly Follow[] },
): Promise<Described> {
  const pagePath = nodePath({ domain: deps.siteDomain }, address)
  if (left !== undefined) {
    return { id: writeUri(address), title: left.title ?? address.service, pagePath, since: left.since }
  }
  const blog = await requireFeed(deps, address, { jid })
  const { description: subtitle, createdAt } = blog
  const since = blog.purgedAt ?? createdAt
  return { id: writeUri(address), title: blogTitle(blog), subtitle, pagePath, blog, since }
}

function writeUri({ service, node }: NodeAddress): string {
  return writeXmppUri({ service, node })
}
