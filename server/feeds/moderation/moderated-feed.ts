import { findAuthor, type Holds } from '#server/store/author.ts'
import { findCommunity, listCommunitiesOf } from '#server/store/community.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import type { NodeRow } from '#server/store/node.ts'
import { listRightfulPosts } from '#server/store/thread-node.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { readAttachmentsNode } from '#shared/profiles/index.ts'
import { blogOf } from '../blog-of.ts'

/** A feed that somebody here looks after: an author's blog, or a community that was made here. */
export interface ModeratedFeed {
  readonly owner: BareJid
  /** Whose comments wait for the owner. */
  readonly holds: Holds
}

/** Undefined for what nobody here looks after. */
export async function findModeratedFeed(
  state: StateDb,
  { service, node }: NodeAddress,
): Promise<ModeratedFeed | undefined> {
  const isBlog = node === NS.MICROBLOG && localPart(service) !== undefined
  const owner = isBlog ? service : (await findCommunity(state, { service, node }))?.owner
  if (owner === undefined) return undefined
  const author = await findAuthor(state, owner)
  if (isBlog && author === undefined) return undefined
  return { owner, holds: author?.holds ?? 'links' }
}

/** The feeds that somebody looks after. */
export async function listModeratedFeeds(state: StateDb, jid: BareJid): Promise<NodeAddress[]> {
  const isAuthor = (await findAuthor(state, jid)) !== undefined
  return [...(isAuthor ? [blogOf(jid)] : []), ...(await listCommunitiesOf(state, jid))]
}

/** The posts that a comment or a message in a room is about; of talk in a room its blog, with an empty item. */
export async function listPostsAbove(
  { index, state }: { readonly index: IndexDb; readonly state: StateDb },
  { address, kind }: Pick<NodeRow, 'address' | 'kind'>,
  root: ItemAddress | undefined,
): Promise<ItemAddress[]> {
  if (root !== undefined) return [root]
  const reacted = kind === 'attachments' ? readAttachmentsNode(address) : undefined
  if (reacted !== undefined) return [reacted]
  if (kind !== 'room') return listRightfulPosts(index, address)
  const room = await state
    .selectFrom('room')
    .select(['service', 'node'])
    .where('channel', '=', address.service)
    .execute()
  return room.map(({ service, node }) => ({ service, node, item: asItemId('') }))
}
