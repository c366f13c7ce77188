import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, ERROR_STATUS, isAppError } from '#server/errors.ts'
import { isOwnPost } from '#server/feeds/queue.ts'
import { keepDraft, rescueDraft } from '#server/people/drafts.ts'
import type { Person } from '#server/people/people.ts'
import type { BlogRow } from '#server/store/blog.ts'
import type { Draft } from '#server/store/draft.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { type ItemAddress, sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { postPath } from '#shared/paths.ts'
import { gallery } from '#shared/profiles/index.ts'
import { readNodeUri } from '../community-paths.ts'
import { readFormSender, sendToSignIn } from '../form-guard.ts'
import { createFormReader } from '../multipart.ts'
import { addSentPicture } from '../new-picture.ts'
import type { Exchange } from '../pages/page.ts'
import { sendPreviewPage, sendWritePage } from '../pages/write.ts'
import type { PostParams } from '../places.ts'
import { blogAddress, FEED_PATHS, readPostParams, redirectedTo } from '../places.ts'
import { publishDraft } from '../publish.ts'
import { readQuote } from '../quote.ts'
import { findSentDraft, findSentPost, listSentDrafts } from '../sent-drafts.ts'
import { findOwnBlog, requireFeed, requirePost } from '../shown.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'
import type { WriteFields } from '../write-form.ts'
import { createFormKey, openPost, readWriteForm, writeFieldsSchema } from '../write-form.ts'

/** The longest text there is, with every character percent-encoded. */
const BODY_BYTES = 8 * 1024 * 1024
const PICTURE_BYTES = 10 * 1024 * 1024

const FORM_KEY = /^[A-Za-z0-9_-]{8,80}$/

interface WriteQuery {
  /** The `xmpp:` URI of the community that a new post is for. */
  readonly to?: string
  readonly form?: string
  readonly draft?: string
  /** The `xmpp:` URI of a post that it quotes. */
  readonly quote?: string
}

type WriteRequest = FastifyRequest<{ Body: WriteFields }>

