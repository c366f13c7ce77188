import { deleteBlock, saveBlock } from '#server/store/community.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import type { BlockTask } from './task.ts'

/** Says what somebody may do on a node; what they have written stays until it is deleted. */
export async function performBlock(
  { state, clock }: OutboxDeps,
  { session, row, begin, task: { jid, affiliation } }: Performance<BlockTask>,
): Promise<void> {
  await begin()
  await session.pubsub.setAffiliation(row.address, jid, affiliation)
  const { address, account } = row
  if (affiliation === 'outcast') await saveBlock(state, { address, jid, by: account, since: clock() })
  else await deleteBlock(state, address, jid)
}
