import type { FastifyInstance } from 'fastify'
import { dropRefused, retryNow } from '#server/feeds/outbox-answers.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const params = { type: 'object', properties: { id: { type: 'integer', minimum: 1 } } } as const

type OutboxRequest = { Params: { id: number }; Body: { token?: string } }

/** What an author does about rows that wait or were refused. */
export function addOutbox(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.post<OutboxRequest>('/outbox/:id/retry', { schema: { params } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/drafts', notice: 'ended' })
    await retryNow(ctx, person.jid)
    await ctx.outbox.settle(request.params.id, 2_000).catch(() => {})
    return reply.redirect('/drafts', 303)
  })

  app.post<OutboxRequest>('/outbox/:id/drop', { schema: { params } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/drafts', notice: 'ended' })
    await dropRefused(ctx, person.jid, request.params.id)
    return reply.redirect('/drafts', 303)
  })
}
