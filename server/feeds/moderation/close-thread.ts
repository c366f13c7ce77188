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
import { isModerator, seeModerator } from '../owners.ts'
import { queueInstead } from '../queue-row.ts'
import type { ActDeps, DecideDeps } from './decide.ts'

export interface Closing {
  readonly by: BareJid
  readonly post: ItemAddress
  readonly isClosed: boolean
}

/**
 * Nobody may comment on a post any more, here and on its node, or everybody again. What was said stays. Where the site
 * does not see that `by` owns the community, their session asks for it, and it is so here once the node shows that it is.
 */
export async function closeThread(deps: ActDeps & QueueDeps, closing: Closing): Promise<OutboxRow | undefined> {
  const { by, post, isClosed } = closing
  const found = await findPost(deps.index, post, 'restricted')
  if (found === undefined || found === 'gone') throw new AppError('not-found', 'There is no such post')
  const isSeen = (found.author?.jid === by && found.credit !== 'unverified') || (await seeModerator(deps, by, post))
  if (!isSeen && !(await isModerator(deps, by, post))) {
    throw new AppError('forbidden', 'Only who owns the blog can close its comments')
  }
  const { comments } = found
  const above = comments === undefined ? [] : await listRightfulPosts(deps.index, comments)
  // A post may link to the thread of another, which is not its writer's to close.
  if (comments !== undefined && !above.some((other) => sameAddress(other, post))) {
    throw new AppError('forbidden', 'Only whose comments these are can close them')
  }
  if (isSeen) await setClosed(deps, closing)
  if (comments === undefined) return undefined
  const address = { ...comments, item: asItemId('') }
  if (!isSeen) {
    return queueInstead(deps, { kind: 'close-thread', post, isAsked: true, isClosed }, { account: by, address })
  }
  const account = (await findNode(deps.index, comments))?.owner ?? by
  return queueInstead(deps, { kind: 'close-thread', post }, { account, address })
}

/** Here alone. */
export async function setClosed(
  { state, clock, live }: Pick<DecideDeps, 'state' | 'clock' | 'live'>,
  { by, post, isClosed }: Closing,
): Promise<void> {
  await saveClosedThread(state, post, isClosed ? { since: clock(), by } : undefined)
  live.publish(postTopic(post), { kind: 'changed' })
}
