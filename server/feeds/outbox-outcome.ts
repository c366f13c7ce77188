import { AppError, describeError, type ErrorCode } from '#server/errors.ts'
import { type Draft, findDraft, saveDraft } from '#server/store/draft.ts'
import { type OutboxRow, updateOutboxRow } from '#server/store/outbox.ts'
import { hasSpaceInstead } from '#server/store/space-left.ts'
import { addressKey, sameAddress } from '#shared/address.ts'
import { backoff, LONGEST_SECONDS } from './backoff.ts'
import { blogOf } from './blog-of.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Sent } from './show.ts'
import { type PostTask, readTask } from './task.ts'
import { WaitingError } from './waiting-error.ts'

export type Outcome =
  /** Not for what had been done before, and still was so. */
  | { readonly kind: 'done'; readonly isNews: boolean; readonly sent: Sent | undefined }
  /** It was taken back: there is no row any more. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly error: unknown /** How often, in a row. */; readonly failures: number }
  /** Nobody is signed in as the account, or its session is not online. */
  | { readonly kind: 'no-session'; readonly problem: AppError | undefined }

// These may pass by themselves; every other answer is the last word.
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'timeout',
  'too-many',
  'internal',
  'not-authorized',
  'no-room',
])

/** Writes down how an attempt ended, and says what has become of the row. */
export async function settleRow(deps: OutboxDeps, row: OutboxRow, outcome: Outcome): Promise<OutboxRow['status']> {
  if (outcome.kind === 'done') return outcome.isNews ? settleDone(deps, row, outcome.sent) : 'done'
  if (outcome.kind === 'cancelled') return 'done'
  if (outcome.kind === 'no-session') return settleWithoutSession(deps, row, outcome.problem)
  const { error, failures } = outcome
  if (error instanceof WaitingError) {
    const seconds = error.retryAfter ?? backoff(failures)
    return wait(deps, row, { reason: error.reason, problem: error.message, seconds })
  }
  // What is no AppError is a fault of ours: later code may do better, and nothing is lost until then.
  if (!(error instanceof AppError) || PASSING.has(error.code)) {
    if (!(error instanceof AppError)) deps.log.error({ ...fieldsOf(row), err: error }, 'Publishing failed')
    const seconds = error instanceof AppError ? error.retryAfter : undefined
    const reason = error instanceof AppError ? error.code : 'internal'
    return wait(deps, row, { reason, problem: describeError(error), seconds: seconds ?? backoff(failures) })
  }
  return refuse(deps, row, error)
}

async function settleDone({ state, clock }: OutboxDeps, row: OutboxRow, sent: Sent | undefined): Promise<'done'> {
  await updateOutboxRow(state, row.id, {
    status: 'done',
    reason: sent?.reason ?? null,
    problem: sent?.problem ?? null,
    nextTry: null,
    acknowledgedAt: clock(),
  })
  return 'done'
}

async function settleWithoutSession(deps: OutboxDeps, row: OutboxRow, problem?: AppError): Promise<'waiting'> {
  const reason = problem?.code ?? 'signed-out'
  const words = problem?.message ?? `It waits until ${row.account} is signed in here`
  if (row.status === 'waiting' && row.reason === reason && row.problem === words) return 'waiting'
  await updateOutboxRow(deps.state, row.id, { status: 'waiting', reason, problem: words, nextTry: null })
  return 'waiting'
}

interface Wait {
  readonly reason: string
  readonly problem: string
  readonly seconds: number
}

async function wait(deps: OutboxDeps, row: OutboxRow, { reason, problem, seconds }: Wait): Promise<'waiting'> {
  const nextTry = new Date(deps.clock().getTime() + Math.min(seconds, LONGEST_SECONDS) * 1000)
  await updateOutboxRow(deps.state, row.id, { status: 'waiting', reason, problem, nextTry })
  return 'waiting'
}

/** The last word: the author is told, and the text is a draft again. */
async function refuse(deps: OutboxDeps, row: OutboxRow, error: AppError): Promise<'refused'> {
  deps.log.warn({ ...fieldsOf(row), err: error }, 'Publishing was refused')
  const task = readTask(row)
  if (task.kind === 'post') await keepDraft(deps, row, task)
  await updateOutboxRow(deps.state, row.id, {
    status: 'refused',
    reason: error.code,
    problem: error.message,
    nextTry: null,
  })
  return 'refused'
}

function fieldsOf({ id, kind, account, address }: OutboxRow) {
  return { row: id, kind, account, item: addressKey(address) }
}

/** The row has the text too: where there is no space for a draft, nothing is lost. */
async function keepDraft(deps: OutboxDeps, row: OutboxRow, { draft, draftId, base }: PostTask): Promise<void> {
  const { state, clock } = deps
  const isEdit = base !== undefined
  const { title, text, tags, language, summary, comments, pictures } = draft
  const { service, node } = row.address
  const isForBlog = sameAddress({ service, node }, blogOf(row.account))
  const kept: Draft = {
    ...{ id: draftId, jid: row.account, title, text, language, summary, comments, pictures },
    to: isEdit || isForBlog ? undefined : { service, node },
    tags: tags.join(', '),
    edits: isEdit ? row.address : undefined,
    baseUpdated: isEdit ? new Date(base) : undefined,
    updatedAt: clock(),
  }
  const former = await findDraft(state, row.account, draftId)
  if (await hasSpaceInstead(deps, 'drafts', { account: row.account, row: kept, former })) await saveDraft(state, kept)
}
