import type { FastifyInstance } from 'fastify'
import { AppError, explainTooLong, isAppError } from '#server/errors.ts'
import { findFreeNickname } from '#server/feeds/rooms/namesakes.ts'
import { queueRoomMember, queueRoomMessage } from '#server/feeds/rooms/queue-room.ts'
import { dropPlacedDraft } from '#server/people/drafts.ts'
import { findRoomMember } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { readItemSegment } from '#shared/paths.ts'
import { cleanLine } from '#shared/text.ts'
import { readFormSender, requireSender, sendToSignIn } from '../form-guard.ts'
import { keepForOwner } from '../kept-text.ts'
import { sendRoomPage } from '../pages/room.ts'
import { sendRoomUnsent } from '../pages/room-unsent.ts'
import { settle } from '../publish.ts'
import { findRoomIfOpen, type RoomParams, requireRoom } from '../room-access.ts'
import { roomPath } from '../room-paths.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface MessageFields {
  readonly token?: string
  readonly key?: string
  readonly text?: string
  readonly reply?: string
}

const LONGEST = 5_000
const LONGEST_NICK = 100
const text = { type: 'string' } as const
const key = { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' } as const
const messageSchema = {
  body: { type: 'object', properties: { token: text, key, text, reply: text }, required: ['key'] },
} as const

/** Joining a room, leaving it, and saying something in it. */
export function addRoomForms(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.post<{ Params: RoomParams; Body: MessageFields }>(
    '/@:blog/room/messages',
    { schema: messageSchema },
    async (request, reply) => {
      const visit = await readVisit(web, request)
      const { blog, room } = await findRoomIfOpen(ctx, request.params, visit.person)
      const path = roomPath({ domain: ctx.siteDomain }, blog.address)
      const sender = readFormSender(web, visit, request.body.token)
      const typed = (request.body.text ?? '').replaceAll('\r\n', '\n').trim()
      const unsent = { blog, text: typed, isClosed: room === undefined }
      if (room === undefined) return sendRoomUnsent(web, { request, reply, visit }, unsent)
      const place = { kind: 'message', at: talkNode(room.channel) } as const
      const { channel } = room
      const parent = request.body.reply === undefined ? undefined : readItemSegment(request.body.reply)
      const inReplyTo = parent === undefined ? undefined : { ...talkNode(channel), item: parent }
      await keepForOwner(ctx, sender, { place, text: typed, answers: inReplyTo })
      if (sender.kind === 'ended')
        return sendToSignIn(reply, { next: `${path}#say`, notice: typed === '' ? 'ended' : 'kept' })
      const isMember = visit.person && (await findRoomMember(ctx.state, room.channel, visit.person.jid))
      if (isMember === undefined) return sendRoomUnsent(web, { request, reply, visit }, unsent)
      const fail = (status: number, problem: string) =>
        sendRoomPage(web, { request, reply, visit }, { blog, room, typed, reply: request.body.reply, problem, status })
      if (sender.kind !== 'own')
        return fail(403, 'This form was too old to be sent. Your message is here: send it again.')
      if (typed === '') return fail(400, 'Write a message first.')
      if (typed.length > LONGEST) return fail(413, explainTooLong('This message', typed.length, LONGEST))
      try {
        const queued = await queueRoomMessage(ctx, {
          ...{ account: sender.person.jid, channel, text: typed, key: request.body.key ?? '' },
          inReplyTo,
        })
        await dropPlacedDraft(ctx.state, sender.person.jid, place)
        await settle(ctx, queued)
        return reply.redirect(`${path}#say`, 303)
      } catch (error) {
        if (!isAppError(error, 'too-many', 'too-large')) throw error
        return fail(error.statusCode, error.message)
      }
    },
  )

  app.post<{ Params: RoomParams; Body: { token?: string; nick?: string } }>(
    '/@:blog/room/join',
    async (request, reply) => {
      const visit = await readVisit(web, request)
      const found = await requireRoom(ctx, request.params, visit.person)
      const path = roomPath({ domain: ctx.siteDomain }, found.blog.address)
      const person = requireSender(web, visit, request.body?.token)
      if (person === undefined) return sendToSignIn(reply, { next: `${path}#say`, notice: 'ended' })
      const nick = cleanLine(request.body.nick ?? '', LONGEST_NICK)
      const fail = (status: number, problem: string) =>
        sendRoomPage(web, { request, reply, visit }, { ...found, typed: nick, problem, status })
      if (nick === '') return fail(400, 'Write the name that you want to have in the room.')
      if (ctx.rooms.mayUse(person.jid) === false)
        throw new AppError('forbidden', 'Your XMPP server does not know rooms (MIX), so you can only read here.')
      const { channel } = found.room
      const free = await findFreeNickname(ctx, found.room, { jid: person.jid, nick })
      if (free !== undefined)
        return fail(409, `Somebody has this name in the room. Take another one, such as “${free}”.`)
      await settle(ctx, await queueRoomMember(ctx, { jid: person.jid, channel, action: 'join', nick }))
      return reply.redirect(`${path}#say`, 303)
    },
  )

  app.post<{ Params: RoomParams; Body: { token?: string } }>('/@:blog/room/leave', async (request, reply) => {
    const visit = await readVisit(web, request)
    const { blog, room } = await requireRoom(ctx, request.params, visit.person)
    const path = roomPath({ domain: ctx.siteDomain }, blog.address)
    const person = requireSender(web, visit, request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: path, notice: 'ended' })
    await settle(ctx, await queueRoomMember(ctx, { jid: person.jid, channel: room.channel, action: 'leave' }))
    return reply.redirect(path, 303)
  })
}