/** Writing a new post, and editing one. */
export function addWrite(app: FastifyInstance, web: Web): void {
  const { ctx } = web
  const options = {
    bodyLimit: BODY_BYTES,
    config: { fileBytes: PICTURE_BYTES },
    schema: { body: writeFieldsSchema },
    preValidation: createFormReader(web),
  }

  app.get<{ Querystring: WriteQuery }>('/write', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const { jid } = visit.person
    const to = readNodeUri(request.query.to)
    if (to === undefined && request.query.to !== undefined)
      throw new AppError('not-found', 'There is no such community.')
    const id = request.query.draft ?? request.query.form
    // Each form has an address of its own: by the back button it is the same form again, and counts once.
    if (id === undefined || (request.query.draft === undefined && !FORM_KEY.test(id)))
      return reply.redirect(`/write?${new URLSearchParams({ ...request.query, form: createFormKey() })}`, 303)
    const kept = await findSentDraft(ctx.state, jid, id)
    if (kept?.draft.edits !== undefined) return reply.redirect(draftPath(kept.draft), 303)
    if (kept !== undefined) return sendWritePage(web, { request, reply, visit }, { ...kept, isReopened: true })
    const sent = await findSentPost(ctx.state, jid, id)
    if (sent !== undefined) return reply.redirect(`${postPath({ domain: ctx.siteDomain }, sent)}/edit`, 303)
    if (request.query.draft !== undefined) throw new AppError('not-found', 'There is no such draft.')
    if (to === undefined) requireBlogger(visit.person)
    const { language = '' } = await findOwnBlog(ctx, visit.person)
    const blog = to && (await requireFeed(ctx, to, visit.person))
    const fields = {
      key: id,
      comments: 'on',
      language,
      to: request.query.to,
      text: await readQuote(ctx, request.query.quote, visit.person),
      ...(isGallery(blog) ? { pictures: '0' } : {}),
    }
    const draft = readWriteForm(fields, { jid, now: ctx.clock() })
    return sendWritePage(web, { request, reply, visit }, { draft })
  })

  for (const feed of FEED_PATHS) {
    app.get<{ Params: PostParams; Querystring: { draft?: string } }>(`${feed}/:item/edit`, async (request, reply) => {
      const address = readPostParams(ctx, request.params)
      const redirected = redirectedTo(ctx, { request, reply })
      if (redirected !== undefined) return redirected
      const visit = await readVisit(web, request)
      if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
      const { jid } = visit.person
      const post = await requirePost(ctx, address, visit.person)
      if (!isOwnPost(jid, address, post)) throw new AppError('forbidden', 'Only its author can edit this post.')
      const open = (await listSentDrafts(ctx.state, jid)).find(({ draft }) => isOf(draft, address))
      const id = request.query.draft ?? open?.draft.id
      const kept = id === undefined ? undefined : await findSentDraft(ctx.state, jid, id)
      const draft =
        kept?.draft ??
        openPost(post, {
          ...{ id: createFormKey(), jid, now: ctx.clock() },
          isGallery: isGallery(await requireFeed(ctx, address, visit.person)),
        })
      return sendWritePage(web, { request, reply, visit }, { ...kept, draft, isReopened: kept !== undefined })
    })
  }

  app.post<{ Body: WriteFields }>('/write', options, (request, reply) => receive(request, reply))

  for (const feed of FEED_PATHS) {
    app.post<{ Body: WriteFields; Params: PostParams }>(`${feed}/:item/edit`, options, (request, reply) =>
      receive(request, reply, readPostParams(ctx, request.params)),
    )
  }

  async function receive(request: WriteRequest, reply: FastifyReply, edits?: ItemAddress): Promise<FastifyReply> {
    const visit = await readVisit(web, request)
    const sender = readFormSender(web, visit, request.body.token)
    const read = (jid: BareJid) => readWriteForm(request.body, { jid, edits, now: ctx.clock() })
    if (sender.kind === 'own') return act({ request, reply, visit }, read(sender.person.jid))
    if (sender.kind === 'unknown' && visit.person !== undefined) {
      const problem = 'This form was too old to be sent. Your text is here: check it and send it again.'
      return sendWritePage(web, { request, reply, visit }, { draft: read(visit.person.jid), problem, status: 403 })
    }
    if (sender.kind === 'unknown')
      throw new AppError('forbidden', 'This form was not made here, or long ago. Go back and copy your text.')
    // Whoever is signed in now, the text is the account's that began it.
    const draft = read(sender.owner)
    await rescueDraft(ctx, draft)
    if (sender.kind === 'earlier') return reply.redirect(draftPath(draft), 303)
    if (sender.kind === 'ended') return sendToSignIn(reply, { next: draftPath(draft), notice: 'kept' })
    throw new AppError(
      'forbidden',
      `You are signed in as somebody else now. The text is kept among the drafts of ${sender.owner}.`,
    )
  }

  async function act(exchange: Exchange<WriteRequest>, typed: Draft): Promise<FastifyReply> {
    const { request, reply, visit } = exchange
    if (isForBlog(typed)) requireBlogger(visit.person as Person)
    let draft = typed
    let pictureAlt = request.body['picture-alt']
    try {
      draft = await addSentPicture(web, request, typed)
      pictureAlt = undefined
      if (request.body.action === 'draft' || request.body.action === 'picture') {
        await keepDraft(ctx, draft)
        return reply.redirect(draftPath(draft), 303)
      }
      if (request.body.action === 'preview') {
        await keepDraft(ctx, draft)
        return sendPreviewPage(web, exchange, { draft })
      }
      return await publish(exchange, draft)
    } catch (error) {
      if (!isAppError(error)) throw error
      const base = error.code === 'conflict' ? { baseUpdated: ctx.clock() } : {}
      const page = { draft: { ...draft, ...base }, problem: error.message, status: error.statusCode, pictureAlt }
      return sendWritePage(web, exchange, page)
    }
  }

  async function publish(exchange: Exchange<WriteRequest>, draft: Draft): Promise<FastifyReply> {
    const row = await publishDraft(ctx, draft)
    if (row.status === 'refused') return sendWritePage(web, exchange, { draft, row, status: statusOf(row) })
    return exchange.reply.redirect(postPath({ domain: ctx.siteDomain }, row.address), 303)
  }

  function draftPath(draft: Draft): string {
    const query = new URLSearchParams({ draft: draft.id })
    const { edits } = draft
    return edits === undefined ? `/write?${query}` : `${postPath({ domain: ctx.siteDomain }, edits)}/edit?${query}`
  }
}

function requireBlogger(person: Person): void {
  if (!person.isBlogger) throw new AppError('forbidden', 'Your account may follow and comment here, but not publish.')
}

/** What goes to a community is for its service to allow. */
function isForBlog({ jid, to, edits }: Draft): boolean {
  const { service, node } = edits ?? to ?? blogAddress(jid)
  return sameAddress({ service, node }, blogAddress(jid))
}

function isGallery(blog: BlogRow | undefined): boolean {
  return blog?.type === gallery.type
}

function isOf({ edits }: Draft, address: ItemAddress): boolean {
  return edits?.item === address.item && edits.service === address.service && edits.node === address.node
}

function statusOf({ reason = '' }: OutboxRow): number {
  return reason in ERROR_STATUS ? ERROR_STATUS[reason as keyof typeof ERROR_STATUS] : 200
}
