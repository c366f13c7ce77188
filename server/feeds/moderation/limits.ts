import { AppError } from '#server/errors.ts'
import { hasServerWritten, hasWritten, type Stretch } from '#server/store/arrivals.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'

const MINUTE = 60_000
/** Comments a minute. */
export const MOST_BY_WRITER = 5
/** Of everybody of one server under one post. */
export const MOST_BY_SERVER = 30

export interface Burst {
  /** Absent where the service does not say. */
  readonly who?: BareJid | undefined
  readonly thread: NodeAddress
  readonly post: ItemAddress
  readonly at: Date
  /** By the time they came, or of what was missed by their own dates. */
  readonly by: Stretch['by']
}

/** Whether one more comment is more than the limits let through. */
export async function isTooMany(index: IndexDb, { who, thread, post, at, by }: Burst): Promise<boolean> {
  return (await findExceeded(index, { who, thread, post, at, by })) !== undefined
}

async function findExceeded(
  index: IndexDb,
  { who, thread, post, at, by }: Burst,
): Promise<'writer' | 'server' | undefined> {
  const stretch = { by, since: new Date(at.getTime() - MINUTE), until: at }
  if (who !== undefined && (await hasWritten(index, { who, most: MOST_BY_WRITER }, stretch))) return 'writer'
  const isServer = await hasServerWritten(index, { who, thread, post, most: MOST_BY_SERVER }, stretch)
  return isServer ? 'server' : undefined
}

/** The same for who writes on the web, in a sentence (`too-many`): their text is not lost, so it need not be held. */
export async function requireWithinLimits(
  { index, state, clock }: { readonly index: IndexDb; readonly state: StateDb; readonly clock: () => Date },
  { account, who, thread, post }: Omit<Burst, 'at' | 'by'> & { readonly account: BareJid },
): Promise<void> {
  const at = clock()
  const sent = account === who ? await countSent(state, account, at) : 0
  const burst = { who, thread, post, at, by: 'arrivedAt' } as const
  const exceeded = sent >= MOST_BY_WRITER ? 'writer' : await findExceeded(index, burst)
  if (exceeded === undefined) return
  const lead =
    exceeded === 'server' && who !== undefined
      ? `Too many comments came from ${domainOf(who)} within a minute.`
      : 'Those are too many comments within a minute.'
  throw new AppError('too-many', `${lead} Wait a minute, then send it again.`, { retryAfter: 60 })
}

/** Those count that are not out yet. */
async function countSent(state: StateDb, account: BareJid, at: Date): Promise<number> {
  const query = state.selectFrom('outbox').select(({ fn }) => fn.countAll<number>().as('count'))
  const row = await query
    .where('account', '=', account)
    .where('kind', '=', 'comment')
    .where('createdAt', '>', new Date(at.getTime() - MINUTE).toISOString())
    .where('createdAt', '<=', at.toISOString())
    .executeTakeFirstOrThrow()
  return row.count
}
