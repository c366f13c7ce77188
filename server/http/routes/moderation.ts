import type { FastifyInstance } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { blockOnBlog, unblockOnBlog } from '#server/feeds/moderation/block.ts'
import { chooseHolds } from '#server/feeds/moderation/choose-holds.ts'
import { closeThread } from '#server/feeds/moderation/close-thread.ts'
import { decide, openCase } from '#server/feeds/moderation/decide.ts'
import { putBack, removeComment } from '#server/feeds/moderation/remove.ts'
import { isAsked, readTask } from '#server/feeds/task.ts'
import type { Person } from '#server/people/people.ts'
import type { Holds } from '#server/store/author.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { type ItemAddress, writeXmppUri } from '#shared/address.ts'
import { domainOf } from '#shared/jid.ts'
import { postPath } from '#shared/paths.ts'
import { requireSender, sendToSignIn } from '../form-guard.ts'
import {
  type ModerationFields,
  readItems,
  requireBlog,
  requireItem,
  requireJid,
  writeItems,
} from '../moderation-forms.ts'
import { type ModerationPage, sendModerationPage } from '../pages/moderation.ts'
import { FEED_PATHS, type PostParams, readPostParams } from '../places.ts'
import { settle } from '../publish.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

type Done = NonNullable<ModerationPage['done']>
/** What became of what was asked of the network. */
type Finished = Pick<ModerationPage, 'problem' | 'sent'>

