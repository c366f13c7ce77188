import type { FastifyInstance } from 'fastify'
import { AppError } from '#server/errors.ts'
import { queueComment, queueRemoveComment } from '#server/feeds/queue.ts'
import { dropCommentDraft, keepCommentDraft } from '#server/people/drafts.ts'
import type { Person } from '#server/people/people.ts'
import { findComment } from '#server/store/comment.ts'
import type { ItemAddress } from '#shared/address.ts'
import { asItemId } from '#shared/address.ts'
import { postPath, readItemSegment } from '#shared/paths.ts'
import { readFormSender, requireSender, sendToSignIn } from '../form-guard.ts'
import { mayRemove } from '../pages/comment-view.ts'
import { sendRemovePage } from '../pages/delete.ts'
import { sendPostPage } from '../pages/post.ts'
import type { PostParams } from '../places.ts'
import { commentAnchor, FEED_PATHS, readPostParams } from '../places.ts'
import { settle } from '../publish.ts'
import { findRights } from '../rights.ts'
import { findSentComment } from '../sent-comments.ts'
import { requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

type CommentParams = PostParams & { readonly comment: string }

interface CommentFields {
  readonly token?: string
  readonly key?: string
  readonly text?: string
  readonly reply?: string
}

const LONGEST = 20_000
const text = { type: 'string' } as const
const key = { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' } as const
const schema = {
  body: { type: 'object', properties: { token: text, key, text, reply: text }, required: ['key'] },
} as const

/** Writing a comment, and removing one. */
export function addComments(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const pathOf = (address: ItemAddress) => postPath({ domain: ctx.siteDomain }, address)

  for (const feed of FEED_PATHS) {
    app.post<{ Params: PostParams; Body: CommentFields }>(
      `${feed}/:item/comments`,
      { schema },
      async (request, reply) => {
        const address = readPostParams(ctx, request.params)
        const visit = await readVisit(web, request)
        const sender = readFormSender(web, visit, request.body.token)
        const typed = (request.body.text ?? '').replaceAll('\r\n', '\n').trim()
        if (sender.kind === 'ended') {
          if (typed !== '')
            await keepCommentDraft(ctx.state, sender.owner, {
              post: address,
              text: typed.slice(0, LONGEST),
              now: ctx.clock(),
            })
          return sendToSignIn(reply, { next: `${pathOf(address)}#comment`, notice: 'comment-kept' })
        }
        const fail = (status: number, problem: string) =>
          sendPostPage(web, { request, reply, visit }, { address, typed, reply: request.body.reply, problem, status })
        if (sender.kind !== 'own')
          return fail(403, 'This form was too old to be sent. Your comment is here: send it again.')
        if (typed === '') return fail(400, 'Write a comment first.')
        if (typed.length > LONGEST) return fail(413, 'This comment is too long: shorten it.')
        const post = await requirePost(ctx, address, sender.person)
        if (post.comments === undefined) throw new AppError('forbidden', 'This post takes no comments.')
        const parent = request.body.reply === undefined ? undefined : readItemSegment(request.body.reply)
        const comment = {
          author: sender.person.jid,
          key: request.body.key ?? '',
          post: address,
          text: typed,
          inReplyTo: parent === undefined ? undefined : { ...post.comments, item: parent },
        }
        const queued = (await findSentComment(ctx, comment, post.comments)) ?? (await queueComment(ctx, comment))
        await dropCommentDraft(ctx.state, sender.person.jid, address)
        const row = await settle(ctx, queued)
        return reply.redirect(`${pathOf(address)}#${commentAnchor(row.address.item)}`, 303)
      },
    )

    app.get<{ Params: CommentParams }>(`${feed}/:item/comments/:comment/remove`, async (request, reply) => {
      const visit = await readVisit(web, request)
      if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
      const found = await findRemovable(request.params, visit.person)
      if (found.comment === undefined) return reply.redirect(`${pathOf(found.post)}#comments`, 303)
      return sendRemovePage(web, { request, reply, visit }, { post: found.post, comment: found.comment })
    })

    app.post<{ Params: CommentParams; Body: { token?: string } }>(
      `${feed}/:item/comments/:comment/remove`,
      async (request, reply) => {
        const person = requireSender(web, await readVisit(web, request), request.body?.token)
        if (person === undefined) return sendToSignIn(reply, { next: request.url, notice: 'ended' })
        const { post, comment } = await findRemovable(request.params, person)
        if (comment !== undefined) {
          const queued = await queueRemoveComment(ctx, { by: person.jid, address: comment.address })
          await settle(ctx, queued)
        }
        return reply.redirect(`${pathOf(post)}#comments`, 303)
      },
    )
  }

  async function findRemovable(params: CommentParams, person: Person) {
    const post = readPostParams(ctx, params)
    const found = await requirePost(ctx, post, person)
    const { comments } = found
    const item = readItemSegment(params.comment) ?? asItemId(params.comment)
    const comment = comments && (await findComment(ctx.index, { ...comments, item }))
    const { isModerator } = await findRights(ctx, found, person)
    if (comment !== undefined && !mayRemove(person, { post: found, comment, isModerator })) {
      throw new AppError('forbidden', 'Only who wrote a comment, or the post, can remove it.')
    }
    return { post, comment }
  }
}
