import type { FastifyReply } from 'fastify'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findOwnBlog } from '../shown.ts'
import type { Web } from '../web.ts'
import { viewFollow } from './lists.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewOutboxPost } from './post-view.ts'

/** The author's own post that is still on its way: nobody else sees it. */
export async function sendOutboxPostPage(web: Web, exchange: Exchange, row: OutboxRow): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('An outbox needs a person')
  const blog = await findOwnBlog(web.ctx, person)
  const post = viewOutboxPost(web, row, { blog, person })
  return sendPage(web, exchange, {
    name: 'post',
    head: { title: post.title, noindex: true },
    view: { post, follow: viewFollow(web, blog), comments: [] },
  })
}
