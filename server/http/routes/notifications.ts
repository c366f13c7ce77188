import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { personTopic } from '#server/feeds/live.ts'
import { seeAll, wishForMessages, wishForThread } from '#server/feeds/notify/seen.ts'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { listNotifications } from '#server/store/notification.ts'
import { postPath } from '#shared/paths.ts'
import { FEED_FORMATS, sendFeed } from '../feed-formats.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { createNotificationsFeed } from '../notifications-feed.ts'
import { readPlace, sendNotificationsPage, writeNotificationsVersion } from '../pages/notifications.ts'
import { FEED_PATHS, type PostParams, readPostParams } from '../places.ts'
import { requirePost } from '../shown.ts'
import { watchUnread } from '../unread.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'
import { LIVE } from './live.ts'

interface Fields {
  readonly token?: string
  readonly until?: string
  readonly wish?: string
  readonly messages?: string
}

const text = { type: 'string', maxLength: 4_096 } as const
const body = { type: 'object', properties: { token: text, until: text, wish: text, messages: text } } as const
const querystring = { type: 'object', properties: { before: text, feeds: text } } as const
const WISHES = { follow: 'follow', mute: 'mute', none: undefined } as const

/** What there is to know for me, where else I want to hear of it, and which threads I want to hear of. */
export function addNotificationRoutes(app: FastifyInstance, web: Web): void {
  addPage(app, web)
  addWishes(app, web)
  const { ctx, assets } = web
  for (const format of FEED_FORMATS) {
    app.get<{ Params: { secret: string } }>(`/notifications/:secret/${format.file}`, async (request, reply) => {
      const feed = await createNotificationsFeed(ctx, request.params.secret, format.file)
      reply.header('x-robots-tag', 'noindex')
      const stylesheet = `${assets.path}/feed.css`
      return sendFeed(request, reply, { format, feed, now: ctx.clock(), stylesheet, isPrivate: true })
    })
  }
}

function addPage(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.get<{ Querystring: { before?: string; feeds?: string } }>(
    '/notifications',
    { schema: { querystring } },
    async (request, reply) => {
      const visit = await readVisit(web, request)
      if (visit.person === undefined) return sendToSignIn(reply, { next: '/notifications' })
      return sendNotificationsPage(web, { request, reply, visit }, request.query)
    },
  )

  app.get(`/notifications/${LIVE}`, { exposeHeadRoute: false }, async (request, reply) => {
    const { person } = await readVisit(web, request)
    if (person === undefined) throw new AppError('not-authorized', 'Sign in again to see your notifications.')
    const readVersion = async () => {
      const [newest] = await listNotifications(ctx.state, person.jid, { limit: 1 })
      return writeNotificationsVersion(newest)
    }
    const list = { topic: personTopic(person.jid), readVersion }
    web.streams.open(request, reply, list, ...watchUnread(ctx, person))
  })

  app.post<{ Body: Fields }>('/notifications/read', { schema: { body } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/notifications', notice: 'ended' })
    const until = readPlace(request.body.until)
    if (until === undefined) throw new AppError('bad-request', 'Go back, load the page anew and try again.')
    await seeAll(ctx, person.jid, until)
    return reply.redirect('/notifications', 303)
  })

  app.post<{ Body: Fields }>('/notifications/address', { schema: { body } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/notifications', notice: 'ended' })
    // The same as of the timeline, where a new one can be had.
    await requireFeedSecret(ctx, person.jid)
    return reply.redirect('/notifications?feeds=shown#feeds', 303)
  })
}

function addWishes(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.post<{ Body: Fields }>('/settings/messages', { schema: { body } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/settings', notice: 'ended' })
    await wishForMessages(ctx, person.jid, request.body.messages === 'on')
    return reply.redirect('/settings?saved=messages', 303)
  })

  for (const feed of FEED_PATHS) {
    app.post<{ Params: PostParams; Body: Fields }>(
      `${feed}/:item/wish`,
      { schema: { body } },
      async (request, reply) => {
        const post = readPostParams(ctx, request.params)
        const path = postPath({ domain: ctx.siteDomain }, post)
        const person = requireSender(web, await readVisit(web, request), request.body.token)
        if (person === undefined) return sendToSignIn(reply, { next: path, notice: 'ended' })
        await requirePost(ctx, post, person)
        const { wish = '' } = request.body
        if (!Object.hasOwn(WISHES, wish))
          throw new AppError('bad-request', 'Go back, load the page anew and try again.')
        await wishForThread(ctx, person.jid, { post, wish: WISHES[wish as keyof typeof WISHES] })
        return reply.redirect(`${path}#thread-wish`, 303)
      },
    )
  }
}
