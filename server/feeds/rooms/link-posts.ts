import { listPayloads } from '#server/store/entry.ts'
import { findRoomOfBlog, type RoomRow } from '#server/store/room.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { readEntry } from '#shared/entry.ts'
import { isOwnTagUri } from '#shared/item-id.ts'
import type { BareJid } from '#shared/jid.ts'
import { writeRoomLink } from '#shared/room-link.ts'
import { isWithinBounds, parseXml, writeSortedXml } from '#shared/xml.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { publish } from '../publish.ts'
import { queue } from '../queue-row.ts'
import { type Sent, showPublished } from '../show.ts'

/** Older posts lead to the room from their next edit on. */
const MOST = 20

/** The channel of an open room beside a blog. */
export async function findChannel(deps: OutboxDeps, blog: NodeAddress): Promise<BareJid | undefined> {
  const room = await findRoomOfBlog(deps.state, { service: blog.service, node: blog.node })
  return room?.status === 'open' ? room.channel : undefined
}

/** Queues the newest posts of a blog to be published again: with a link to its room, or without one. */
export async function queueRoomLinks(deps: OutboxDeps, { blog, channel, owner, status }: RoomRow): Promise<void> {
  for (const { item, payload } of await listNewest(deps, blog)) {
    const parsed = parseXml(payload)
    const atomId = parsed && readEntry(parsed)?.atomId
    if (atomId === undefined || !isOwnTagUri(atomId, owner, item)) continue
    const address: ItemAddress = { ...blog, item }
    await queue(
      deps,
      { kind: 'relink', isRoom: true },
      { account: owner, address, key: `${channel} ${status} ${item}` },
    )
  }
}

/** Oldest first. */
async function listNewest({ index }: OutboxDeps, blog: NodeAddress) {
  for await (const posts of listPayloads(index, blog)) return posts.slice(0, MOST).reverse()
  return []
}

/** Publishes a post again with the room that its blog has now, or with none; `updated` stays. */
export async function performRoomLink(
  deps: OutboxDeps,
  { session, row, begin }: Performance,
): Promise<Sent | undefined> {
  const { address, account } = row
  const found = await session.pubsub.findItem(address)
  if (found?.payload === undefined || !isWithinBounds(found.payload)) return undefined
  const payload = writeRoomLink(found.payload, await findChannel(deps, address))
  if (writeSortedXml(payload) === writeSortedXml(found.payload)) return undefined
  await begin()
  await publish({ session, row }, payload)
  return showPublished(deps, { session, row, address }, { id: address.item, payload, publisher: account })
}
