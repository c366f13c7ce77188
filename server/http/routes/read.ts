import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import type { BlogRow } from '#server/store/blog.ts'
import { listBlogs } from '#server/store/blog.ts'
import { listOutbox } from '#server/store/outbox.ts'
import type { Page, Scope } from '#server/store/post.ts'
import { listPosts } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { FeedQuery } from '../feed-data.ts'
import { sendBlogPage, sendHomePage, sendTagPage } from '../pages/lists.ts'
import { sendOutboxPostPage } from '../pages/outbox-post.ts'
import type { Exchange } from '../pages/page.ts'
import { sendPostPage } from '../pages/post.ts'
import type { BlogParams, PostParams } from '../places.ts'
import { isSiteAuthor, listSiteAuthors, readBlogParam, readPostParams, redirectedTo } from '../places.ts'
import { findOwnBlog, requireBlog } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const POSTS = 20
const querystring = { type: 'object', properties: { before: { type: 'string' }, after: { type: 'string' } } } as const
const schema = { querystring }

type TagParams = { readonly tag: string }

/** What anybody may read: home, blogs, tags and posts. */
export function addRead(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  async function list(
    query: FeedQuery,
    scope: Scope,
    tag?: string,
  ): Promise<{ page: Page<PostRow>; query: FeedQuery }> {
    const { before, after } = query
    return { page: await listPosts(ctx.index, { scope, tag, before, after, limit: POSTS }), query: { before, after } }
  }

  async function listOfSite(query: FeedQuery, tag?: string) {
    const authors = await listSiteAuthors(ctx)
    const blogs = new Map(
      (await listBlogs(ctx.index, authors)).map((blog): [BareJid, BlogRow] => [blog.author.jid, blog]),
    )
    return { ...(await list(query, { kind: 'site', authors }, tag)), blogs }
  }

  async function listOfBlog(query: FeedQuery, blog: BlogRow, tag?: string) {
    const found = await list(query, { kind: 'blog', address: blog.address }, tag)
    return { ...found, blog, blogs: new Map([[blog.address.service, blog]]) }
  }

  app.get<{ Querystring: FeedQuery }>('/', { schema }, async (request, reply) => {
    const exchange = { request, reply, visit: await readVisit(web, request) }
    return sendHomePage(web, exchange, await listOfSite(request.query))
  })

  app.get<{ Params: TagParams; Querystring: FeedQuery }>('/tag/:tag', { schema }, async (request, reply) => {
    const exchange = { request, reply, visit: await readVisit(web, request) }
    const { tag } = request.params
    return sendTagPage(web, exchange, { ...(await listOfSite(request.query, tag)), tag })
  })

  app.get<{ Params: BlogParams; Querystring: FeedQuery }>('/@:blog', { schema }, async (request, reply) => {
    const jid = readBlogParam(ctx, request.params)
    const redirected = redirectedTo(ctx, { request, reply })
    if (redirected !== undefined) return redirected
    const exchange = { request, reply, visit: await readVisit(web, request) }
    const isOfSite = await isSiteAuthor(ctx, jid)
    const { person } = exchange.visit
    // Its owner sees a blog that is not open, too: without posts, and with the reason.
    const blog = person?.jid === jid ? await findOwnBlog(ctx, person) : await requireBlog(ctx, jid)
    const found = await listOfBlog(request.query, blog)
    // Of a blog that is not the site's, only what its author has put on the web.
    const rows = found.page.rows.filter(({ alternate }) => isOfSite || alternate !== undefined)
    return sendBlogPage(web, exchange, { ...found, page: { ...found.page, rows }, isOfSite })
  })

  app.get<{ Params: BlogParams & TagParams; Querystring: FeedQuery }>(
    '/@:blog/tag/:tag',
    { schema },
    async (request, reply) => {
      const jid = readBlogParam(ctx, request.params)
      const redirected = redirectedTo(ctx, { request, reply })
      if (redirected !== undefined) return redirected
      if (!(await isSiteAuthor(ctx, jid))) throw new AppError('not-found', 'There is no such blog.')
      const exchange = { request, reply, visit: await readVisit(web, request) }
      const { tag } = request.params
      return sendTagPage(web, exchange, { ...(await listOfBlog(request.query, await requireBlog(ctx, jid), tag)), tag })
    },
  )

  app.get<{ Params: PostParams; Querystring: { reply?: string } }>('/@:blog/:item', async (request, reply) => {
    const address = readPostParams(ctx, request.params)
    const redirected = redirectedTo(ctx, { request, reply })
    if (redirected !== undefined) return redirected
    const exchange: Exchange = { request, reply, visit: await readVisit(web, request) }
    try {
      return await sendPostPage(web, exchange, { address, reply: request.query.reply })
    } catch (error) {
      const { person } = exchange.visit
      if (!isAppError(error, 'not-found') || person?.jid !== address.service) throw error
      const rows = await listOutbox(ctx.state, person.jid)
      const row = rows.find(({ kind, address: its }) => kind === 'post' && sameAddress(its, address))
      if (row === undefined) throw error
      return sendOutboxPostPage(web, exchange, row)
    }
  })
}
