import { isFeed, type NodeRow } from '#server/store/node.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Milliseconds for which a post is likely to be talked about. */
export const RECENT = 14 * DAY
// Events of a headline are lost on the way now and then, and nobody says so.
const WHEN_FINE = { feed: 6 * HOUR, recent: DAY, old: 7 * DAY } as const
/** Milliseconds that a node is ever left alone. */
export const LONGEST = { feed: WHEN_FINE.feed, thread: WHEN_FINE.old } as const
const UNHEARD = { least: 2 * MINUTE, most: HOUR } as const

/** Whether the node is lost and nothing of it is kept here. */
export function isLost({ status }: NodeRow): boolean {
  return status === 'closed' || status === 'deleted'
}

/** In how many milliseconds a node is to be read again. */
export function nextReading(node: NodeRow | undefined, now: Date): number {
  // Most posts of other programs have none, and never will.
  if (node?.kind === 'attachments' && isLost(node)) return WHEN_FINE.old
  if (node === undefined || node.status === 'hidden') return HOUR
  if (node.problem !== undefined || node.subscription !== 'subscribed') return HOUR
  // Recent changes make further ones likely soon.
  if (node.unheardAt !== undefined) {
    const sinceChange = now.getTime() - node.unheardAt.getTime()
    return Math.max(UNHEARD.least, Math.min(UNHEARD.most, sinceChange / 10))
  }
  if (isFeed(node)) return WHEN_FINE.feed
  const isQuiet = now.getTime() - (node.heardAt?.getTime() ?? 0) > RECENT
  return isQuiet ? WHEN_FINE.old : WHEN_FINE.recent
}
