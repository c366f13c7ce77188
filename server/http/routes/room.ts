import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { roomTopic } from '#server/feeds/live.ts'
import { findRoom } from '#server/store/room.ts'
import { findTalk, talkNode } from '#server/store/room-talk.ts'
import { readItemSegment } from '#shared/paths.ts'
import { readTalkVersion, sendRoomPage } from '../pages/room.ts'
import { redirectedTo } from '../places.ts'
import { mayReadRestricted } from '../readable.ts'
import { type RoomParams, requireRoom } from '../room-access.ts'
import { dayOf, dayPath, messageAnchor, readDay, readTalkPlace } from '../room-paths.ts'
import { requireFeed } from '../shown.ts'
import { watchUnread } from '../unread.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'
import { LIVE } from './live.ts'

/** The version of the page of a room that is not there any more. */
const CLOSED = 'closed'

interface DayFields {
  readonly day?: string
  readonly before?: string
  readonly after?: string
  readonly reply?: string
}

const text = { type: 'string' } as const
const querystring = { type: 'object', properties: { day: text, before: text, after: text, reply: text } } as const

/** What is said in the room of a blog, for anybody to read. */
export function addRoom(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const site = { domain: ctx.siteDomain }

  app.get<{ Params: RoomParams; Querystring: DayFields }>(
    '/@:blog/room',
    { schema: { querystring } },
    async (request, reply) => {
      const redirected = redirectedTo(ctx, { request, reply })
      if (redirected !== undefined) return redirected
      const visit = await readVisit(web, request)
      const found = await requireRoom(ctx, request.params, visit.person)
      const { day: typed, before, after, reply: answered } = request.query
      const day = typed === undefined ? undefined : readDay(typed)
      if (typed !== undefined && day === undefined) throw new AppError('not-found', 'There is no such day.')
      const places = { before: readTalkPlace(before), after: readTalkPlace(after) }
      return sendRoomPage(web, { request, reply, visit }, { ...found, day, ...places, reply: answered })
    },
  )

  app.get<{ Params: RoomParams }>(`/@:blog/room/${LIVE}`, { exposeHeadRoute: false }, async (request, reply) => {
    const { person } = await readVisit(web, request)
    const { blog, room } = await requireRoom(ctx, request.params, person)
    const reader = blog.status === 'restricted' ? person : undefined
    const isOpen = async () => (await findRoom(ctx.state, room.channel))?.status === 'open'
    const readVersion = async () => {
      // A blog that was closed meanwhile ends the streams that its readers share.
      await requireFeed(ctx, blog.address, reader)
      return (await isOpen()) ? readTalkVersion(web, room) : CLOSED
    }
    const concerns = () => reader === undefined || mayReadRestricted(ctx, reader.jid, blog.address)
    const source = { topic: roomTopic(room.channel), view: reader?.jid, concerns, readVersion }
    web.streams.open(request, reply, source, ...watchUnread(ctx, person))
  })

  app.get<{ Params: RoomParams & { message: string } }>('/@:blog/room/messages/:message', async (request, reply) => {
    const { person } = await readVisit(web, request)
    const { blog, room } = await requireRoom(ctx, request.params, person)
    const item = readItemSegment(request.params.message)
    const message = item && (await findTalk(ctx.index, { ...talkNode(room.channel), item }, person?.jid))
    if (message === undefined) throw new AppError('not-found', 'There is no such message.')
    // The place just before it, so that it is the first on its page.
    const instant = message.published.getTime() - 1
    const path = dayPath(site, blog.address, dayOf(message.published))
    return reply.redirect(`${path}&after=${instant}.z#${messageAnchor(message.address.item)}`, 302)
  })
}
