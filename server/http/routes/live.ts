import type { FastifyInstance } from 'fastify'
import { blogTopic, postTopic } from '#server/feeds/live.ts'
import { listComments } from '#server/store/comment.ts'
import { listPosts } from '#server/store/post.ts'
import type { BlogParams, PostParams } from '../places.ts'
import { blogAddress, readBlogParam, readPostParams } from '../places.ts'
import { requireBlog, requirePost } from '../shown.ts'
import { writeBlogVersion, writePostVersion } from '../versions.ts'
import type { Web } from '../web.ts'

/** After a blog's or a post's address: its server-sent events. No item id looks like this word. */
export const LIVE = 'live.events'

// A HEAD of them would never end.
const options = { exposeHeadRoute: false }

/** Server-sent events for open pages. */
export function addLive(app: FastifyInstance, { ctx, streams }: Web): void {
  app.get<{ Params: PostParams }>(`/@:blog/:item/${LIVE}`, options, async (request, reply) => {
    const address = readPostParams(ctx, request.params)
    await requirePost(ctx, address)
    const readVersion = async () => {
      const post = await requirePost(ctx, address)
      return writePostVersion(post, post.comments === undefined ? [] : await listComments(ctx.index, post.comments))
    }
    streams.open(request, reply, { topic: postTopic(address), readVersion })
  })

  app.get<{ Params: BlogParams }>(`/@:blog/${LIVE}`, options, async (request, reply) => {
    const address = blogAddress(readBlogParam(ctx, request.params))
    await requireBlog(ctx, address.service)
    const readVersion = async () => {
      const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address }, limit: 1 })
      return writeBlogVersion(rows[0])
    }
    streams.open(request, reply, { topic: blogTopic(address), readVersion })
  })
}
