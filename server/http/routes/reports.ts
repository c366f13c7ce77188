import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, isAppError } from '#server/errors.ts'
import { hideOnSite, showOnSite } from '#server/feeds/moderation/hide-on-site.ts'
import { reportTo, settleReport } from '#server/feeds/moderation/report.ts'
import { blockOnSite, readBlockAddress, requireOperator, unblockOnSite } from '#server/feeds/moderation/site-blocks.ts'
import { networkOf } from '#server/people/throttle.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { findReport, type Report } from '#server/store/report.ts'
import { addressKey, sameAddress } from '#shared/address.ts'
import { domainOf } from '#shared/jid.ts'
import { postPath } from '#shared/paths.ts'
import { readFormSender, requireSender, sendToSignIn } from '../form-guard.ts'
import { type ModerationFields, readItems } from '../moderation-forms.ts'
import { type ReportsPage, sendReportPage, sendReportsPage } from '../pages/reports.ts'
import { FEED_PATHS, type PostParams, readPostParams } from '../places.ts'
import { requirePost } from '../shown.ts'
import { findCommentAddress } from '../thread-comment.ts'
import { readVisit } from '../visit.ts'
import type { Web } from '../web.ts'

type ReportParams = PostParams & { readonly comment?: string }
interface Fields {
  readonly token?: string
  readonly reason?: string
}

const reasonText = { type: 'string', maxLength: 4_000 } as const
const schema = { body: { type: 'object', properties: { reason: reasonText } } } as const

