import type { FastifyInstance } from 'fastify'
import { blogTopic, postTopic } from '#server/feeds/live.ts'
import { listPosts } from '#server/store/post.ts'
import type { FeedParams, PostParams } from '../places.ts'
import { FEED_PATHS, readFeedParams, readPostParams } from '../places.ts'
import { findAccess, requireFeed, requirePost } from '../shown.ts'
import { watchUnread } from '../unread.ts'
import { PAGE_POSTS, readPostVersion, writeListVersion } from '../versions.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

/** After a blog's or a post's address: its server-sent events. No item id looks like this word. */
export const LIVE = 'live.events'

// A HEAD of them would never end.
const options = { exposeHeadRoute: false }

/** Server-sent events for open pages. */
export function addLive(app: FastifyInstance, web: Web): void {
  const { ctx, streams } = web
  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams }>(`${feed}/:item/${LIVE}`, options, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const { person } = await readVisit(web, request)
      await requirePost(ctx, address, person)
      const { status } = await requireFeed(ctx, address, person)
      const readVersion = async () => readPostVersion(ctx, await requirePost(ctx, address, person))
      // Streams of restricted feeds are asked for by each reader alone.
      const view = status === 'restricted' ? person?.jid : undefined
      streams.open(request, reply, { topic: postTopic(address), view, readVersion }, ...watchUnread(ctx, person))
    })

    app.get<{ Params: FeedParams }>(`${feed}/${LIVE}`, options, async (request, reply) => {
      const address = readFeedParams(ctx, request.params)
      const { person } = await readVisit(web, request)
      const { status } = await requireFeed(ctx, address, person)
      const isPublicOnly = (await findAccess(ctx, address, person)) === 'stranger'
      const readVersion = async () => {
        if (status === 'restricted') await requireFeed(ctx, address, person)
        const { rows } = await listPosts(ctx.index, {
          scope: { kind: 'blog', address, isPublicOnly, isPermitted: status === 'restricted' && !isPublicOnly },
          limit: PAGE_POSTS,
        })
        return writeListVersion(rows)
      }
      const view = isPublicOnly ? 'public' : status === 'restricted' ? person?.jid : 'all'
      streams.open(request, reply, { topic: blogTopic(address), view, readVersion }, ...watchUnread(ctx, person))
    })
  }
}
