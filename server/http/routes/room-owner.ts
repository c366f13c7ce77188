import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { queueRoom } from '#server/feeds/rooms/queue-room.ts'
import type { Person } from '#server/people/people.ts'
import { findRoomOfBlog } from '#server/store/room.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { sendPage } from '../pages/page.ts'
import { blogAddress } from '../places.ts'
import { settle } from '../publish.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface OpenFields {
  readonly token?: string
  readonly key?: string
}

const key = { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' } as const
const schema = { body: { type: 'object', properties: { token: { type: 'string' }, key }, required: ['key'] } } as const
const SETTINGS = '/settings#room'

/** Opening a room for one's blog, and closing it. */
export function addRoomOwner(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.post<{ Body: OpenFields }>('/settings/room', { schema }, async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: SETTINGS, notice: 'ended' })
    const blog = requireOwn(person)
    if (ctx.rooms.mayOpen(person.jid) === false)
      throw new AppError('forbidden', 'Your XMPP server, or that of this site, does not know rooms.')
    if ((await findRoomOfBlog(ctx.state, blog)) === undefined) {
      await settle(ctx, await queueRoom(ctx, { owner: person.jid, blog, action: 'open', key: request.body.key ?? '' }))
    }
    return reply.redirect(SETTINGS, 303)
  })

  app.get('/settings/room/close', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const blog = requireOwn(visit.person)
    const room = await findRoomOfBlog(ctx.state, blog)
    if (room === undefined) return reply.redirect(SETTINGS, 303)
    return sendPage(
      web,
      { request, reply, visit },
      {
        name: 'confirm',
        head: { title: 'Close the room', noindex: true },
        view: {
          heading: 'Close the room?',
          text: 'Nobody can talk there any more, and its page is gone. What was said may remain in the archives of servers and programs. Comments that were written there leave your blog. It cannot be opened again: a new room starts empty.',
          action: '/settings/room/close',
          token: web.tokens.issue(visit.person),
          button: 'Close the room',
          cancelUrl: SETTINGS,
        },
      },
    )
  })

  app.post<{ Body: { token?: string } }>('/settings/room/close', async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: SETTINGS, notice: 'ended' })
    const blog = requireOwn(person)
    const room = await findRoomOfBlog(ctx.state, blog)
    if (room !== undefined) {
      await settle(
        ctx,
        await queueRoom(ctx, { owner: person.jid, blog, action: 'close', key: `close-${room.channel}` }),
      )
    }
    return reply.redirect(SETTINGS, 303)
  })
}

function requireOwn({ jid, isBlogger }: Person) {
  if (!isBlogger) throw new AppError('forbidden', 'Only who has a blog here can open a room for it.')
  return blogAddress(jid)
}
