import type { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { findDecision } from '#server/store/decision.ts'
import { findNode } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findAnswerable } from '#server/store/thread.ts'
import { addressKey } from '#shared/address.ts'
import { writeComment } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { requireNotBlocked } from './blocks.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { isMarked, markWords } from './proofs/mark.ts'
import { nameOf, publish } from './publish.ts'
import { queue } from './queue-row.ts'
import { type Sent, showPublished, showRetracted } from './show.ts'
import { type CommentTask, type RemoveCommentTask, saveTask } from './task.ts'

/** Publishes a comment, unless it is there already. */
export async function performComment(
  deps: OutboxDeps,
  { session, row, task, begin }: Performance<CommentTask>,
): Promise<Sent | undefined> {
  const { address, account } = row
  await requireNotBlocked(deps, { address, account: task.contributor?.jid ?? account }, 'You are blocked here')
  const found = row.attempts > 0 ? (await session.pubsub.findItem(address))?.payload : undefined
  // What is there under somebody's name must be what they said.
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

/** Retracts a comment; where only the post's author may, that is left to their session. */
export async function performRemoveComment(
  deps: OutboxDeps,
  performance: Performance<RemoveCommentTask>,
): Promise<Sent | undefined> {
  const { session, row, begin } = performance
  const { address, account } = row
  // Put back before it was gone.
  const decision = await findDecision(deps.state, address)
  if (decision?.payload !== undefined && decision.what !== 'removed' && decision.author !== account) return undefined
  await begin()
  try {
    await session.pubsub.retractItem(address)
  } catch (error) {
    if (isAppError(error, 'forbidden', 'not-implemented')) {
      await forward(deps, performance, error)
      return undefined
    }
    if (!isAppError(error, 'not-found', 'gone')) throw error
  }
  deps.log.debug({ account, item: addressKey(address) }, 'A comment was removed')
  return showRetracted(deps, { session, row, address })
}

// COMPAT(Prosody 13): who published to an open node may not retract there; the owner may.
async function forward(
  deps: OutboxDeps,
  { row, task }: Performance<RemoveCommentTask>,
  refusal: AppError,
): Promise<void> {
  const owner = (await findNode(deps.index, row.address))?.owner
  if (owner === undefined || owner === row.account) throw refusal
  const key = `for ${row.account} ${row.id} ${addressKey(row.address)}`
  const forwarded = await queue(deps, { kind: 'remove-comment' }, { account: owner, address: row.address, key })
  await saveTask(deps.state, row, { ...task, forwardedTo: forwarded.id })
}
