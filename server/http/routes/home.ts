import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#server/errors.ts'
import { type LiveEvent, POSTS_TOPIC } from '#server/feeds/live.ts'
import { renewFeedSecret } from '#server/people/feed-secret.ts'
import { markAllRead, markFeedRead } from '#server/people/reading.ts'
import { feedKey } from '#server/store/blog.ts'
import { listFollows } from '#server/store/follow.ts'
import { listPosts } from '#server/store/post.ts'
import { listRestrictedFeeds } from '#server/store/restricted-node.ts'
import { readXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import type { FeedQuery } from '../feed-data.ts'
import { FEED_FORMATS, type FeedFormat, sendFeed } from '../feed-formats.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { createHomeFeed } from '../home-feed.ts'
import { sendTimelinePage, type TimelineQuery } from '../pages/home.ts'
import { chooseReadable, mayReadRestricted } from '../readable.ts'
import { watchUnread } from '../unread.ts'
import { PAGE_POSTS, writeListVersion } from '../versions.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'
import { LIVE } from './live.ts'

interface ReadFields {
  readonly token?: string
  readonly until?: string
  /** The `xmpp:` address of the one feed that was read; all of them without. */
  readonly feed?: string
}

interface FeedRequest {
  Params: { readonly secret: string }
  Querystring: FeedQuery & { readonly feed?: string }
}

const text = { type: 'string', maxLength: 4_096 } as const
const body = { type: 'object', properties: { token: text, until: text, feed: text } } as const
const page = { type: 'object', properties: { before: text, after: text, feeds: text } } as const
const querystring = { type: 'object', properties: { before: text, after: text, feed: text } } as const

/** My timeline: the posts of everything that I follow, and its feeds under an address that only I know. */
export function addHome(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.get<{ Querystring: TimelineQuery }>('/home', { schema: { querystring: page } }, async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: '/home' })
    return sendTimelinePage(web, { request, reply, visit }, request.query)
  })

  app.post<{ Body: ReadFields }>('/home/read', { schema: { body } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/home', notice: 'ended' })
    const until = new Date(request.body.until ?? '')
    if (Number.isNaN(until.getTime())) throw new AppError('bad-request', 'Go back, load the page anew and try again.')
    const feed = request.body.feed === undefined ? undefined : readXmppUri(request.body.feed)
    if (feed?.node === undefined) {
      await markAllRead(ctx, person.jid, until)
      return reply.redirect('/home', 303)
    }
    const address = { service: feed.service, node: feed.node }
    await markFeedRead(ctx, person.jid, { feed: address, until })
    return reply.redirect(nodePath({ domain: ctx.siteDomain }, address), 303)
  })

  app.post<{ Body: ReadFields }>('/home/address', { schema: { body } }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/home', notice: 'ended' })
    await renewFeedSecret(ctx, person.jid)
    return reply.redirect('/home?feeds=shown#feeds', 303)
  })

  app.get(`/home/${LIVE}`, { exposeHeadRoute: false }, async (request, reply) => {
    const { person } = await readVisit(web, request)
    if (person === undefined) throw new AppError('not-authorized', 'Sign in again to see your timeline.')
    const timeline = { topic: POSTS_TOPIC, view: person.jid, ...watchTimeline(web, person.jid) }
    web.streams.open(request, reply, timeline, ...watchUnread(ctx, person))
  })

  for (const format of FEED_FORMATS) {
    app.get<FeedRequest>(`/home/:secret/${format.file}`, { schema: { querystring } }, (request, reply) =>
      sendHomeFeed(web, format, { request, reply }),
    )
  }
}

/** The newest post of everything that somebody follows and may be shown, and which events can be about it. */
function watchTimeline({ ctx }: Web, jid: BareJid) {
  let followed: ReadonlySet<string> = new Set()
  let restricted: ReadonlySet<string> = new Set()
  return {
    concerns: (event: LiveEvent) => {
      if (!('address' in event)) return true
      const key = feedKey(event.address)
      return followed.has(key) && (!restricted.has(key) || mayReadRestricted(ctx, jid, event.address))
    },
    readVersion: async () => {
      const follows = (await listFollows(ctx.state, jid)).map(({ address }) => address)
      followed = new Set(follows.map(feedKey))
      const { addresses } = await chooseReadable(ctx, jid, follows)
      restricted = new Set((await listRestrictedFeeds(ctx.index)).map(feedKey))
      const scope = { kind: 'feeds', addresses, isPermitted: true } as const
      const { rows } = await listPosts(ctx.index, { scope, limit: PAGE_POSTS })
      return writeListVersion(rows)
    },
  }
}

async function sendHomeFeed(
  { ctx, assets }: Web,
  format: FeedFormat,
  { request, reply }: { request: FastifyRequest<FeedRequest>; reply: FastifyReply },
): Promise<FastifyReply> {
  const { before, after, feed: of } = request.query
  const query = { before, after, of, file: format.file }
  const feed = await createHomeFeed(ctx, request.params.secret, query)
  reply.header('x-robots-tag', 'noindex')
  const stylesheet = `${assets.path}/feed.css`
  return sendFeed(request, reply, { format, feed, now: ctx.clock(), stylesheet, isPrivate: true })
}
