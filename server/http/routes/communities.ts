import type { FastifyInstance } from 'fastify'
import { AppError, ERROR_STATUS, isAppError } from '#server/errors.ts'
import { browse, findService } from '#server/feeds/browse.ts'
import type { NewCommunity } from '#server/feeds/communities.ts'
import { listPeople } from '#server/feeds/owners.ts'
import { queueAffiliation, queueCommunity } from '#server/feeds/queue.ts'
import type { Person } from '#server/people/people.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import { peoplePath, readNodeUri } from '../community-paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import { sendBlockPage, sendCommunitiesPage, sendNewCommunityPage, sendPeoplePage } from '../pages/communities.ts'
import { settle } from '../publish.ts'
import { explainReach } from '../reach.ts'
import { blogTitle, requireFeed } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

interface CommunityFields {
  readonly token?: string
  readonly key?: string
  readonly service?: string
  readonly title?: string
  readonly description?: string
  readonly who?: string
  /** XMPP addresses with white space or commas between them. */
  readonly people?: string
  readonly kind?: string
}

interface BlockFields {
  readonly token?: string
  readonly of?: string
  readonly jid?: string
  readonly action?: string
}

const MOST_PEOPLE = 100
/** By the buttons of the page. */
const AFFILIATIONS: ReadonlyMap<string, 'outcast' | 'publisher' | 'none'> = new Map([
  ['block', 'outcast'],
  ['allow', 'publisher'],
  ['let-in', 'none'],
])
const line = { type: 'string', maxLength: 3_071 } as const
const text = { type: 'string', maxLength: 20_000 } as const
const key = { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' } as const
const communitySchema = {
  type: 'object',
  properties: { key, title: line, service: line, description: text, people: text },
  required: ['key'],
} as const

/** Nodes of many people: to find, to make, and to look after. */
export function addCommunities(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.get<{ Querystring: { service?: string } }>('/communities', async (request, reply) => {
    const visit = await readVisit(web, request)
    const exchange = { request, reply, visit }
    const typed = request.query.service?.trim()
    if (visit.person === undefined) {
      return typed === undefined
        ? sendCommunitiesPage(web, exchange, { service: '' })
        : sendToSignIn(reply, { next: request.url })
    }
    const service = typed ?? (await offeredService(visit.person))
    if (typed === undefined) return sendCommunitiesPage(web, exchange, { service })
    const jid = readBareJid(typed)
    const wrong = 'Write the address of a service, such as pubsub.example.org.'
    if (jid === undefined) return sendCommunitiesPage(web, exchange, { service, problem: wrong, status: 400 })
    const far = explainReach(ctx.config, jid)
    if (far !== undefined) return sendCommunitiesPage(web, exchange, { service, problem: far, status: 403 })
    try {
      return await sendCommunitiesPage(web, exchange, {
        service: jid,
        browsed: await browse(ctx, visit.person.jid, jid),
      })
    } catch (error) {
      if (!isAppError(error)) throw error
      const problem = `Its communities cannot be shown: ${error.message}.`.replace(/\.\.$/, '.')
      return sendCommunitiesPage(web, exchange, { service, problem, status: error.statusCode })
    }
  })

  app.get<{ Querystring: { service?: string } }>('/communities/new', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const service = request.query.service ?? (await offeredService(visit.person))
    return sendNewCommunityPage(web, { request, reply, visit }, { fields: { service } })
  })

  app.post<{ Body: CommunityFields }>('/communities', { schema: { body: communitySchema } }, async (request, reply) => {
    const visit = await readVisit(web, request)
    const person = requireSender(web, visit, request.body.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/communities/new', notice: 'ended' })
    const { title = '', description = '', service = '', who = '', people = '' } = request.body
    const kind: NewCommunity['kind'] = request.body.kind === 'gallery' ? 'gallery' : 'base'
    const fields = { title, description, service, who, people, kind }
    const fail = (problem: string, status: number) =>
      sendNewCommunityPage(web, { request, reply, visit }, { fields, problem, status })
    const at = readBareJid(service.trim())
    if (at === undefined) return fail('Write the address of a service, such as pubsub.example.org.', 400)
    const far = explainReach(ctx.config, at)
    if (far !== undefined) return fail(far, 403)
    const named = readPeople(people)
    if (who !== 'everyone' && typeof named === 'string') return fail(named, 400)
    const publishers: NewCommunity['publishers'] = who === 'everyone' || typeof named === 'string' ? 'everyone' : named
    try {
      const form = { key: request.body.key ?? '', kind, title, description, publishers }
      const row = await settle(ctx, await queueCommunity(ctx, { ...form, owner: person.jid, service: at }))
      const isShown = row.status === 'done' && row.problem === undefined
      if (isShown) return reply.redirect(nodePath({ domain: ctx.siteDomain }, row.address), 303)
      const status = row.status === 'refused' ? statusOf(row.reason) : 200
      return sendNewCommunityPage(web, { request, reply, visit }, { fields, row, status })
    } catch (error) {
      if (!isAppError(error)) throw error
      return fail(error.message, error.statusCode)
    }
  })

  app.get<{ Querystring: { of?: string } }>('/communities/people', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const address = requireNode(request.query.of)
    const blog = await requireFeed(ctx, address, visit.person)
    const people = await listPeople(ctx, visit.person.jid, address)
    const page = { address, title: blogTitle(blog), isOpen: blog.publishModel === 'open', ...people }
    return sendPeoplePage(web, { request, reply, visit }, page)
  })

  app.get<{ Querystring: { of?: string; jid?: string } }>('/communities/block', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const address = requireNode(request.query.of)
    const title = blogTitle(await requireFeed(ctx, address, visit.person))
    const jid = requireJid(request.query.jid)
    const cancelUrl = nodePath({ domain: ctx.siteDomain }, address)
    return sendBlockPage(web, { request, reply, visit }, { address, jid, title, cancelUrl })
  })

  app.post<{ Body: BlockFields }>('/communities/block', async (request, reply) => {
    const person = requireSender(web, await readVisit(web, request), request.body?.token)
    const address = requireNode(request.body?.of)
    if (person === undefined) return sendToSignIn(reply, { next: peoplePath(address), notice: 'ended' })
    const jid = requireJid(request.body.jid)
    const affiliation = AFFILIATIONS.get(request.body.action ?? '')
    if (affiliation === undefined) throw new AppError('bad-request', 'The request cannot be understood.')
    const row = await settle(ctx, await queueAffiliation(ctx, { by: person.jid, address, jid, affiliation }))
    if (row.status === 'refused') throw new AppError('forbidden', `${row.problem ?? 'The service refused it'}.`)
    return reply.redirect(peoplePath(address), 303)
  })

  async function offeredService({ jid }: Person): Promise<string> {
    return (await findService(ctx, jid).catch(() => undefined)) ?? ''
  }
}

/** The accounts that somebody named, or what is wrong with one. */
function readPeople(typed: string): readonly BareJid[] | string {
  const names = typed.split(/[\s,;،、，]+/).filter((name) => name !== '')
  if (names.length > MOST_PEOPLE) return `Name ${MOST_PEOPLE} people at most. You can name more later.`
  const people: BareJid[] = []
  for (const name of names) {
    const jid = readBareJid(name)
    if (jid === undefined)
      return `${name.slice(0, 100)} is no XMPP address. Write addresses such as juliet@example.org.`
    people.push(jid)
  }
  return people
}

function requireNode(uri: string | undefined) {
  const address = readNodeUri(uri)
  if (address === undefined) throw new AppError('not-found', 'There is no such community.')
  return address
}

function requireJid(text: string | undefined): BareJid {
  const jid = readBareJid(text ?? '')
  if (jid === undefined) throw new AppError('bad-request', 'That is no XMPP address.')
  return jid
}

function statusOf(reason = ''): number {
  return reason in ERROR_STATUS ? ERROR_STATUS[reason as keyof typeof ERROR_STATUS] : 200
}
