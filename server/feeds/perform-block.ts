import { deleteBlock, saveBlock, saveOwnerSeen } from '#server/store/community.ts'
import { isSeenOwner } from './belief.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { type Sent, unseen } from './show.ts'
import type { BlockTask } from './task.ts'

/** Says what somebody may do on a node; what they have written stays until it is deleted. */
export async function performBlock(
  deps: OutboxDeps,
  { session, row, begin, task: { jid, affiliation } }: Performance<BlockTask>,
): Promise<Sent | undefined> {
  const { address, account } = row
  await begin()
  await session.pubsub.setAffiliation(address, jid, affiliation)
  if (!(await isSeenOwner(deps, account, address))) {
    return unseen(`${address.service} was told, but does not show this site who owns this: nothing changes here`)
  }
  await saveOwnerSeen(deps.state, address, { owner: account, now: deps.clock() })
  if (affiliation === 'outcast') await saveBlock(deps.state, { address, jid, by: account, since: deps.clock() })
  else await deleteBlock(deps.state, address, jid)
  return undefined
}
