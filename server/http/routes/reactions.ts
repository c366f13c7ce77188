import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { queueReact } from '#server/feeds/reactions/queue-react.ts'
import { postPath } from '#shared/paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { sendPostPage } from '../pages/post.ts'
import { asSentence } from '../pages/post-view.ts'
import { sendReactorsPage } from '../pages/reactions.ts'
import type { PostParams } from '../places.ts'
import { FEED_PATHS, readPostParams, redirectedTo } from '../places.ts'
import { settle } from '../publish.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface ReactionFields {
  readonly token?: string
  /** `+` or `-` and the emoji: a wish, not a switch, so that sent twice it is the same. */
  readonly wish?: string
  /** As it was typed. */
  readonly emoji?: string
}

const text = { type: 'string', maxLength: 1_000 } as const
const body = { type: 'object', properties: { token: text, wish: text, emoji: text } } as const
const page = { type: 'string', pattern: '^[1-9][0-9]{0,4}$' } as const
const querystring = { type: 'object', properties: { page } } as const

/** Reacting to a post, and who did. */
export function addReactions(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams; Querystring: { page?: string } }>(
      `${feed}/:item/reactions`,
      { schema: { querystring } },
      async (request, reply) => {
        const address = readPostParams(ctx, request.params)
        const redirected = redirectedTo(ctx, { request, reply })
        if (redirected !== undefined) return redirected
        const visit = await readVisit(web, request)
        const post = await requirePost(ctx, address, visit.person)
        return sendReactorsPage(web, { request, reply, visit }, { post, page: Number(request.query.page ?? 1) })
      },
    )

    app.post<{ Params: PostParams; Body: ReactionFields | undefined }>(
      `${feed}/:item/reactions`,
      { schema: { body } },
      async (request, reply) => {
        const address = readPostParams(ctx, request.params)
        const next = `${postPath({ domain: ctx.siteDomain }, address)}#reactions`
        const visit = await readVisit(web, request)
        const person = requireSender(web, visit, request.body?.token)
        if (person === undefined) return sendToSignIn(reply, { next, notice: 'ended' })
        await requirePost(ctx, address, person)
        try {
          const { emoji, isOn } = readWish(request.body ?? {})
          await settle(ctx, await queueReact(ctx, { by: person.jid, post: address, emoji, isOn }))
          return reply.redirect(next, 303)
        } catch (error) {
          if (!isAppError(error, 'bad-request', 'too-many', 'too-large')) throw error
          const notReacted = asSentence(error.message)
          return sendPostPage(web, { request, reply, visit }, { address, notReacted, status: error.statusCode })
        }
      },
    )
  }
}

function readWish({ wish, emoji }: ReactionFields): { emoji: string; isOn: boolean } {
  if (emoji !== undefined) return { emoji, isOn: true }
  if (wish === undefined || !/^[+-]./u.test(wish)) throw new AppError('bad-request', 'Choose a reaction.')
  return { emoji: wish.slice(1), isOn: wish.startsWith('+') }
}