/** Deciding about what is said under one's posts. Each form is answered by the same page, with *Undo*. */
export function addModeration(app: FastifyInstance, web: Web): void {
  const { ctx } = web

  app.get<{ Querystring: { page?: string; about?: string } }>('/moderation', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: request.url })
    const { about } = request.query
    const page = Math.min(1_000, Math.max(0, Number.parseInt(request.query.page ?? '0', 10) || 0))
    const shown = about === undefined ? { page } : { page, about: requireItem(about) }
    return sendModerationPage(web, { request, reply, visit }, shown)
  })

  app.post<{ Body: ModerationFields }>('/moderation', async (request, reply) => {
    const visit = await readVisit(web, request)
    const person = requireSender(web, visit, request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/moderation', notice: 'ended' })
    const exchange = { request, reply, visit }
    try {
      return await sendModerationPage(web, exchange, await act(person, request.body))
    } catch (error) {
      if (!isAppError(error, 'forbidden', 'not-found', 'bad-request', 'gone', 'too-many', 'too-large')) throw error
      return sendModerationPage(web, exchange, {
        problem: `${error.message}.`.replace(/\.\.$/, '.'),
        status: error.statusCode,
      })
    }
  })

  for (const feed of FEED_PATHS) {
    app.post<{ Params: PostParams; Body: ModerationFields }>(`${feed}/:item/thread`, async (request, reply) => {
      const post = readPostParams(ctx, request.params)
      const path = postPath({ domain: ctx.siteDomain }, post)
      const person = requireSender(web, await readVisit(web, request), request.body?.token)
      if (person === undefined) return sendToSignIn(reply, { next: path, notice: 'ended' })
      const { action } = request.body
      if (action !== 'close' && action !== 'open') throw new AppError('bad-request', 'Close it, or open it again.')
      const row = await closeThread(ctx, { by: person.jid, post, isClosed: action === 'close' })
      if (row !== undefined) await settle(ctx, row)
      return reply.redirect(`${path}#comments`, 303)
    })
  }

  async function act(person: Person, fields: ModerationFields): Promise<ModerationPage> {
    const by = person.jid
    switch (fields.action) {
      case 'approve':
      case 'hold':
        return actOnAll(person, fields, fields.action)
      case 'remove':
      case 'put-back':
        return actOnAll(person, fields, fields.action)
      case 'block':
      case 'block-server':
        return block(person, fields)
      case 'unblock':
      case 'block-again':
        return blockOrNot(person, fields, fields.action)
      case 'holds':
        await chooseHolds(ctx, by, readHolds(fields.holds))
        return { done: { text: 'Saved.' } }
      default:
        throw new AppError('bad-request', 'The request cannot be understood.')
    }
  }

  async function actOnAll(
    person: Person,
    fields: ModerationFields,
    action: keyof typeof WORDS,
  ): Promise<ModerationPage> {
    const items = readItems(fields)
    if (items.length === 0) throw new AppError('bad-request', 'Choose at least one comment first.')
    const rows: (OutboxRow | undefined)[] = []
    for (const address of items) rows.push(await actOn(person, address, action))
    const [text, undo] = WORDS[action]
    const done = { text: textOf(text, items.length), undo: writeItems(undo, items) }
    const finished = await finish(rows)
    return rows.some(isOnlyAsked) ? askedOnly(finished) : { ...finished, done }
  }

  async function actOn({ jid: by }: Person, address: ItemAddress, action: keyof typeof WORDS) {
    if (action === 'remove') return removeComment(ctx, { by, address })
    if (action === 'put-back') return putBack(ctx, { by, address })
    await decide(ctx, { by, address, what: action === 'approve' ? 'approved' : 'held' })
    return undefined
  }

  /** Shuts the writer of a comment out, and removes it. */
  async function block(person: Person, fields: ModerationFields): Promise<ModerationPage> {
    const [address] = readItems(fields)
    if (address === undefined) throw new AppError('bad-request', 'Choose a comment first.')
    const { entry, decision, post } = await openCase(ctx, person.jid, address)
    const who = decision?.author ?? entry?.contributor ?? entry?.publisher ?? entry?.author
    if (who === undefined) throw new AppError('not-found', 'Nobody knows who wrote this')
    const jid = fields.action === 'block-server' ? domainOf(who) : who
    const blog = { service: post.service, node: post.node }
    const row = await removeComment(ctx, { by: person.jid, address })
    const asked = await blockOnBlog(ctx, { by: person.jid, blog, jid })
    const undo = { ...writeItems('unblock', [address]), blog: writeXmppUri(blog), jid }
    const done = { text: `${jid} is blocked, and the comment removed.`, undo }
    const finished = await finish([row, asked])
    return asked === undefined ? { ...finished, done } : askedOnly(finished)
  }

  async function blockOrNot(
    { jid: by }: Person,
    fields: ModerationFields,
    action: 'unblock' | 'block-again',
  ): Promise<ModerationPage> {
    const [blog, jid] = [requireBlog(fields.blog), requireJid(fields.jid)]
    const items = readItems(fields)
    const rows: (OutboxRow | undefined)[] = []
    if (action === 'unblock') rows.push(await unblockOnBlog(ctx, { by, blog, jid }))
    for (const address of items) {
      rows.push(await (action === 'unblock' ? putBack : removeComment)(ctx, { by, address }))
    }
    if (action === 'block-again') rows.push(await blockOnBlog(ctx, { by, blog, jid }))
    const undo = {
      ...writeItems(action === 'unblock' ? 'block-again' : 'unblock', items),
      ...{ blog: writeXmppUri(blog), jid },
    }
    const done: Done = { text: `${jid} is ${action === 'unblock' ? 'not blocked any more' : 'blocked'}.`, undo }
    const finished = await finish(rows)
    return rows.some(isOnlyAsked) ? askedOnly(finished) : { ...finished, done }
  }

  /** Waits a moment for the network, and says what it refused, and what does not show here. */
  async function finish(rows: readonly (OutboxRow | undefined)[]): Promise<Finished> {
    const last = rows.findLast((row) => row !== undefined)
    if (last === undefined) return {}
    const row = await settle(ctx, last)
    if (row.status === 'refused') return { problem: `${row.problem ?? 'The server refused it'}.` }
    if (row.problem === undefined) return {}
    return row.status === 'done' || row.reason === 'unseen' ? { sent: `${row.problem}.` } : {}
  }
}

/** Whether a form only asked a service, since the site does not see whose the community is. */
function isOnlyAsked(row: OutboxRow | undefined): boolean {
  return row !== undefined && (row.kind === 'block' || isAsked(readTask(row)))
}

/** What became of it says more than that it was asked for. */
function askedOnly(finished: Finished): ModerationPage {
  return finished.problem === undefined && finished.sent === undefined ? { done: ASKED } : finished
}

const ASKED: Done = {
  text: 'Asked: this site does not see that you own this community, and shows what you asked for once its service did it.',
}

/** What a form did, and what takes it back. */
const WORDS = {
  approve: ['Approved', 'hold'],
  hold: ['Waiting again', 'approve'],
  remove: ['Removed', 'put-back'],
  'put-back': ['Put back', 'remove'],
} as const

function textOf(words: string, count: number): string {
  return count === 1 ? `${words}.` : `${words}: ${count} comments.`
}

function readHolds(text: string | undefined): Holds {
  if (text === 'links' || text === 'strangers' || text === 'nobody') return text
  throw new AppError('bad-request', 'The request cannot be understood.')
}
