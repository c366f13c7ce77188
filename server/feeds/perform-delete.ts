import { isAppError } from '#server/errors.ts'
import { listPostsOfThread } from '#server/store/node.ts'
import { sameAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { ingestOwn } from './publish.ts'
import type { DeleteTask } from './task.ts'

/** Retracts a post, and then deletes the node of its comments. */
export async function performDelete(
  deps: OutboxDeps,
  { session, row, begin, task: { comments } }: Performance<DeleteTask>,
): Promise<void> {
  await begin()
  await ignoring(session.pubsub.retractItem(row.address), 'not-found', 'gone')
  const isOwnThread =
    comments?.node.startsWith(NS.COMMENTS_PREFIX) === true && (await isOnlyThreadOf(deps, row, comments))
  await ingestOwn(deps, { kind: 'retracted', address: row.address })
  if (comments === undefined || !isOwnThread) return
  // Another's, or made by another client on a service that keeps it: that is not for us to delete.
  await ignoring(
    session.pubsub.deleteNode(comments),
    'not-found',
    'gone',
    'forbidden',
    'not-implemented',
    'bad-request',
  )
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
