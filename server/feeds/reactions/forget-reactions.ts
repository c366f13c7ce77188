import type { IndexDb } from '#server/store/database.ts'
import { deleteReactions } from '#server/store/reaction.ts'
import { dropAttachments } from '#server/store/thread-node.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'

/** What was said about a post, or about all posts of a feed, goes with them; returns the nodes that go too. */
export async function forgetReactions(
  index: IndexDb,
  address: NodeAddress & Partial<ItemAddress>,
): Promise<NodeAddress[]> {
  await deleteReactions(index, address)
  return dropAttachments(index, address)
}
