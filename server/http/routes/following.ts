import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { followNode, mayFollow, publishFollows, unfollowNode } from '#server/feeds/follow.ts'
import { previewFeed } from '#server/feeds/preview.ts'
import { readShownFollows } from '#server/feeds/shown-follows.ts'
import type { Person } from '#server/people/people.ts'
import { requireFeedSecret } from '#server/people/reading.ts'
import { findFollow } from '#server/store/follow.ts'
import { type NodeAddress, readXmppUri } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import { cleanLine } from '#shared/text.ts'
import { type DiscoverDeps, discover } from '../discover.ts'
import { addVary, sendBody } from '../encoding.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { importOpml } from '../import-opml.ts'
import { findSentFile, readMultipart } from '../multipart.ts'
import { writeFollowsOpml } from '../opml.ts'
import type { FollowingPage } from '../pages/following.ts'
import { sendFollowingPage, sendFollowPreviewPage } from '../pages/following.ts'
import { isPublicAddress } from '../picture/public-address.ts'
import { readNext, readVisit, type Visit } from '../visit.ts'
import type { Web } from '../web.ts'

const PATH = '/following'
const OPML_BYTES = 1024 * 1024
const MOST_AT_ONCE = 3

interface Fields {
  readonly token?: string
  readonly address?: string
  readonly title?: string
  readonly feed?: string
  readonly next?: string
  readonly public?: string
}

type Form = FastifyRequest<{ Body: Fields }>

const text = { type: 'string', maxLength: 16_384 } as const
const properties = { token: text, address: text, title: text, feed: text, next: text, public: text }
const schema = { body: { type: 'object', properties } } as const

