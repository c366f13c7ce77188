import { listAuthorRows } from '#server/store/author.ts'
import { listCommunityNodes } from '#server/store/community.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { listFollowedNodes } from '#server/store/follow.ts'
import { addNode, deleteNode, listFeedNodes } from '#server/store/node.ts'
import { dropOrphanThreads } from '#server/store/thread-node.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { blogOf } from './blog-of.ts'
import { type Live, NODES_TOPIC } from './live.ts'
import { forgetReactions } from './reactions/forget-reactions.ts'

export interface KnownBlogsDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
}

/**
 * Makes the index know the site's blogs and communities, what anybody here follows, and no other: another process may have changed
 * which, and the last follower of a node may have left.
 */
export async function knowBlogs({ index, state, live, clock }: KnownBlogsDeps): Promise<void> {
  const authors = (await listAuthorRows(state)).map(({ jid }) => blogOf(jid))
  const followed = await listFollowedNodes(state)
  const communities = await listCommunityNodes(state)
  const known = new Map(
    [...authors, ...communities, ...followed].map((address): [string, NodeAddress] => [keyOf(address), address]),
  )
  const indexed = new Map((await listFeedNodes(index)).map((node) => [keyOf(node.address), node]))
  for (const [key, address] of known) if (!indexed.has(key)) await know({ index, clock }, address)
  for (const [key, { address }] of indexed) {
    if (known.has(key)) continue
    const threads = await index.transaction().execute(async (transaction) => {
      await deleteNode(transaction, address)
      return [...(await forgetReactions(transaction, address)), ...(await dropOrphanThreads(transaction))]
    })
    for (const dropped of [address, ...threads]) live.publish(NODES_TOPIC, { kind: 'node-dropped', address: dropped })
  }
}

/** An account owns its own nodes; who owns one of a service nobody but its owners is told. */
async function know({ index, clock }: Pick<KnownBlogsDeps, 'index' | 'clock'>, address: NodeAddress): Promise<void> {
  const isAccount = localPart(address.service) !== undefined
  const kind = isAccount && address.node === NS.MICROBLOG ? 'blog' : 'community'
  await addNode(index, { address, kind, owner: isAccount ? address.service : undefined, now: clock() })
}

function keyOf({ service, node }: NodeAddress): string {
  return addressKey({ service, node })
}
