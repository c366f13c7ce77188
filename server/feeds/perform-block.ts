import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import type { BlockTask } from './task.ts'

/** Shuts somebody out of a node, or lets them in again; their posts stay until they are removed. */
export async function performBlock(
  _deps: OutboxDeps,
  { session, row, begin, task: { jid, isBlocked } }: Performance<BlockTask>,
): Promise<void> {
  await begin()
  await session.pubsub.setAffiliation(row.address, jid, isBlocked ? 'outcast' : 'none')
}
