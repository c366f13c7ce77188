import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import { listComments } from '#server/store/comment.ts'
import type { Scope } from '#server/store/post.ts'
import { listPosts } from '#server/store/post.ts'
import { writeXmppUri } from '#shared/address.ts'
import type { Feed } from '#shared/atom.ts'
import { writeFeed } from '#shared/atom.ts'
import { blogPath, postPath, tagPath } from '#shared/paths.ts'
import { addVary, sendBody } from '../encoding.ts'
import type { FeedQuery, FeedSource } from '../feed-data.ts'
import { createCommentFeed, createPostFeed } from '../feed-data.ts'
import type { BlogParams, PostParams } from '../places.ts'
import { blogAddress, isSiteAuthor, listSiteAuthors, readBlogParam, readPostParams, redirectedTo } from '../places.ts'
import { blogTitle, requireBlog, requirePost } from '../shown.ts'
import type { Web } from '../web.ts'

const ENTRIES = 20
const querystring = { type: 'object', properties: { before: { type: 'string' }, after: { type: 'string' } } } as const
const options = { schema: { querystring } }

type TagParams = { readonly tag: string }

/** Atom feeds of the site, a blog, a tag of either, and the comments of a post. */
export function addFeeds(app: FastifyInstance, { ctx, assets }: Web): void {
  const site = { domain: ctx.siteDomain }

  async function send(request: FastifyRequest, reply: FastifyReply, feed: Feed) {
    const bytes = writeFeed({ ...feed, stylesheet: `${assets.path}/feed.css` }, ctx.clock())
    // Browsers that were given application/atom+xml would save it: for them it is XML with a style.
    const isForPerson = String(request.headers.accept ?? '').includes('text/html')
    addVary(reply, 'Accept')
    reply.header('cache-control', 'public, max-age=60')
    const type = `application/${isForPerson ? 'xml' : 'atom+xml'}; charset=utf-8`
    return sendBody(request, reply, { type, bytes, ...(feed.entries.length > 0 ? { lastModified: feed.updated } : {}) })
  }

  async function sendPosts(
    request: FastifyRequest<{ Querystring: FeedQuery }>,
    reply: FastifyReply,
    { source, scope, tag }: { source: FeedSource; scope: Scope; tag?: string },
  ) {
    const { before, after } = request.query
    const page = await listPosts(ctx.index, { scope, tag, before, after, limit: ENTRIES })
    return send(request, reply, createPostFeed(ctx, source, { query: { before, after }, page }))
  }

  async function sendSite(request: FastifyRequest<{ Querystring: FeedQuery }>, reply: FastifyReply, tag?: string) {
    const pagePath = tag === undefined ? '/' : tagPath(site, tag)
    const feedPath = tag === undefined ? '/atom.xml' : `${pagePath}/atom.xml`
    const { url, title } = ctx.config
    const source = {
      id: new URL(pagePath, url).href,
      title: tag === undefined ? title : `${title}: ${tag}`,
      pagePath,
      feedPath,
    }
    return sendPosts(request, reply, { source, scope: { kind: 'site', authors: await listSiteAuthors(ctx) }, tag })
  }

  async function sendBlog(
    request: FastifyRequest<{ Params: BlogParams; Querystring: FeedQuery }>,
    reply: FastifyReply,
    tag?: string,
  ) {
    const jid = readBlogParam(ctx, request.params)
    const redirected = redirectedTo(ctx, { request, reply })
    if (redirected !== undefined) return redirected
    if (!(await isSiteAuthor(ctx, jid))) throw new AppError('not-found', 'There is no such feed.')
    const blog = await requireBlog(ctx, jid)
    const pagePath = tag === undefined ? blogPath(site, jid) : tagPath(site, tag, jid)
    const title = tag === undefined ? blogTitle(blog) : `${blogTitle(blog)}: ${tag}`
    const id = tag === undefined ? writeXmppUri(blog.address) : new URL(pagePath, ctx.config.url).href
    const source = { id, title, subtitle: blog.description, pagePath, feedPath: `${pagePath}/atom.xml`, blog }
    return sendPosts(request, reply, { source, scope: { kind: 'blog', address: blogAddress(jid) }, tag })
  }

  app.get<{ Querystring: FeedQuery }>('/atom.xml', options, (request, reply) => sendSite(request, reply))
  app.get<{ Params: TagParams; Querystring: FeedQuery }>('/tag/:tag/atom.xml', options, (request, reply) =>
    sendSite(request, reply, request.params.tag),
  )
  app.get<{ Params: BlogParams; Querystring: FeedQuery }>('/@:blog/atom.xml', options, (request, reply) =>
    sendBlog(request, reply),
  )
  app.get<{ Params: BlogParams & TagParams; Querystring: FeedQuery }>(
    '/@:blog/tag/:tag/atom.xml',
    options,
    (request, reply) => sendBlog(request, reply, request.params.tag),
  )
  app.get<{ Params: PostParams }>('/@:blog/:item/atom.xml', async (request, reply) => {
    const address = readPostParams(ctx, request.params)
    const redirected = redirectedTo(ctx, { request, reply })
    if (redirected !== undefined) return redirected
    const post = await requirePost(ctx, address)
    if (post.comments === undefined || !(await isSiteAuthor(ctx, address.service))) {
      throw new AppError('not-found', 'There is no such feed.')
    }
    const pagePath = postPath(site, address)
    const source = {
      id: writeXmppUri(post.comments),
      title: `Comments: ${post.title}`,
      pagePath,
      feedPath: `${pagePath}/atom.xml`,
    }
    const comments = await listComments(ctx.index, post.comments)
    return send(request, reply, createCommentFeed(ctx, source, { post, comments }))
  })
}
