import { AppError } from '#server/errors.ts'
import { findNode } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { listRightfulPosts } from '#server/store/thread-node.ts'
import { saveClosedThread } from '#server/store/thread-state.ts'
import { asItemId, type ItemAddress, sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { postTopic } from '../live.ts'
import type { QueueDeps } from '../outbox-deps.ts'
import { queueInstead } from '../queue-row.ts'
import { type DecideDeps, forbid, mayModerate } from './decide.ts'

/** Nobody may comment on a post any more, here and on its node, or everybody again. What was said stays. */
export async function closeThread(
  deps: DecideDeps & QueueDeps,
  { by, post, isClosed }: { by: BareJid; post: ItemAddress; isClosed: boolean },
): Promise<OutboxRow | undefined> {
  const found = await findPost(deps.index, post, 'restricted')
  if (found === undefined || found === 'gone') throw new AppError('not-found', 'There is no such post')
  const isOwner = found.author?.jid === by && found.credit !== 'unverified'
  if (!isOwner && !(await mayModerate(deps, by, post))) {
    throw await forbid(deps, by, post, 'Only who owns the blog can close its comments')
  }
  const { comments } = found
  const above = comments === undefined ? [] : await listRightfulPosts(deps.index, comments)
  // A post may link to the thread of another, which is not its writer's to close.
  if (comments !== undefined && !above.some((other) => sameAddress(other, post))) {
    throw new AppError('forbidden', 'Only whose comments these are can close them')
  }
  await saveClosedThread(deps.state, post, isClosed ? { since: deps.clock(), by } : undefined)
  deps.live.publish(postTopic(post), { kind: 'changed' })
  if (comments === undefined) return undefined
  const account = (await findNode(deps.index, comments))?.owner ?? by
  const address = { ...comments, item: asItemId('') }
  return queueInstead(deps, { kind: 'close-thread', post }, { account, address })
}
