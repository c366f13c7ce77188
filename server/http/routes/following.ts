import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { followNode, mayFollow, publishFollows, unfollowNode } from '#server/feeds/follow.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { requireOwnSession } from '#server/feeds/own-session.ts'
import { previewFeed } from '#server/feeds/preview.ts'
import { readShownFollows } from '#server/feeds/shown-follows.ts'
import { findFollow } from '#server/store/follow.ts'
import { type NodeAddress, readXmppUri, sameAddress } from '#shared/address.ts'
import { localPart, readBareJid } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import { cleanLine } from '#shared/text.ts'
import { discover } from '../discover.ts'
import {
  createLooks,
  discoveryOf,
  FOLLOW_SCHEMA,
  FOLLOWING,
  type FollowFields,
  type FollowForm,
  onFollowForm,
} from '../follow-form.ts'
import { sendToSignIn } from '../form-guard.ts'
import { sendFollowPreviewPage } from '../pages/follow-preview.ts'
import { sendFollowingPage } from '../pages/following.ts'
import { explainReach, requireReach } from '../reach.ts'
import { completeAccount } from '../read-address.ts'
import { readNext, readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

const schema = FOLLOW_SCHEMA

/** What I follow: by any address, with a look before; and who may know. */
export function addFollowing(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const look = createLooks()

  app.get<{ Querystring: { address?: string; saved?: string } }>(FOLLOWING, async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: readNext(request.url, FOLLOWING) })
    const { address: typed, saved } = request.query
    return sendFollowingPage(web, { request, reply, visit }, { typed, isSaved: saved !== undefined })
  })

  app.post<{ Body: FollowFields }>(
    `${FOLLOWING}/preview`,
    { schema },
    onFollowForm(web, async ({ request, reply, visit, person }) => {
      const exchange = { request, reply, visit }
      const typed = request.body.address ?? ''
      try {
        const session = requireOwnSession(ctx, person.jid)
        const { found, preview } = await look(person.jid, async () => {
          const found = await discover(discoveryOf(web), completeAccount(typed, ctx.siteDomain))
          requireReach(ctx.config, found.address.service)
          if (!mayFollow(found.address)) throw new AppError('bad-request', 'That is no blog and no community.')
          return { found, preview: await previewFeed(ctx, session, found.address) }
        })
        const isFollowed = (await findFollow(ctx.state, person.jid, found.address)) !== undefined
        const isOwn = sameAddress(found.address, blogOf(person.jid))
        return await sendFollowPreviewPage(web, exchange, { ...found, preview, isFollowed, isOwn })
      } catch (error) {
        if (!isAppError(error)) throw error
        return sendFollowingPage(web, exchange, { typed, problem: error.message, status: error.statusCode })
      }
    }),
  )

  app.post<{ Body: FollowFields }>(
    FOLLOWING,
    { schema },
    onFollowForm(web, async ({ request, reply, person }) => {
      const { title = '', feed = '', next } = request.body
      const address = requireNode(request)
      requireReach(ctx.config, address.service)
      const feedUrl = /^https?:\/\//i.test(feed) && feed.length <= 2_048 ? feed : undefined
      await followNode(ctx, person.jid, { address, title: cleanLine(title, 200) || undefined, feedUrl })
      return reply.redirect(readNext(next, nodePath({ domain: ctx.siteDomain }, address)), 303)
    }),
  )

  app.post<{ Body: FollowFields }>(
    `${FOLLOWING}/unfollow`,
    { schema },
    onFollowForm(web, async ({ request, reply, person }) => {
      await unfollowNode(ctx, person.jid, requireNode(request))
      return reply.redirect(readNext(request.body.next, FOLLOWING), 303)
    }),
  )

  app.post<{ Body: FollowFields }>(
    `${FOLLOWING}/public`,
    { schema },
    onFollowForm(web, async ({ request, reply, person }) => {
      await publishFollows(ctx, person.jid, request.body.public === 'on')
      return reply.redirect(`${FOLLOWING}?saved=1`, 303)
    }),
  )

  app.post<{ Body: FollowFields }>(
    `${FOLLOWING}/of`,
    { schema },
    onFollowForm(web, async ({ request, reply, visit, person }) => {
      const typed = request.body.address ?? ''
      const exchange = { request, reply, visit }
      const jid = readBareJid(completeAccount(typed, ctx.siteDomain).trim())
      const problem =
        jid === undefined || localPart(jid) === undefined
          ? `“${cleanLine(typed, 100)}” is no XMPP address: it looks like juliet@${ctx.siteDomain}.`
          : explainReach(ctx.config, jid)
      if (jid === undefined || problem !== undefined) {
        return sendFollowingPage(web, exchange, { theirs: { jid: typed, problem, list: [] }, status: 400 })
      }
      const theirs = { jid, ...(await readShownFollows(requireOwnSession(ctx, person.jid), jid)) }
      return sendFollowingPage(web, exchange, { theirs })
    }),
  )
}

function requireNode({ body }: FollowForm): NodeAddress {
  const uri = readXmppUri(body.address ?? '')
  if (uri?.node === undefined) throw new AppError('bad-request', 'That is no address of a blog.')
  return { service: uri.service, node: uri.node }
}
