import { readEntry, writeAlternate } from '#shared/entry.ts'
import { isWithinBounds } from '#shared/xml.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { ingestOwn, publish } from './publish.ts'
import { performRoomLink } from './rooms/link-posts.ts'
import type { RelinkTask } from './task.ts'

/** Publishes a post again with the address its page has now; all else in it stays, `updated` too. */
export async function performRelink(
  deps: OutboxDeps,
  { session, row, task, begin }: Performance<RelinkTask>,
): Promise<void> {
  if (task.isRoom === true) return performRoomLink(deps, { session, row, task, begin })
  const found = await session.pubsub.findItem(row.address)
  if (found?.payload === undefined || !isWithinBounds(found.payload)) return
  if (readEntry(found.payload)?.alternate === task.alternate) return
  const payload = writeAlternate(found.payload, task.alternate)
  await begin()
  await publish({ session, row }, payload)
  const item = { id: row.address.item, payload, publisher: row.account }
  await ingestOwn(deps, { kind: 'published', address: row.address, item })
}
