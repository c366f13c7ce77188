import { AppError, isAppError } from '#server/errors.ts'
import { findCommunity } from '#server/store/community.ts'
import { listPostsOfThread } from '#server/store/thread-node.ts'
import { addressKey, sameAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { queue } from './queue-row.ts'
import { deleteAttachmentsNode, mayMakeAttachments } from './reactions/attachments-node.ts'
import { type Sent, showRetracted } from './show.ts'
import { type DeleteTask, saveTask } from './task.ts'

/** Retracts a post, and then deletes the node of its comments. */
export async function performDelete(deps: OutboxDeps, performance: Performance<DeleteTask>): Promise<Sent | undefined> {
  const { session, row, begin, task } = performance
  const { comments } = task
  await begin()
  try {
    await ignoring(session.pubsub.retractItem(row.address), 'not-found', 'gone')
  } catch (error) {
    const isLast = row.address.service === row.account || task.isAsked === true
    if (isLast || !isAppError(error, 'forbidden', 'not-implemented')) throw error
    await forward(deps, performance, error)
    return undefined
  }
  const isOwnThread =
    comments?.node.startsWith(NS.COMMENTS_PREFIX) === true && (await isOnlyThreadOf(deps, row, comments))
  const sent = await showRetracted(deps, { session, row, address: row.address })
  if (await mayMakeAttachments(deps.state, row.account, row.address)) await deleteAttachmentsNode(session, row.address)
  if (comments === undefined || !isOwnThread) return sent
  // Another's, or made by another client on a service that keeps it: that is not for us to delete.
  await ignoring(
    session.pubsub.deleteNode(comments),
    'not-found',
    'gone',
    'forbidden',
    'not-implemented',
    'bad-request',
  )
  return sent
}

// COMPAT(Prosody 13): who published to a node of others may not retract there; the owner may.
async function forward(deps: OutboxDeps, { row, task }: Performance<DeleteTask>, refusal: AppError): Promise<void> {
  const owner = (await findCommunity(deps.state, row.address))?.owner
  if (owner === undefined || owner === row.account) {
    const words = `${row.address.service} lets only who owns the community remove posts. Ask them`
    throw new AppError('forbidden', words, { cause: refusal })
  }
  const key = `for ${row.account} ${row.id} ${addressKey(row.address)}`
  const { comments } = task
  const forwarded = await queue(deps, { kind: 'delete', comments }, { account: owner, address: row.address, key })
  await saveTask(deps.state, row, { ...task, forwardedTo: forwarded.id })
}

async function isOnlyThreadOf(
  { index }: OutboxDeps,
  { address }: Performance['row'],
  comments: NonNullable<DeleteTask['comments']>,
): Promise<boolean> {
  return (await listPostsOfThread(index, comments)).every((post) => sameAddress(post, address))
}

async function ignoring(request: Promise<void>, ...codes: Parameters<typeof isAppError>[1][]): Promise<void> {
  try {
    await request
  } catch (error) {
    if (!isAppError(error, ...codes)) throw error
  }
}
