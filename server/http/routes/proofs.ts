import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { commentPath, proofPath, proofTopic } from '#server/feeds/proofs/addresses.ts'
import { networkOf } from '#server/people/throttle.ts'
import type { Proof } from '#server/store/proof.ts'
import { sameAddress } from '#shared/address.ts'
import { readBareJid } from '#shared/jid.ts'
import { postPath, readItemSegment } from '#shared/paths.ts'
import { sendPostPage } from '../pages/post.ts'
import { findStanding, sendProofPage } from '../pages/proof.ts'
import type { PostParams } from '../places.ts'
import { FEED_PATHS, readPostParams } from '../places.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'
import { LIVE } from './live.ts'

type ProofParams = PostParams & { readonly key: string }

interface VisitorFields {
  readonly key: string
  readonly text?: string
  readonly name?: string
  readonly jid?: string
  readonly reply?: string
}

const text = { type: 'string' } as const
const line = { type: 'string', maxLength: 4_096 } as const
const key = { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' } as const
const schema = {
  body: { type: 'object', properties: { key, text, name: line, jid: line, reply: text }, required: ['key'] },
} as const
const paramsSchema = { params: { type: 'object', properties: { key }, required: ['key'] } } as const

/** Comments of people who are not signed in: the form, and the page that tells how one stands. */
export function addProofs(app: FastifyInstance, web: Web): void {
  const { ctx, streams } = web

  async function requireProof(params: ProofParams): Promise<Proof> {
    const proof = await ctx.proofs.find(params.key)
    if (proof === undefined || !sameAddress(proof.post, readPostParams(ctx, params))) {
      throw new AppError('not-found', 'There is no such comment, or it was too long ago.')
    }
    return proof
  }

  for (const feed of FEED_PATHS) {
    app.post<{ Params: PostParams; Body: VisitorFields }>(
      `${feed}/:item/comments/proof`,
      { schema },
      async (request, reply) => {
        const { body } = request
        const address = readPostParams(ctx, request.params)
        const visit = await readVisit(web, request)
        const typed = (body.text ?? '').replaceAll('\r\n', '\n').trim()
        const name = body.name ?? ''
        const jid = (body.jid ?? '').trim()
        await requirePost(ctx, address, visit.person)
        const asked = jid === '' ? undefined : readBareJid(jid)
        const visitor = { name, jid }
        if (jid !== '' && !asked?.includes('@')) {
          const problem = 'An XMPP address looks like juliet@capulet.example.'
          const page = { address, typed, visitor: { ...visitor, problem }, reply: body.reply, status: 400 }
          return sendPostPage(web, { request, reply, visit }, page)
        }
        try {
          const answered = body.reply === undefined ? undefined : readItemSegment(body.reply)
          const sender = ctx.secret.sign('visitor', networkOf(request.ip))
          const asking = { key: body.key, post: address, text: typed, name, asked, sender }
          const proof = await ctx.proofs.ask({ ...asking, ...(answered !== undefined && { reply: answered }) })
          return reply.redirect(proofPath(ctx, proof), 303)
        } catch (error) {
          if (!isAppError(error) || error.code === 'not-found' || error.code === 'gone') throw error
          if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
          const problem = { typed, visitor, reply: body.reply, problem: error.message, status: error.statusCode }
          return sendPostPage(web, { request, reply, visit }, { address, ...problem })
        }
      },
    )

    app.get<{ Params: ProofParams }>(
      `${feed}/:item/comments/proof/:key`,
      { schema: paramsSchema },
      async (request, reply) => {
        const proof = await requireProof(request.params)
        const standing = await findStanding(ctx, proof)
        if (standing === 'gone') return reply.redirect(postPath({ domain: ctx.siteDomain }, proof.post), 303)
        if (standing === 'published' && proof.commentItem !== undefined) {
          return reply.redirect(commentPath(ctx, proof, proof.commentItem), 303)
        }
        return sendProofPage(web, { request, reply, visit: await readVisit(web, request) }, { proof, standing })
      },
    )

    // A HEAD of them would never end.
    app.get<{ Params: ProofParams }>(
      `${feed}/:item/comments/proof/:key/${LIVE}`,
      { exposeHeadRoute: false, schema: paramsSchema },
      async (request, reply) => {
        const { key } = await requireProof(request.params)
        const readVersion = async () => findStanding(ctx, await requireProof(request.params))
        streams.open(request, reply, { topic: proofTopic(key), readVersion })
      },
    )
  }
}
