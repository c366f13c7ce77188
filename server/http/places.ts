import type { FastifyReply, FastifyRequest } from 'fastify'
import { mayBlog } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { findAuthor, listAuthorRows } from '#server/store/author.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { readBlogSegment, readItemSegment, writeItemSegment } from '#shared/paths.ts'
import type { AppContext } from './context.ts'

/** The node of an account's blog. */
export function blogAddress(jid: BareJid): NodeAddress {
  return { service: jid, node: NS.MICROBLOG }
}

export interface BlogParams {
  readonly blog: string
}

export interface PostParams extends BlogParams {
  readonly item: string
}

/** The account of a `/@…` path; 404 for what can be none. */
export function readBlogParam({ siteDomain }: Pick<AppContext, 'siteDomain'>, { blog }: BlogParams): BareJid {
  const found = readBlogSegment({ domain: siteDomain }, `@${blog}`)
  if (found === undefined) throw new AppError('not-found', 'There is no such blog.')
  return found.jid
}

export function readPostParams(ctx: Pick<AppContext, 'siteDomain'>, params: PostParams): ItemAddress {
  const jid = readBlogParam(ctx, params)
  const item: ItemId | undefined = readItemSegment(params.item)
  if (item === undefined) throw new AppError('not-found', 'There is no such post.')
  return { ...blogAddress(jid), item }
}

/** Redirects to the one spelling of an address (301), where the request used another. */
export function redirectedTo(
  { siteDomain }: Pick<AppContext, 'siteDomain'>,
  { request, reply }: { request: FastifyRequest<{ Params: BlogParams & Partial<PostParams> }>; reply: FastifyReply },
): FastifyReply | undefined {
  const { blog, item } = request.params
  const itemId = item === undefined ? undefined : readItemSegment(item)
  const wanted = [
    readBlogSegment({ domain: siteDomain }, `@${blog}`)?.canonical,
    itemId === undefined ? item : writeItemSegment(itemId),
  ]
  if (wanted[0] === `@${blog}` && wanted[1] === item) return undefined
  const [path = '', query] = splitOnce(request.url, '?')
  const [, , , ...rest] = path.split('/')
  const segments = wanted.filter((segment) => segment !== undefined).map(encodeSegment)
  const tail = item === undefined ? path.split('/').slice(2) : rest
  const target = ['', ...segments, ...tail].join('/')
  return reply.redirect(query === undefined ? target : `${target}?${query}`, 301)
}

/** Whether this account's blog is one of the site's own: listed, indexed by search engines, in the feeds. */
export async function isSiteAuthor(
  { config, state }: Pick<AppContext, 'config' | 'state'>,
  jid: BareJid,
): Promise<boolean> {
  return mayBlog(config, jid) && (await findAuthor(state, jid)) !== undefined
}

export async function listSiteAuthors({ config, state }: Pick<AppContext, 'config' | 'state'>): Promise<BareJid[]> {
  return (await listAuthorRows(state)).map(({ jid }) => jid).filter((jid) => mayBlog(config, jid))
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('%40', '@')
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** Where a comment stands on its post's page. */
export function commentAnchor(item: ItemId): string {
  return `comment-${writeItemSegment(item)}`
}
