import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Person } from '#server/people/people.ts'
import { listFollows } from '#server/store/follow.ts'
import { listParticipants } from '#server/store/participant.ts'
import type { PersonName } from '#server/store/post-row.ts'
import { findRoomMember, findRoomOfBlog } from '#server/store/room.ts'
import { listTalkers, nameAll } from '#server/store/talker.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { FEED_PATHS, type FeedParams, type PostParams, readFeedParams, readPostParams } from '../places.ts'
import { readerOf } from '../readable.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

/** After the address of a post or a room, and for the site: who may be meant by `@name`. No item id looks like it. */
export const PEOPLE = 'people.json'

interface Query {
  readonly q?: string
}

const MOST = 8
const schema = { querystring: { type: 'object', properties: { q: { type: 'string', maxLength: 200 } } } } as const

/** Who can be mentioned, as one types: people of the place, and whom one follows. For who is signed in. */
export function addPeople(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  async function send(
    request: FastifyRequest<{ Querystring: Query }>,
    reply: FastifyReply,
    listHere: (person: Person) => Promise<readonly PersonName[]>,
  ): Promise<FastifyReply> {
    const { person } = await readVisit(web, request)
    reply.header('cache-control', 'private, no-store')
    if (person === undefined) return reply.code(403).send({ people: [] })
    const follows = await listFollows(ctx.state, person.jid)
    const blogs = follows.flatMap(({ address }) => (address.node === NS.MICROBLOG ? address.service : []))
    const all = [...(await listHere(person)), ...(await nameAll(ctx.index, blogs))]
    return reply.send({ people: choose(all, request.query.q ?? '', person.jid) })
  }

  app.get<{ Querystring: Query }>(`/${PEOPLE}`, { schema }, (request, reply) => send(request, reply, async () => []))

  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams; Querystring: Query }>(`${feed}/:item/${PEOPLE}`, { schema }, (request, reply) =>
      send(request, reply, async (person) => {
        const post = await requirePost(ctx, readPostParams(ctx, request.params), person)
        const reader = readerOf(ctx, person, post)
        const talkers = post.comments === undefined ? [] : await listTalkers(ctx.index, post.comments, reader)
        return post.author === undefined ? talkers : [post.author, ...talkers]
      }),
    )
  }

  app.get<{ Params: FeedParams; Querystring: Query }>(`/@:blog/room/${PEOPLE}`, { schema }, (request, reply) =>
    send(request, reply, async (person) => {
      const room = await findRoomOfBlog(ctx.state, readFeedParams(ctx, request.params))
      // The addresses of who is in a room are for who is in it too.
      if (room === undefined || (await findRoomMember(ctx.state, room.channel, person.jid)) === undefined) return []
      const people = await listParticipants(ctx.index, room.channel, { except: ctx.proofs.siteJid })
      return people.flatMap(({ jid, nick }) => (jid === undefined ? [] : { jid, name: nick ?? localPart(jid) ?? jid }))
    }),
  )
}

/** Those whose name, a word of it, or address begins so; each once. */
function choose(people: readonly PersonName[], typed: string, own: BareJid): PersonName[] {
  const wanted = typed.trim().toLowerCase()
  const found = new Map<BareJid, PersonName>()
  for (const person of people) {
    if (person.jid === own || found.has(person.jid)) continue
    const words = [person.name, ...person.name.split(/\s+/), person.jid]
    if (words.some((word) => word.toLowerCase().startsWith(wanted))) found.set(person.jid, person)
    if (found.size >= MOST) break
  }
  return [...found.values()].map(({ jid, name }) => ({ jid, name }))
}
