import { AppError } from '#server/errors.ts'
import {
  addReport,
  countOpenReports,
  countReportsOf,
  findReport,
  type Report,
  settleReports,
} from '#server/store/report.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { cleanLine } from '#shared/text.ts'
import { notify } from '../notify/notify.ts'
import { type OperatorDeps, requireOperator } from './site-blocks.ts'

const HOUR = 3_600_000
/** In an hour, of one account or web address. */
const MOST = 5
/** Limit for all reporters together: more than operators read. */
const MOST_OPEN = 2_000
/** Characters. */
export const LONGEST_REASON = 1_000

export interface Complaint {
  readonly address: ItemAddress
  readonly post: ItemAddress
  readonly reporter?: BareJid
  /** The JID, or a keyed hash of the web address. */
  readonly sender: string
  readonly reason: string
}

/** Tells the site's operators of a post or a comment; the same again does nothing. Rejects with `too-many`. */
export async function reportTo(deps: OperatorDeps, complaint: Complaint): Promise<void> {
  const { address, post, reporter, sender } = complaint
  const at = deps.clock()
  const reason = cleanLine(complaint.reason, LONGEST_REASON)
  if (reason === '') throw new AppError('bad-request', 'Say what is wrong with it.')
  if ((await countReportsOf(deps.state, sender, { since: new Date(at.getTime() - HOUR), until: at })) >= MOST) {
    throw new AppError('too-many', 'You have reported much within an hour. Try again later.', { retryAfter: 3_600 })
  }
  if ((await countOpenReports(deps.state, MOST_OPEN)) >= MOST_OPEN) {
    throw new AppError('too-many', 'More is reported than can be read here. Try again tomorrow.', {
      retryAfter: 86_400,
    })
  }
  const outcome = await addReport(deps.state, { address, post, reporter, sender, reason, at })
  if (outcome === 'known') return
  const news = { kind: 'report', about: address, post, actor: reporter, text: reason } as const
  await notify(
    deps,
    deps.config.operators.map((jid) => ({ jid, ...news })),
  )
}

/** All reports about one thing are settled, or with `isOpen` open again. */
export async function settleReport(
  deps: OperatorDeps,
  { by, id, isOpen = false }: { by: BareJid; id: number; isOpen?: boolean },
): Promise<Report> {
  requireOperator(deps, by)
  const report = await findReport(deps.state, id)
  if (report === undefined) throw new AppError('not-found', 'There is no such report.')
  await settleReports(deps.state, report.address, isOpen ? undefined : { at: deps.clock(), by })
  return report
}
