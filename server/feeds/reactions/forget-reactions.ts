import type { IndexDb } from '#server/store/database.ts'
import { deleteReactions } from '#server/store/reaction.ts'
import { dropAttachments } from '#server/store/thread-node.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'

/** Forgets the reactions to a post with it; returns the nodes that go too. */
export async function forgetReactions(index: IndexDb, post: ItemAddress): Promise<NodeAddress[]> {
  await deleteReactions(index, post)
  return dropAttachments(index, post)
}
