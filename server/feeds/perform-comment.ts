import type { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findAnswerable } from '#server/store/thread.ts'
import { writeComment } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { requireNotBlocked } from './blocks.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { isMarked, markWords } from './proofs/mark.ts'
import { nameOf, publish } from './publish.ts'
import { type Sent, showPublished } from './show.ts'
import type { CommentTask } from './task.ts'

/** Publishes a comment, unless it is there already. */
export async function performComment(
  deps: OutboxDeps,
  { session, row, task, begin }: Performance<CommentTask>,
): Promise<Sent | undefined> {
  const { address, account } = row
  await requireNotBlocked(deps, { address, account: task.contributor?.jid ?? account }, 'You are blocked here')
  const found = row.attempts > 0 ? (await session.pubsub.findItem(address))?.payload : undefined
  // An item published under somebody's name must have their very words.
  const isThere = found !== undefined && (task.contributor === undefined || (await isMarked(deps, address, found)))
  const payload = isThere ? found : await write(deps, row, task)
  if (!isThere) {
    await begin()
    try {
      await publish({ session, row }, payload)
    } catch (error) {
      if (!isAppError(error, 'forbidden', 'not-found')) throw error
      throw new AppError('forbidden', 'The blog does not take comments from you here', { cause: error })
    }
  }
  return showPublished(deps, { session, row, address }, { id: address.item, payload, publisher: account })
}

async function write(deps: OutboxDeps, { address, account }: OutboxRow, task: CommentTask): Promise<Element> {
  const { contributor, inReplyTo } = task
  const published = new Date(task.published)
  const name = (contributor && deps.config.title) ?? (await nameOf(deps, account))
  const answeredId = (inReplyTo && (await findAnswerable(deps.index, inReplyTo)))?.atomId ?? undefined
  const atomId = createTagUri(account, published, address.item)
  const parts = { text: task.text, address, author: { jid: account, name }, published, inReplyTo, answeredId, atomId }
  if (contributor === undefined) return writeComment(parts)
  const mark = markWords(deps, address, writeComment({ ...parts, contributor }))
  return writeComment({ ...parts, contributor: { ...contributor, mark } })
}