/** Telling who runs the site that something is wrong, also without signing in. */
export function addReports(app: FastifyInstance, web: Web): void {
  const { ctx, tokens, cookies } = web

  for (const feed of FEED_PATHS) {
    for (const path of [`${feed}/:item/report`, `${feed}/:item/comments/:comment/report`]) {
      app.get<{ Params: ReportParams }>(path, async (request, reply) => sendForm(request, reply, {}))
      app.post<{ Params: ReportParams; Body: Fields }>(path, { schema }, async (request, reply) => {
        const { token = '', reason = '' } = request.body ?? {}
        const visit = await readVisit(web, request)
        const isOwn =
          visit.person === undefined
            ? tokens.isOfBrowser(token, cookies.readBrowser(request))
            : readFormSender(web, visit, token).kind === 'own'
        if (!isOwn) {
          const problem = 'This form was too old to be sent, or your browser keeps no cookies. Send it again.'
          return sendForm(request, reply, { reason, problem, status: 403 })
        }
        const { post, address } = await findReported(request.params, visit.person)
        const reporter = visit.person?.jid
        const sender = reporter ?? ctx.secret.sign('report', networkOf(request.ip))
        try {
          await reportTo(ctx, { address, post, reporter, sender, reason })
          return await sendForm(request, reply, { isSent: true })
        } catch (error) {
          if (!isAppError(error, 'bad-request', 'too-many')) throw error
          if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
          return sendForm(request, reply, { reason, problem: error.message, status: error.statusCode })
        }
      })
    }
  }

  async function sendForm(
    request: FastifyRequest<{ Params: ReportParams }>,
    reply: FastifyReply,
    form: { reason?: string; problem?: string; status?: number; isSent?: boolean },
  ): Promise<FastifyReply> {
    const visit = await readVisit(web, request)
    const { post, quoted, isComment } = await findReported(request.params, visit.person)
    const path = postPath({ domain: ctx.siteDomain }, post)
    const cancelUrl = isComment ? `${path}/comments/${request.params.comment}` : path
    const token =
      visit.person === undefined
        ? tokens.issueToBrowser(cookies.ensureBrowser(request, reply))
        : tokens.issue(visit.person)
    const action = isComment ? `${cancelUrl}/report` : `${path}/report`
    return sendReportPage(web, { request, reply, visit }, { action, isComment, quoted, cancelUrl, token, ...form })
  }

  /** Only what the reporter may see. */
  async function findReported(params: ReportParams, person: Awaited<ReturnType<typeof readVisit>>['person']) {
    const post = readPostParams(ctx, params)
    const found = await requirePost(ctx, post, person)
    if (params.comment === undefined) return { post, address: post, quoted: found.title, isComment: false }
    const address = await findCommentAddress(ctx, found, params.comment)
    const entry = address && (await findJudged(ctx.index, address))
    if (address === undefined || entry === undefined || entry.hold !== undefined) {
      throw new AppError('not-found', 'There is no such comment.')
    }
    return { post, address, quoted: entry.excerpt || entry.title, isComment: true }
  }

  app.get<{ Querystring: { page?: string } }>('/reports', async (request, reply) => {
    const visit = await readVisit(web, request)
    if (visit.person === undefined) return sendToSignIn(reply, { next: '/reports' })
    requireOperator(ctx, visit.person.jid)
    const page = Math.min(1_000, Math.max(0, Number.parseInt(request.query.page ?? '0', 10) || 0))
    return sendReportsPage(web, { request, reply, visit }, { page })
  })

  app.post<{ Body: ModerationFields }>('/reports', async (request, reply) => {
    const visit = await readVisit(web, request)
    const person = requireSender(web, visit, request.body?.token)
    if (person === undefined) return sendToSignIn(reply, { next: '/reports', notice: 'ended' })
    requireOperator(ctx, person.jid)
    const exchange = { request, reply, visit }
    try {
      return await sendReportsPage(web, exchange, await act(person.jid, request.body))
    } catch (error) {
      if (!isAppError(error, 'bad-request', 'not-found')) throw error
      const typed = request.body.report === undefined ? request.body.address : undefined
      return sendReportsPage(web, exchange, { problem: error.message, status: error.statusCode, typed })
    }
  })

  async function act(by: Report['address']['service'], fields: ModerationFields): Promise<ReportsPage> {
    const { action, report: id } = fields
    if (action === 'show') return showAgain(by, fields)
    if (id === undefined) {
      const block = { by, ...readBlockAddress(fields.address ?? '') }
      const isUnblock = action === 'unblock'
      await (isUnblock ? unblockOnSite : blockOnSite)(ctx, block)
      const undo = { action: isUnblock ? 'block' : 'unblock', address: block.address }
      return { done: { text: `${block.address} is ${isUnblock ? 'shown again' : 'not shown any more'}.`, undo } }
    }
    const report = await findReport(ctx.state, Number(id))
    if (report === undefined) throw new AppError('not-found', 'There is no such report.')
    const words = await actOn(by, report, fields)
    const isUndo = action?.startsWith('undo') ?? false
    await settleReport(ctx, { by, id: report.id, isOpen: isUndo })
    const undo = { action: `undo-${action}`, report: id, ...(words.blocked && { blocked: words.blocked }) }
    return { done: { text: words.text, ...(!isUndo && { undo }) } }
  }

  async function showAgain(by: Report['address']['service'], fields: ModerationFields): Promise<ReportsPage> {
    const [address] = readItems(fields)
    const decision = address && (await findDecision(ctx.state, address))
    if (address === undefined || decision === undefined) throw new AppError('not-found', 'This is not there any more.')
    await showOnSite(ctx, { by, address, post: decision.post })
    return { done: { text: 'Shown again.' } }
  }

  async function actOn(
    by: Report['address']['service'],
    { address, post }: Report,
    { action, blocked }: ModerationFields,
  ): Promise<{ text: string; blocked?: string }> {
    if (action === 'dismiss') return { text: 'Dismissed.' }
    if (action === 'undo-dismiss') return { text: 'Open again.' }
    if (action === 'hide') {
      await hideOnSite(ctx, { by, address, post })
      return { text: 'Removed from this site.' }
    }
    if (action === 'undo-hide') {
      await showOnSite(ctx, { by, address, post })
      return { text: 'Shown again.' }
    }
    if (blocked !== undefined && action?.startsWith('undo-block')) {
      await unblockOnSite(ctx, { by, ...readBlockAddress(blocked) })
      return { text: `${blocked} is shown again.` }
    }
    const target = await findTarget(action, { address, post })
    await blockOnSite(ctx, { by, ...readBlockAddress(target) })
    return { text: `${target} is not shown any more.`, blocked: target }
  }

  async function findTarget(action: string | undefined, { address, post }: Pick<Report, 'address' | 'post'>) {
    const entry = await findJudged(ctx.index, address)
    const jid = entry?.contributor ?? entry?.publisher ?? entry?.author
    if (action === 'block-node' && sameAddress(address, post)) {
      return addressKey({ service: post.service, node: post.node })
    }
    if (jid !== undefined && action === 'block-account') return jid
    if (jid !== undefined && action === 'block-server') return domainOf(jid)
    throw new AppError('bad-request', 'Nobody knows who wrote this.')
  }
}
