import { findDecision } from '#server/store/decision.ts'
import { parseXml } from '#shared/xml.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { publish } from '../publish.ts'
import { type Sent, showPublished } from '../show.ts'
import type { RestoreCommentTask } from '../task.ts'

/** Publishes a removed comment again from the kept copy, unless it is there, or was removed once more. */
export async function performRestoreComment(
  deps: OutboxDeps,
  { session, row, begin }: Performance<RestoreCommentTask>,
): Promise<Sent | undefined> {
  const { address, account } = row
  const decision = await findDecision(deps.state, address)
  const payload = decision?.payload === undefined ? undefined : parseXml(decision.payload)
  if (decision === undefined || decision.what === 'removed' || payload === undefined) return undefined
  await begin()
  const there = await session.pubsub.findItem(address)
  if (there === undefined) await publish({ session, row }, payload)
  const item = there ?? { id: address.item, payload, publisher: account }
  return showPublished(deps, { session, row, address }, item)
}
