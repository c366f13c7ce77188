import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { queueDelete } from '#server/feeds/queue.ts'
import { nodePath, postPath } from '#shared/paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { sendDeletePage } from '../pages/delete.ts'
import type { PostParams } from '../places.ts'
import { FEED_PATHS, readPostParams, redirectedTo } from '../places.ts'
import { settle } from '../publish.ts'
import { findRights } from '../rights.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

/** Deleting a post, after a question. */
export function addDelete(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const site = { domain: ctx.siteDomain }

  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams }>(`${feed}/:item/delete`, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const redirected = redirectedTo(ctx, { request, reply })
      if (redirected !== undefined) return redirected
      const visit = await readVisit(web, request)
      if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
      const post = await requirePost(ctx, address, visit.person)
      if (!(await findRights(ctx, post, visit.person)).mayDelete) {
        throw new AppError('forbidden', 'Only its author can delete this post, or who owns the community.')
      }
      return sendDeletePage(web, { request, reply, visit }, post)
    })

    app.post<{ Params: PostParams; Body: { token?: string } }>(`${feed}/:item/delete`, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const person = requireSender(web, await readVisit(web, request), request.body?.token)
      if (person === undefined)
        return sendToSignIn(reply, { next: `${postPath(site, address)}/delete`, notice: 'ended' })
      const queued = await queueDelete(ctx, { author: person.jid, address })
      const row = await settle(ctx, queued)
      // Until it is done the post is still there, with the reason on its page.
      const isGone = row.status === 'done' && row.problem === undefined
      return reply.redirect(isGone ? nodePath(site, address) : postPath(site, address), 303)
    })
  }
}