/** What I follow: by any address, with a look before; lists in and out; and who may know. */
export function addFollowing(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const look = createTurns()

  /** A form of a person who is signed in, or the way to sign in. */
  const form =
    (answer: (sent: { request: Form; reply: FastifyReply; visit: Visit; person: Person }) => Promise<FastifyReply>) =>
    async (request: Form, reply: FastifyReply) => {
      const visit = await readVisit(web, request)
      const person = requireSender(web, visit, request.body?.token)
      if (person === undefined) return sendToSignIn(reply, { next: PATH, notice: 'ended' })
      return answer({ request, reply, visit, person })
    }

  app.get<{ Querystring: { address?: string } }>(PATH, async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: readNext(request.url, PATH) })
    return sendFollowingPage(web, { request, reply, visit }, { typed: request.query.address })
  })

  app.post(
    `${PATH}/preview`,
    { schema },
    form(async ({ request, reply, visit, person }) => {
      const exchange = { request, reply, visit }
      const typed = request.body.address ?? ''
      try {
        const session = requireSession(web, person)
        const { found, preview } = await look(person.jid, async () => {
          const found = await discover(discoveryOf(web), typed)
          if (!mayFollow(found.address)) throw new AppError('bad-request', 'That is no blog and no community.')
          return { found, preview: await previewFeed(ctx, session, found.address) }
        })
        const isFollowed = (await findFollow(ctx.state, person.jid, found.address)) !== undefined
        return await sendFollowPreviewPage(web, exchange, { ...found, preview, isFollowed })
      } catch (error) {
        if (!isAppError(error)) throw error
        const page: FollowingPage = { typed, problem: error.message, status: error.statusCode }
        return sendFollowingPage(web, exchange, page)
      }
    }),
  )

  app.post(
    PATH,
    { schema },
    form(async ({ request, reply, person }) => {
      const { title = '', feed = '', next } = request.body
      const address = requireNode(request)
      const feedUrl = /^https?:\/\//i.test(feed) && feed.length <= 2_048 ? feed : undefined
      await followNode(ctx, person.jid, { address, title: cleanLine(title, 200) || undefined, feedUrl })
      return reply.redirect(readNext(next, nodePath({ domain: ctx.siteDomain }, address)), 303)
    }),
  )

  app.post(
    `${PATH}/unfollow`,
    { schema },
    form(async ({ request, reply, person }) => {
      await unfollowNode(ctx, person.jid, requireNode(request))
      return reply.redirect(readNext(request.body.next, PATH), 303)
    }),
  )

  app.post(
    `${PATH}/public`,
    { schema },
    form(async ({ request, reply, person }) => {
      await publishFollows(ctx, person.jid, request.body.public === 'on')
      return reply.redirect(`${PATH}#public`, 303)
    }),
  )

  app.post(
    `${PATH}/of`,
    { schema },
    form(async ({ request, reply, visit, person }) => {
      const jid = readBareJid((request.body.address ?? '').trim())
      const exchange = { request, reply, visit }
      if (jid === undefined) {
        const theirs = { jid: request.body.address ?? '', problem: 'That is no XMPP address.', list: [] }
        return sendFollowingPage(web, exchange, { theirs, status: 400 })
      }
      const theirs = { jid, ...(await readShownFollows(requireSession(web, person), jid)) }
      return sendFollowingPage(web, exchange, { theirs })
    }),
  )

  app.post<{ Body: Fields }>(
    `${PATH}/import`,
    { preValidation: readMultipart, schema },
    form(async ({ request, reply, visit, person }) => {
      const exchange = { request, reply, visit }
      const file = findSentFile(request)
      const fail = (words: string) =>
        sendFollowingPage(web, exchange, {
          notices: [{ lead: 'Nothing imported.', text: words, kind: 'error' }],
          status: 400,
        })
      if (file === undefined) return fail('Choose a file first.')
      if (file.isCut || file.bytes.length > OPML_BYTES) return fail('That file is larger than 1 MB. Split it in two.')
      const parts = { follower: person.jid, text: file.bytes.toString('utf8'), discovery: discoveryOf(web) }
      const imported = await look(person.jid, () => importOpml(ctx, parts))
      return sendFollowingPage(web, exchange, { imported })
    }),
  )

  app.get(`${PATH}/opml.xml`, async (request, reply) => {
    const { person } = await readVisit(web, request)
    if (person === undefined) return sendToSignIn(reply, { next: `${PATH}/opml.xml` })
    const bytes = await writeFollowsOpml(ctx, person, await requireFeedSecret(ctx, person.jid))
    reply.header('content-disposition', 'attachment; filename="following.opml"').header('cache-control', 'no-store')
    addVary(reply, 'Cookie')
    return sendBody(request, reply, { type: 'text/x-opml; charset=utf-8', bytes })
  })
}

/** Of one person, no more than a few looks at other servers at once: we are not to be a tool against them. */
function createTurns(): <T>(jid: BareJid, work: () => Promise<T>) => Promise<T> {
  const underWay = new Map<BareJid, number>()
  return async (jid, work) => {
    const count = underWay.get(jid) ?? 0
    if (count >= MOST_AT_ONCE)
      throw new AppError('too-many', 'The last addresses are still looked at. Try again in a moment.')
    underWay.set(jid, count + 1)
    try {
      return await work()
    } finally {
      const left = (underWay.get(jid) ?? 1) - 1
      if (left > 0) underWay.set(jid, left)
      else underWay.delete(jid)
    }
  }
}

function requireNode({ body }: Form): NodeAddress {
  const uri = readXmppUri(body.address ?? '')
  if (uri?.node === undefined) throw new AppError('bad-request', 'That is no address of a blog.')
  return { service: uri.service, node: uri.node }
}

function requireSession({ ctx }: Web, { jid }: Person) {
  const session = ctx.people.session(jid)
  if (session?.status === 'online') return session
  throw new AppError('unavailable', 'Your XMPP server cannot be reached now. Try again in a moment.')
}

function discoveryOf({ ctx }: Web): DiscoverDeps {
  return {
    site: { url: ctx.config.url, domain: ctx.siteDomain },
    isAllowed: ctx.isPublicAddress ?? isPublicAddress,
  }
}
