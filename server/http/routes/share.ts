import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { queueRepost } from '#server/feeds/sharing/queue-repost.ts'
import type { Person } from '#server/people/people.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { writeXmppUri } from '#shared/address.ts'
import { postPath } from '#shared/paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
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
      const person = requireSender(web, visit, request.body.token)
      if (person === undefined)
        return sendToSignIn(reply, { next: `${postPath(site, address)}/share`, notice: 'ended' })
      requireBlogger(person)
      const post = await requirePost(ctx, address, person)
      try {
        const row = await share(person, post, request.body)
        if (row.status === 'refused') throw new AppError('forbidden', row.problem ?? 'It was refused.')
        return reply.redirect(postPath(site, row.address), 303)
      } catch (error) {
        if (!isAppError(error)) throw error
        const page = { post, words: request.body.words, problem: error.message, status: error.statusCode }
        return sendSharePage(web, { request, reply, visit }, page)
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
