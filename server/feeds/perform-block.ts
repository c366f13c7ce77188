import { deleteBlock, saveBlock } from '#server/store/community.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import type { BlockTask } from './task.ts'

/** Shuts somebody out of a node, or lets them in again; what they have written stays until it is deleted. */
export async function performBlock(
  { state, clock }: OutboxDeps,
  { session, row, begin, task: { jid, isBlocked } }: Performance<BlockTask>,
): Promise<void> {
  await begin()
  await session.pubsub.setAffiliation(row.address, jid, isBlocked ? 'outcast' : 'none')
  const { address, account } = row
  if (isBlocked) await saveBlock(state, { address, jid, by: account, since: clock() })
  else await deleteBlock(state, address, jid)
}
