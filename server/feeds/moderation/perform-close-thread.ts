import { AppError, isAppError } from '#server/errors.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import type { CloseThreadTask } from '../task.ts'

/** Lets only its owner write on the comments node of a post, or everybody again: as the newest wish is. */
export async function performCloseThread(
  { state }: OutboxDeps,
  { session, row, begin, task }: Performance<CloseThreadTask>,
): Promise<void> {
  const wanted = (await findClosedThread(state, task.post)) === undefined ? 'open' : 'publishers'
  await begin()
  try {
    const { publish_model = wanted } = await session.pubsub.configureNode(row.address, { publish_model: wanted })
    if (publish_model !== wanted) throw new AppError('not-implemented', 'Your server leaves its comments as they are')
  } catch (error) {
    if (!isAppError(error, 'not-found', 'gone')) throw error
  }
}
