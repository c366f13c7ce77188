import type { FastifyReply, FastifyRequest } from 'fastify'
import { mayBlog } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { findAuthor, listAuthorRows } from '#server/store/author.ts'
import { findCommunity } from '#server/store/community.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import { type BareJid, localPart, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { nodePath, readBlogSegment, readItemSegment, writeCommentSegment, writeItemSegment } from '#shared/paths.ts'
import type { AppContext } from './context.ts'

/** The node of an account's blog. */
export function blogAddress(jid: BareJid): NodeAddress {
  return { service: jid, node: NS.MICROBLOG }
}

/** The ways to a feed in a path: the blog of an account, and any other node. Every route of a feed is on both. */
export const FEED_PATHS = ['/@:blog', '/c/:service/:node'] as const

/** Of either of `FEED_PATHS`. */
export interface FeedParams {
  readonly blog?: string
  readonly service?: string
  readonly node?: string
}

export interface PostParams extends FeedParams {
  readonly item: string
}

type Deps = Pick<AppContext, 'siteDomain'>

/** The node of a path; 404 for what can be none. */
export function readFeedParams(deps: Deps, { blog, service, node }: FeedParams): NodeAddress {
  if (blog !== undefined) return blogAddress(requireJid(readBlogSegment({ domain: deps.siteDomain }, `@${blog}`)?.jid))
  return { service: requireJid(service?.includes('/') ? undefined : readBareJid(service ?? '')), node: node ?? '' }
}

export function readPostParams(deps: Deps, params: PostParams): ItemAddress {
  const address = readFeedParams(deps, params)
  const item: ItemId | undefined = readItemSegment(params.item)
  if (item === undefined) throw new AppError('not-found', 'There is no such post.')
  return { ...address, item }
}

function requireJid(jid: BareJid | undefined): BareJid {
  if (jid === undefined) throw new AppError('not-found', 'There is no such blog.')
  return jid
}

/** Redirects to the one spelling of an address (301), where the request used another. */
export function redirectedTo(
  deps: Deps,
  { request, reply }: { request: FastifyRequest<{ Params: FeedParams & Partial<PostParams> }>; reply: FastifyReply },
): FastifyReply | undefined {
  const { params } = request
  const address = readFeedParams(deps, params)
  const item = params.item === undefined ? undefined : (readItemSegment(params.item) ?? params.item)
  const segment = item === undefined ? undefined : writeItemSegment(item)
  if (isCanonical(deps, params, address) && segment === params.item) return undefined
  const [path = '', query] = splitOnce(request.url, '?')
  const tail = path.split('/').slice((params.blog === undefined ? 4 : 2) + (item === undefined ? 0 : 1))
  const feed = nodePath({ domain: deps.siteDomain }, address)
  const target = [feed, ...(segment === undefined ? [] : [segment]), ...tail].join('/')
  return reply.redirect(query === undefined ? target : `${target}?${query}`, 301)
}

function isCanonical({ siteDomain }: Deps, { blog, service, node }: FeedParams, address: NodeAddress): boolean {
  if (blog !== undefined) return readBlogSegment({ domain: siteDomain }, `@${blog}`)?.canonical === `@${blog}`
  const isBlog = address.node === NS.MICROBLOG && localPart(address.service) !== undefined
  return !isBlog && service === address.service && node === address.node
}

/** Whether a feed is one of the site's own, indexed by search engines and with feeds: an author's blog, or made here. */
export async function isSiteFeed(deps: Pick<AppContext, 'config' | 'state'>, address: NodeAddress): Promise<boolean> {
  if (address.node === NS.MICROBLOG && (await isSiteAuthor(deps, address.service))) return true
  return (await findCommunity(deps.state, address)) !== undefined
}

/** Whether an account is one of those that publish here. */
export async function isSiteAuthor(
  { config, state }: Pick<AppContext, 'config' | 'state'>,
  jid: BareJid,
): Promise<boolean> {
  return mayBlog(config, jid) && (await findAuthor(state, jid)) !== undefined
}

export async function listSiteAuthors({ config, state }: Pick<AppContext, 'config' | 'state'>): Promise<BareJid[]> {
  return (await listAuthorRows(state)).map(({ jid }) => jid).filter((jid) => mayBlog(config, jid))
}

/** When the site got its first author; before there is one, when the server started. */
export async function findStart({ config, state }: Pick<AppContext, 'config' | 'state'>): Promise<Date> {
  const starts = (await listAuthorRows(state)).flatMap(({ jid, since }) =>
    mayBlog(config, jid) ? [since.getTime()] : [],
  )
  return new Date(starts.length === 0 ? performance.timeOrigin : Math.min(...starts))
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** Where a comment stands on its post's page. */
export function commentAnchor(comment: ItemAddress): string {
  return `comment-${writeCommentSegment(comment)}`
}
