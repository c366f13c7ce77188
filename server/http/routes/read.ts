import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import type { BlogRow } from '#server/store/blog.ts'
import { feedKey, listFeeds } from '#server/store/blog.ts'
import { listOutbox } from '#server/store/outbox.ts'
import type { Page, Scope } from '#server/store/post.ts'
import { listPosts } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { sameAddress } from '#shared/address.ts'
import type { FeedQuery } from '../feed-data.ts'
import { sendBlogPage, sendHomePage, sendTagPage } from '../pages/lists.ts'
import { sendOutboxPostPage } from '../pages/outbox-post.ts'
import type { Exchange } from '../pages/page.ts'
import { sendPostPage } from '../pages/post.ts'
import type { ThreadQuery } from '../pages/thread-page.ts'
import type { FeedParams, PostParams } from '../places.ts'
import { blogAddress, FEED_PATHS, listSiteAuthors, readFeedParams, readPostParams, redirectedTo } from '../places.ts'
import { type Access, findAccess, findOwnBlog, requireFeed } from '../shown.ts'
import { PAGE_POSTS } from '../versions.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const querystring = { type: 'object', properties: { before: { type: 'string' }, after: { type: 'string' } } } as const
const schema = { querystring }
const word = { type: 'string' } as const
const ofPost = {
  querystring: {
    type: 'object',
    properties: { reply: word, comments: word, view: word, before: word, after: word, removed: word },
  },
} as const

type PostQuery = ThreadQuery & { readonly reply?: string; readonly removed?: string }
type TagParams = { readonly tag: string }

const REMOVED: ReadonlyMap<string, 'kept' | 'emptied'> = new Map([
  ['1', 'kept'],
  ['emptied', 'emptied'],
])

/** What anybody may read: home, blogs, tags and posts. */
export function addRead(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  async function list(
    query: FeedQuery,
    scope: Scope,
    tag?: string,
  ): Promise<{ page: Page<PostRow>; query: FeedQuery }> {
    const { before, after } = query
    return {
      page: await listPosts(ctx.index, { scope, tag, before, after, limit: PAGE_POSTS }),
      query: { before, after },
    }
  }

  async function listOfSite(query: FeedQuery, tag?: string) {
    const found = await list(query, { kind: 'site', authors: await listSiteAuthors(ctx) }, tag)
    const addresses = found.page.rows.map(({ address }) => address)
    return { ...found, blogs: await listFeeds(ctx.index, addresses) }
  }

  async function listOfFeed(query: FeedQuery, blog: BlogRow, { access, tag }: { access: Access; tag?: string }) {
    const isPublicOnly = access === 'stranger'
    // Readers without access do not come here.
    const scope = { kind: 'blog', address: blog.address, isPublicOnly, isPermitted: !isPublicOnly } as const
    const found = await list(query, scope, tag)
    return { ...found, blog, blogs: new Map([[feedKey(blog.address), blog]]) }
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

  for (const feed of FEED_PATHS) {
    app.get<{ Params: FeedParams; Querystring: FeedQuery }>(feed, { schema }, async (request, reply) => {
      const address = readFeedParams(ctx, request.params)
      const redirected = redirectedTo(ctx, { request, reply })
      if (redirected !== undefined) return redirected
      const exchange = { request, reply, visit: await readVisit(web, request) }
      const { person } = exchange.visit
      const access = await findAccess(ctx, address, person)
      // Its owner sees a blog that is not open, too: without posts, and with the reason.
      const isOwn = person !== undefined && sameAddress(blogAddress(person.jid), address)
      const blog = isOwn ? await findOwnBlog(ctx, person) : await requireFeed(ctx, address, person)
      return sendBlogPage(web, exchange, { ...(await listOfFeed(request.query, blog, { access })), access })
    })

    app.get<{ Params: FeedParams & TagParams; Querystring: FeedQuery }>(
      `${feed}/tag/:tag`,
      { schema },
      async (request, reply) => {
        const address = readFeedParams(ctx, request.params)
        const redirected = redirectedTo(ctx, { request, reply })
        if (redirected !== undefined) return redirected
        const exchange = { request, reply, visit: await readVisit(web, request) }
        const access = await findAccess(ctx, address, exchange.visit.person)
        if (access === 'stranger') throw new AppError('not-found', 'There is no such blog.')
        const { tag } = request.params
        const found = await listOfFeed(request.query, await requireFeed(ctx, address, exchange.visit.person), {
          access,
          tag,
        })
        return sendTagPage(web, exchange, { ...found, tag, access })
      },
    )

    app.get<{ Params: PostParams; Querystring: PostQuery }>(
      `${feed}/:item`,
      { schema: ofPost },
      async (request, reply) => {
        const address = readPostParams(ctx, request.params)
        const redirected = redirectedTo(ctx, { request, reply })
        if (redirected !== undefined) return redirected
        const exchange: Exchange = { request, reply, visit: await readVisit(web, request) }
        try {
          return await sendPostPage(web, exchange, {
            ...{ address, reply: request.query.reply, thread: request.query },
            removed: REMOVED.get(request.query.removed ?? ''),
          })
        } catch (error) {
          const { person } = exchange.visit
          if (!isAppError(error, 'not-found') || person === undefined) throw error
          const rows = await listOutbox(ctx.state, person.jid)
          const row = rows.find(({ kind, address: its }) => kind === 'post' && sameAddress(its, address))
          if (row === undefined) throw error
          return sendOutboxPostPage(web, exchange, row)
        }
      },
    )
  }
}
