import type { NewComment } from '#server/feeds/queue.ts'
import { readTask } from '#server/feeds/task.ts'
import { findComment } from '#server/store/comment.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { listOutboxSince } from '#server/store/outbox.ts'
import type { NodeAddress } from '#shared/address.ts'
import { sameAddress } from '#shared/address.ts'
import type { AppContext } from './context.ts'

/** So long the same words at the same place are the back button, not a second comment. */
const AGAIN_MS = 10 * 60_000

/** The comment that somebody sent a moment ago, with the same words, and that is still there. */
export async function findSentComment(
  { state, index, clock }: Pick<AppContext, 'state' | 'index' | 'clock'>,
  { author, post, text, inReplyTo = post }: NewComment,
  comments: NodeAddress,
): Promise<OutboxRow | undefined> {
  const since = new Date(clock().getTime() - AGAIN_MS)
  for (const row of await listOutboxSince(state, { account: author, address: comments, since })) {
    const task = readTask(row)
    if (task.kind !== 'comment' || task.text !== text || !sameAddress(task.inReplyTo ?? post, inReplyTo)) continue
    if (
      row.status === 'waiting' ||
      (await findComment(index, row.address, { jid: author, readable: [] })) !== undefined
    )
      return row
  }
  return undefined
}
