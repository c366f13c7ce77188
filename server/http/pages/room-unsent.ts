import type { FastifyReply } from 'fastify'
import type { BlogRow } from '#server/store/blog.ts'
import { nodePath } from '#shared/paths.ts'
import { roomPath } from '../room-paths.ts'
import { blogTitle } from '../shown.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

/** What somebody wrote in a room that was closed since, or that they are not in any more: to copy it. */
export function sendRoomUnsent(
  web: Web,
  exchange: Exchange,
  { blog, text, isClosed }: { blog: BlogRow; text: string; isClosed: boolean },
): Promise<FastifyReply> {
  const site = { domain: web.ctx.siteDomain }
  const heading = isClosed ? 'This room was closed.' : 'You are not in this room.'
  const url = isClosed ? nodePath(site, blog.address) : `${roomPath(site, blog.address)}#say`
  return sendPage(web, exchange, {
    name: 'room-unsent',
    status: isClosed ? 410 : 403,
    head: { title: heading, noindex: true },
    view: { heading, text, back: { title: isClosed ? blogTitle(blog) : `Room · ${blogTitle(blog)}`, url } },
  })
}
