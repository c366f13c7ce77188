import type { OutboxRow, WaitingRow } from '#server/store/outbox.ts'
import { addressKey } from '#shared/address.ts'
import { isDue } from '#shared/instants.ts'
import { domainOf } from '#shared/jid.ts'
import { LONGEST_SECONDS } from './backoff.ts'
import type { Attempt } from './outbox-attempt.ts'

/**
 * What an account wants is done lane by lane, so that no server of a blog it follows delays what it writes, or another
 * server: one for all that it writes, and one for each server on which it follows something.
 */
export type Lane = typeof WRITING | `follow ${string}`

export const WRITING = 'write'

const FOLLOWING: ReadonlySet<OutboxRow['kind']> = new Set(['follow', 'unfollow', 'public-follows'])
// Two questions without an answer say enough about a server, for now.
const MOST_UNANSWERED = 2

export function laneOf({ kind, address }: Pick<OutboxRow, 'kind' | 'address'>): Lane {
  return FOLLOWING.has(kind) ? `follow ${domainOf(address.service)}` : WRITING
}

export interface LaneWork {
  readonly attempt: (row: WaitingRow) => ReturnType<Attempt>
  readonly isStopped: () => boolean
  readonly now: Date
}

export function mayBeTried({ nextTry }: WaitingRow, now: Date): boolean {
  return nextTry === undefined || isDue(nextTry, now, LONGEST_SECONDS * 1000)
}

/** Does the rows of one lane of one account, one after the other. */
export async function workLane(lane: Lane, rows: readonly WaitingRow[], work: LaneWork): Promise<void> {
  const { attempt, isStopped, now } = work
  const held = new Set<string>()
  let unanswered = 0
  for (const row of rows.filter((each) => laneOf(each) === lane)) {
    if (isStopped() || (lane !== WRITING && unanswered >= MOST_UNANSWERED)) return
    const key = addressKey(row.address)
    // Of one item, nothing may overtake.
    if (held.has(key)) continue
    const isTried = mayBeTried(row, now)
    if (isTried && (await attempt(row)) !== 'waiting') continue
    held.add(key)
    if (isTried) unanswered += 1
  }
}
