import type { FastifyReply } from 'fastify'
import { listHidden } from '#server/store/decision.ts'
import { type JudgedEntry, listJudged } from '#server/store/judged-entry.ts'
import { listReports, type Report } from '#server/store/report.ts'
import { listSiteBlocks } from '#server/store/site-block.ts'
import { addressKey, sameAddress, writeXmppUri } from '#shared/address.ts'
import { domainOf, localPart } from '#shared/jid.ts'
import { commentPath, postPath } from '#shared/paths.ts'
import { cleanLine } from '#shared/text.ts'
import type { DoneView, ReportsView } from '#web/views.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'

const LIMIT = 50
const LONGEST_LABEL = 100

export interface ReportPage {
  readonly action: string
  readonly isComment: boolean
  readonly quoted: string
  readonly cancelUrl: string
  readonly token: string
  readonly reason?: string
  readonly problem?: string
  readonly status?: number
  readonly isSent?: boolean
}

/** The form by which anybody tells who runs the site that something is wrong. */
export function sendReportPage(web: Web, exchange: Exchange, page: ReportPage): Promise<FastifyReply> {
  const { action, isComment, quoted, cancelUrl, token, reason = '', problem, isSent = false } = page
  return sendPage(web, exchange, {
    name: 'report',
    status: page.status,
    head: { title: 'Report', noindex: true },
    view: { action, isComment, quoted, cancelUrl, token, reason, problem, isSent },
  })
}

export interface ReportsPage {
  readonly done?: Omit<DoneView, 'token' | 'action'>
  readonly typed?: string
  readonly problem?: string
  readonly status?: number
  /** From 0. */
  readonly page?: number
}

/** What was reported, and what the site does not show, for who runs it. */
export async function sendReportsPage(web: Web, exchange: Exchange, page: ReportsPage): Promise<FastifyReply> {
  const { ctx, tokens } = web
  const { person } = exchange.visit
  if (person === undefined) throw new TypeError('Reports need a person')
  const { page: at = 0, done, problem, typed = '' } = page
  const found = await listReports(ctx.state, { limit: LIMIT + 1, offset: at * LIMIT })
  const reports = found.slice(0, LIMIT)
  const entries = await listJudged(
    ctx.index,
    reports.map(({ address }) => address),
  )
  const known = new Map(entries.map((entry) => [addressKey(entry.address), entry]))
  const token = tokens.issue(person)
  return sendPage(web, exchange, {
    name: 'reports',
    status: page.status,
    head: { title: 'Reports', noindex: true },
    view: {
      ...{ token, typed, problem },
      ...(done !== undefined && { done: { ...done, token, action: '/reports' } }),
      reports: reports.map((report) => viewReport(web, report, known.get(addressKey(report.address)))),
      hidden: await viewHidden(web),
      ...(found.length > LIMIT && { moreUrl: `/reports?page=${at + 1}` }),
      blocks: (await listSiteBlocks(ctx.state)).map(({ address, kind, since }) => ({
        ...{ address, kind, since: since.toISOString() },
      })),
    },
  })
}

/** What who runs the site took out of its pages, the newest first. */
async function viewHidden({ ctx }: Web): Promise<ReportsView['hidden']> {
  const decisions = await listHidden(ctx.state, { by: ctx.config.operators, limit: LIMIT })
  const entries = await listJudged(
    ctx.index,
    decisions.map(({ address }) => address),
  )
  const known = new Map(entries.map((entry) => [addressKey(entry.address), entry]))
  return decisions.map(({ address, at }) => {
    const entry = known.get(addressKey(address))
    return { uri: writeXmppUri(address), text: entry?.title || entry?.excerpt || address.item, since: at.toISOString() }
  })
}

function viewReport({ ctx }: Web, report: Report, entry: JudgedEntry | undefined): ReportsView['reports'][number] {
  const { id, reason, reporter, at, address, post } = report
  const jid = entry?.contributor ?? entry?.publisher ?? entry?.author
  const path = postPath({ domain: ctx.siteDomain }, post)
  const isPost = sameAddress(address, post)
  const isShown = entry !== undefined && entry.hold === undefined
  return {
    ...{ id: String(id), reason, reporter, published: at.toISOString() },
    text: entry === undefined ? '' : isPost ? entry.title : entry.excerpt || entry.title,
    about: cleanLine(entry?.name ?? entry?.claimedName ?? jid ?? reason, LONGEST_LABEL),
    isGone: !isShown,
    ...(isShown && { url: isPost ? path : commentPath({ domain: ctx.siteDomain }, post, address) }),
    ...(jid !== undefined && localPart(jid) !== undefined && { jid }),
    ...(jid !== undefined &&
      localPart(jid) !== undefined &&
      domainOf(jid) !== ctx.siteDomain && { server: domainOf(jid) }),
    ...(isPost && { node: addressKey({ service: post.service, node: post.node }) }),
  }
}
