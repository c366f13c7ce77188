import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { queueRepost } from '#server/feeds/sharing/queue-repost.ts'
import { dropPlacedDraft } from '#server/people/drafts.ts'
import type { Person } from '#server/people/people.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { writeXmppUri } from '#shared/address.ts'
import { postPath } from '#shared/paths.ts'
import { readFormSender, sendToSignIn } from '../form-guard.ts'
import { keepForOwner } from '../kept-text.ts'
import { findObstacle, sendSharePage } from '../pages/share.ts'
import type { PostParams } from '../places.ts'
import { FEED_PATHS, readPostParams, redirectedTo } from '../places.ts'
import { settle } from '../publish.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface ShareFields {
  readonly token?: string
  readonly key: string
  readonly words?: string
}

const text = { type: 'string' } as const
const key = { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' } as const
const words = { type: 'string', maxLength: 20_000 } as const
const schema = { body: { type: 'object', properties: { token: text, key, words }, required: ['key'] } } as const

/** Sharing a post on one's own blog. */
export function addShare(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const site = { domain: ctx.siteDomain }

  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams }>(`${feed}/:item/share`, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const redirected = redirectedTo(ctx, { request, reply })
      if (redirected !== undefined) return redirected
      const visit = await readVisit(web, request)
      if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
      requireBlogger(visit.person)
      const post = await requirePost(ctx, address, visit.person)
      return sendSharePage(web, { request, reply, visit }, { post })
    })

    app.post<{ Params: PostParams; Body: ShareFields }>(`${feed}/:item/share`, { schema }, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const visit = await readVisit(web, request)
      const sender = readFormSender(web, visit, request.body.token)
      const { words } = request.body
      const place = { kind: 'repost', at: address } as const
      await keepForOwner(ctx, sender, { place, text: words ?? '' })
      if (sender.kind === 'ended')
        return sendToSignIn(reply, { next: `${postPath(site, address)}/share`, notice: words ? 'kept' : 'ended' })
      if (visit.person === undefined)
        throw new AppError('forbidden', 'This form was not made here, or long ago. Go back and copy your words.')
      requireBlogger(visit.person)
      const post = await requirePost(ctx, address, visit.person)
      const fail = (status: number, problem: string) =>
        sendSharePage(web, { request, reply, visit }, { post, words, problem, status })
      if (sender.kind !== 'own')
        return fail(403, 'This form was too old to be sent. Your words are here: send them again.')
      try {
        const row = await share(sender.person, post, request.body)
        if (row.status === 'refused') throw new AppError('forbidden', row.problem ?? 'It was refused.')
        await dropPlacedDraft(ctx.state, sender.person.jid, place)
        return reply.redirect(postPath(site, row.address), 303)
      } catch (error) {
        if (!isAppError(error)) throw error
        return fail(error.statusCode, error.message)
      }
    })
  }

  async function share({ jid }: Person, post: PostRow, fields: ShareFields) {
    const obstacle = await findObstacle(web, post, jid)
    if (obstacle !== undefined) throw new AppError('forbidden', obstacle)
    const page = new URL(postPath(site, post.address), ctx.config.url).href
    const url = post.alternate ?? (ctx.config.isUrlSet ? page : writeXmppUri(post.address))
    const own = (fields.words ?? '').replaceAll('\r\n', '\n')
    return settle(ctx, await queueRepost(ctx, { author: jid, key: fields.key, post, url, words: own }))
  }
}

function requireBlogger(person: Person): void {
  if (!person.isBlogger) throw new AppError('forbidden', 'Your account may follow and comment here, but not publish.')
}
