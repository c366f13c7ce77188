import { readEntry, writeAlternate } from '#shared/entry.ts'
import { isWithinBounds } from '#shared/xml.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { publish } from './publish.ts'
import { performRoomLink } from './rooms/link-posts.ts'
import { type Sent, showPublished } from './show.ts'
import type { RelinkTask } from './task.ts'

/** Publishes a post again with the address its page has now; all else in it stays, `updated` too. */
export async function performRelink(
  deps: OutboxDeps,
  { session, row, task, begin }: Performance<RelinkTask>,
): Promise<Sent | undefined> {
  if (task.isRoom === true) return performRoomLink(deps, { session, row, task, begin })
  const found = await session.pubsub.findItem(row.address)
  if (found?.payload === undefined || !isWithinBounds(found.payload)) return undefined
  if (readEntry(found.payload)?.alternate === task.alternate) return undefined
  const payload = writeAlternate(found.payload, task.alternate)
  await begin()
  await publish({ session, row }, payload)
  const item = { id: row.address.item, payload, publisher: row.account }
  return showPublished(deps, { session, row, address: row.address }, item)
}
