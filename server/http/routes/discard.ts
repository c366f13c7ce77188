import type { FastifyInstance } from 'fastify'
import { dropRefused } from '#server/feeds/outbox-answers.ts'
import { readTask } from '#server/feeds/task.ts'
import { keepPlacedDraft } from '#server/people/drafts.ts'
import { findOutboxRow } from '#server/store/outbox.ts'
import { postPath } from '#shared/paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { FEED_PATHS, type PostParams, readPostParams } from '../places.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface DiscardFields {
  readonly token?: string
  readonly row: number
  readonly action?: string
}

const text = { type: 'string' } as const
const row = { type: 'integer', minimum: 1 } as const
const body = { type: 'object', properties: { token: text, row, action: text }, required: ['row'] } as const

/** What becomes of a comment that was refused: forgotten, or back in the form. */
export function addDiscards(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  for (const feed of FEED_PATHS) {
    app.post<{ Params: PostParams; Body: DiscardFields }>(
      `${feed}/:item/comments/discard`,
      { schema: { body } },
      async (request, reply) => {
        const post = readPostParams(ctx, request.params)
        const path = postPath({ domain: ctx.siteDomain }, post)
        const next = `${path}#comments`
        const person = requireSender(web, await readVisit(web, request), request.body.token)
        if (person === undefined) return sendToSignIn(reply, { next, notice: 'ended' })
        await requirePost(ctx, post, person)
        const refused = await findOutboxRow(ctx.state, request.body.row)
        if (refused?.account !== person.jid || refused.status === 'waiting') return reply.redirect(next, 303)
        const task = readTask(refused)
        const isEdited = request.body.action === 'edit' && task.kind === 'comment'
        if (isEdited) {
          const place = { kind: 'comment', at: post } as const
          const { text, inReplyTo: answers } = task
          await keepPlacedDraft(ctx, person.jid, { place, text, answers, now: ctx.clock() })
        }
        await dropRefused(ctx, person.jid, refused.id)
        return reply.redirect(isEdited ? `${path}#comment` : next, 303)
      },
    )
  }
}
