import type { FastifyInstance } from 'fastify'
import { AppError, explainTooLong, isAppError } from '#server/errors.ts'
import { removeComment } from '#server/feeds/moderation/remove.ts'
import { type NewComment, queueComment, queueRemoveComment } from '#server/feeds/queue.ts'
import { queueRoomMessage, queueRoomRetraction } from '#server/feeds/rooms/queue-room.ts'
import { isAsked, readTask } from '#server/feeds/task.ts'
import { dropPlacedDraft } from '#server/people/drafts.ts'
import type { Person } from '#server/people/people.ts'
import { type CommentRow, findComment, writerOf } from '#server/store/comment.ts'
import { findPost } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { postPath } from '#shared/paths.ts'
import { readFormSender, requireSender, sendToSignIn } from '../form-guard.ts'
import { keepForOwner } from '../kept-text.ts'
import { mayRemove } from '../pages/comment-view.ts'
import { sendRemovePage } from '../pages/delete.ts'
import { sendPostPage } from '../pages/post.ts'
import { asSentence } from '../pages/post-view.ts'
import { findPageOf } from '../pages/thread-page.ts'
import { writeThreadQuery } from '../pages/thread-paging.ts'
import type { PostParams } from '../places.ts'
import { commentAnchor, FEED_PATHS, readPostParams } from '../places.ts'
import { settle } from '../publish.ts'
import { readerOf } from '../readable.ts'
import { findRights } from '../rights.ts'
import { findSentComment } from '../sent-comments.ts'
import { requirePost } from '../shown.ts'
import { findCommentAddress, requireComment } from '../thread-comment.ts'
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
        const place = { kind: 'comment', at: address } as const
        const { reply: answered, key = '' } = request.body
        await keepForOwner(ctx, sender, { place, text: typed, answers: await findAnswered(address, answered) })
        if (sender.kind === 'ended') {
          const notice = typed === '' ? 'ended' : 'comment-kept'
          return sendToSignIn(reply, { next: `${pathOf(address)}#comment`, notice })
        }
        const fail = (status: number, problem: string) =>
          sendPostPage(web, { request, reply, visit }, { address, typed, reply: answered, problem, status })
        if (sender.kind !== 'own')
          return fail(403, 'This form was too old to be sent. Your comment is here: send it again.')
        if (typed === '') return fail(400, 'Write a comment first.')
        if (typed.length > LONGEST) return fail(413, explainTooLong('This comment', typed.length, LONGEST))
        const post = await requirePost(ctx, address, sender.person)
        if (post.comments === undefined) throw new AppError('forbidden', 'This post takes no comments.')
        const inReplyTo = answered === undefined ? undefined : await findCommentAddress(ctx, post, answered)
        const comment = { author: sender.person.jid, key, post: address, text: typed, inReplyTo }
        try {
          const row = await settle(ctx, await queueOnce(comment, post.comments))
          await dropPlacedDraft(ctx.state, sender.person.jid, place)
          return reply.redirect(await locate(post, row.address, sender.person), 303)
        } catch (error) {
          if (!isAppError(error, 'too-many', 'too-large', 'forbidden')) throw error
          return fail(error.statusCode, asSentence(error.message))
        }
      },
    )

    app.get<{ Params: CommentParams }>(`${feed}/:item/comments/:comment`, async (request, reply) => {
      const { person } = await readVisit(web, request)
      const post = await requirePost(ctx, readPostParams(ctx, request.params), person)
      const address = await findCommentAddress(ctx, post, request.params.comment)
      await requireComment(ctx, address, person)
      return reply.redirect(await locate(post, address as ItemAddress, person), 302)
    })

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
          const remove = chooseRemoval(comment, person)
          const queued = await remove(ctx, { by: person.jid, address: comment.address })
          const row = queued && (await settle(ctx, queued))
          if (row?.reason === 'emptied') return reply.redirect(`${pathOf(post)}?removed=emptied`, 303)
          if (row !== undefined && isAsked(readTask(row))) {
            return reply.redirect(await locate(await requirePost(ctx, post, person), comment.address, person), 303)
          }
          if (remove === removeComment) return reply.redirect(`${pathOf(post)}?removed=1`, 303)
        }
        return reply.redirect(`${pathOf(post)}#comments`, 303)
      },
    )
  }

  /** What a kept text answers, whoever may see it. */
  async function findAnswered(address: ItemAddress, segment: string | undefined): Promise<ItemAddress | undefined> {
    const post = segment === undefined ? undefined : await findPost(ctx.index, address, 'restricted')
    return segment === undefined || post === undefined || post === 'gone'
      ? undefined
      : findCommentAddress(ctx, post, segment)
  }

  /** The same words at the same place are the back button; what was said in a room is answered there. */
  async function queueOnce(comment: NewComment, comments: NodeAddress) {
    const { author: account, inReplyTo, key, text: words } = comment
    if (inReplyTo?.node === NS.MIX_MESSAGES) {
      return queueRoomMessage(ctx, { account, channel: inReplyTo.service, key, text: words, inReplyTo })
    }
    return (await findSentComment(ctx, comment, comments)) ?? queueComment(ctx, comment)
  }

  /** Where a comment stands now, on the page of its thread. */
  async function locate(post: PostRow, address: ItemAddress, person: Person | undefined): Promise<string> {
    const comment = { item: address.item, isFromRoom: address.node === NS.MIX_MESSAGES }
    const number = await findPageOf(ctx.index, post, { comment, reader: readerOf(ctx, person, post) })
    const query = writeThreadQuery({ isFlat: false, number: number ?? 1 })
    return `${pathOf(post.address)}${query}#${commentAnchor(address)}`
  }

  async function findRemovable(params: CommentParams, person: Person) {
    const post = readPostParams(ctx, params)
    const found = await requirePost(ctx, post, person)
    const address = await findCommentAddress(ctx, found, params.comment)
    const comment = address && (await findComment(ctx.index, address, readerOf(ctx, person, address)))
    const { isModerator } = await findRights(ctx, found, person)
    if (comment !== undefined && !mayRemove(person, { post: found, comment, isModerator })) {
      throw new AppError('forbidden', 'Only who wrote a comment, or the post, can remove it.')
    }
    return { post, comment }
  }
}

/** What its writer takes back is gone; what the blog's owner removes is kept, to be put back. */
function chooseRemoval(comment: CommentRow, { jid }: Person) {
  if (writerOf(comment)?.jid !== jid) return removeComment
  return comment.isFromRoom ? queueRoomRetraction : queueRemoveComment
}
