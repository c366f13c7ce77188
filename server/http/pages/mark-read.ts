import type { Person } from '#server/people/people.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { type NodeAddress, writeXmppUri } from '#shared/address.ts'
import type { MarkReadView } from '#web/views.ts'
import type { Web } from '../web.ts'

/** What arrived while the page was made may not be on it. */
const MAKING_MS = 60_000

/** A form by which everything that arrived until now counts as read, of one feed or of all. */
export function viewMarkRead(
  { ctx, tokens }: Web,
  person: Person,
  shown: readonly PostRow[],
  feed?: NodeAddress,
): MarkReadView {
  const times = shown.map(({ arrivedAt }) => arrivedAt.getTime())
  return {
    ...{ action: '/home/read', token: tokens.issue(person) },
    until: new Date(Math.max(ctx.clock().getTime() - MAKING_MS, ...times)).toISOString(),
    ...(feed === undefined ? {} : { feed: writeXmppUri(feed) }),
  }
}
