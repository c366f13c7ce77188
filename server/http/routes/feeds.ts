import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import type { Scope } from '#server/store/post.ts'
import { listPosts } from '#server/store/post.ts'
import { writeXmppUri } from '#shared/address.ts'
import type { Feed } from '#shared/atom.ts'
import { nodePath, postPath, tagPath } from '#shared/paths.ts'
import { createCommentFeed, listFeedComments } from '../comment-feed.ts'
import type { FeedQuery, FeedSource } from '../feed-data.ts'
import { createPostFeed, readFeedNames } from '../feed-data.ts'
import { FEED_FORMATS, type FeedFormat, sendFeed } from '../feed-formats.ts'
import type { FeedParams, PostParams } from '../places.ts'
import {
  FEED_PATHS,
  findStart,
  isSiteFeed,
  listSiteAuthors,
  readFeedParams,
  readPostParams,
  redirectedTo,
} from '../places.ts'
import { blogTitle, requireFeed, requirePost } from '../shown.ts'
import { readThreadNames } from '../thread-names.ts'
import type { Web } from '../web.ts'

const ENTRIES = 20
const querystring = { type: 'object', properties: { before: { type: 'string' }, after: { type: 'string' } } } as const
const options = { schema: { querystring } }

type TagParams = { readonly tag: string }
type Paged = { Querystring: FeedQuery }
type PagedRequest = FastifyRequest<Paged>

/** Feeds of the site, a blog, a tag of either, and the comments of a post, in every format. */
export function addFeeds(app: FastifyInstance, web: Web): void {
  for (const format of FEED_FORMATS) addFormat(app, web, format)
}

function addFormat(app: FastifyInstance, { ctx, assets }: Web, format: FeedFormat): void {
  const site = { domain: ctx.siteDomain }
  const { file } = format
  const send = (request: FastifyRequest, reply: FastifyReply, feed: Feed) =>
    sendFeed(request, reply, { format, feed, now: ctx.clock(), stylesheet: `${assets.path}/feed.css` })

  async function sendPosts(
    request: PagedRequest,
    reply: FastifyReply,
    { source, scope, tag }: { source: FeedSource; scope: Scope; tag?: string },
  ) {
    const { before, after } = request.query
    const page = await listPosts(ctx.index, { scope, tag, before, after, limit: ENTRIES })
    return send(
      request,
      reply,
      createPostFeed(ctx, source, { query: { before, after }, page, names: await readFeedNames(ctx, page) }),
    )
  }

  async function sendSite(request: PagedRequest, reply: FastifyReply, tag?: string) {
    const pagePath = tag === undefined ? '/' : tagPath(site, tag)
    const { url, title } = ctx.config
    const source = {
      id: new URL(pagePath, url).href,
      title: tag === undefined ? title : `${title}: ${tag}`,
      pagePath,
      feedPath: tag === undefined ? `/${file}` : `${pagePath}/${file}`,
      since: await findStart(ctx),
    }
    return sendPosts(request, reply, { source, scope: { kind: 'site', authors: await listSiteAuthors(ctx) }, tag })
  }

  async function sendBlog(request: FastifyRequest<Paged & { Params: FeedParams }>, reply: FastifyReply, tag?: string) {
    const address = readFeedParams(ctx, request.params)
    const redirected = redirectedTo(ctx, { request, reply })
    if (redirected !== undefined) return redirected
    if (!(await isSiteFeed(ctx, address))) throw new AppError('not-found', 'There is no such feed.')
    const blog = await requireFeed(ctx, address)
    const pagePath = tag === undefined ? nodePath(site, address) : tagPath(site, tag, address)
    const title = tag === undefined ? blogTitle(blog) : `${blogTitle(blog)}: ${tag}`
    const id = tag === undefined ? writeXmppUri(blog.address) : new URL(pagePath, ctx.config.url).href
    const since = blog.purgedAt ?? blog.createdAt
    const source = { id, title, subtitle: blog.description, pagePath, feedPath: `${pagePath}/${file}`, blog, since }
    return sendPosts(request, reply, { source, scope: { kind: 'blog', address }, tag })
  }

  async function sendComments(request: FastifyRequest<Paged & { Params: PostParams }>, reply: FastifyReply) {
    const address = readPostParams(ctx, request.params)
    const redirected = redirectedTo(ctx, { request, reply })
    if (redirected !== undefined) return redirected
    const post = await requirePost(ctx, address)
    if (post.comments === undefined || !(await isSiteFeed(ctx, address))) {
      throw new AppError('not-found', 'There is no such feed.')
    }
    const pagePath = postPath(site, address)
    const id = writeXmppUri(post.comments)
    const feedPath = `${pagePath}/${file}`
    const source = { id, title: `Comments: ${post.title}`, pagePath, feedPath, since: post.published }
    const { before, after } = request.query
    const page = await listFeedComments(ctx.index, post, { before, after })
    const shown = page.rows.map(({ row }) => row)
    const names = await readThreadNames(ctx.index, post, shown)
    return send(request, reply, createCommentFeed(ctx, source, { post, query: { before, after }, page, names }))
  }

  app.get<Paged>(`/${file}`, options, (request, reply) => sendSite(request, reply))
  app.get<Paged & { Params: TagParams }>(`/tag/:tag/${file}`, options, (request, reply) =>
    sendSite(request, reply, request.params.tag),
  )
  for (const feed of FEED_PATHS) {
    app.get<Paged & { Params: FeedParams }>(`${feed}/${file}`, options, (request, reply) => sendBlog(request, reply))
    app.get<Paged & { Params: FeedParams & TagParams }>(`${feed}/tag/:tag/${file}`, options, (request, reply) =>
      sendBlog(request, reply, request.params.tag),
    )
    app.get<Paged & { Params: PostParams }>(`${feed}/:item/${file}`, options, (request, reply) =>
      sendComments(request, reply),
    )
  }
}
