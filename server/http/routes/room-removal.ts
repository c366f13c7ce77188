import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { removeComment } from '#server/feeds/moderation/remove.ts'
import { queueRoomRetraction } from '#server/feeds/rooms/queue-room.ts'
import type { Person } from '#server/people/people.ts'
import { findTalk, talkNode } from '#server/store/room-talk.ts'
import { readItemSegment } from '#shared/paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { sendPage } from '../pages/page.ts'
import { readRoomNames } from '../pages/room-names.ts'
import { settle } from '../publish.ts'
import { type RoomParams, requireRoom } from '../room-access.ts'
import { messagePath, roomPath } from '../room-paths.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

type MessageParams = RoomParams & { readonly message: string }

/** Taking back what one said in a room, or, as its owner, what anybody said. */
export function addRoomRemoval(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const site = { domain: ctx.siteDomain }
  const path = '/@:blog/room/messages/:message/remove'

  app.get<{ Params: MessageParams }>(path, async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const { blog, room, message } = await findRemovable(request.params, visit.person)
    if (message === undefined) return reply.redirect(roomPath(site, blog.address), 303)
    const { item } = message.address
    const name = (await readRoomNames(ctx, room, [message])).sayName(message) ?? 'Somebody'
    return sendPage(
      web,
      { request, reply, visit },
      {
        name: 'confirm',
        head: { title: 'Remove a message', noindex: true },
        view: {
          heading: 'Remove this message?',
          text: `${name}: “${message.text}” It leaves the pages here, and everybody in the room is told that it was taken back. Their programs, and the archive of the room, may keep it.`,
          action: `${messagePath(site, blog.address, item)}/remove`,
          token: web.tokens.issue(visit.person),
          button: 'Remove',
          cancelUrl: messagePath(site, blog.address, item),
        },
      },
    )
  })

  app.post<{ Params: MessageParams; Body: { token?: string } }>(path, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: request.url, notice: 'ended' })
    const { blog, message } = await findRemovable(request.params, person)
    if (message !== undefined) {
      const { address, root, author } = message
      const change = { by: person.jid, address }
      // An answer to a post is its comment: that can be put back.
      const isModerated = root !== undefined && author !== person.jid
      const row = isModerated ? await removeComment(ctx, change) : await queueRoomRetraction(ctx, change)
      if (row !== undefined) await settle(ctx, row)
    }
    return reply.redirect(roomPath(site, blog.address), 303)
  })

  async function findRemovable(params: MessageParams, person: Person) {
    const { blog, room } = await requireRoom(ctx, params, person)
    const item = readItemSegment(params.message)
    const message = item && (await findTalk(ctx.index, { ...talkNode(room.channel), item }, person.jid))
    if (message !== undefined && message.author !== person.jid && room.owner !== person.jid)
      throw new AppError('forbidden', 'Only who wrote a message, and whose room it is, can remove it.')
    return { blog, room, message }
  }
}
