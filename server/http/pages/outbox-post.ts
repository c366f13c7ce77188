import type { FastifyReply } from 'fastify'
import type { OutboxRow } from '#server/store/outbox.ts'
import { sameAddress } from '#shared/address.ts'
import { blogAddress, isSiteFeed } from '../places.ts'
import { findOwnBlog, requireFeed } from '../shown.ts'
import type { Web } from '../web.ts'
import { viewFollow } from './lists.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewOutboxPost } from './post-view.ts'

/** The author's own post that is still on its way: nobody else sees it. */
export async function sendOutboxPostPage(web: Web, exchange: Exchange, row: OutboxRow): Promise<FastifyReply> {
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('An outbox needs a person')
  const { service, node } = row.address
  const isOwn = sameAddress(blogAddress(person.jid), { service, node })
  const blog = isOwn ? await findOwnBlog(web.ctx, person) : await requireFeed(web.ctx, row.address, person)
  const post = viewOutboxPost(web, row, { blog, person })
  return sendPage(web, exchange, {
    name: 'post',
    head: { title: post.title, noindex: true },
    view: { post, follow: viewFollow(web, blog, await isSiteFeed(web.ctx, row.address)), comments: [] },
  })
}
