import type { IndexDb } from '#server/store/database.ts'
import type { EntryRow, NewEntry } from '#server/store/entry.ts'
import type { NodeRow } from '#server/store/node.ts'
import { saveReactions } from '#server/store/reaction.ts'
import { listPostsOfThread } from '#server/store/thread-node.ts'
import type { ItemAddress } from '#shared/address.ts'
import { readAttachmentsNode } from '#shared/profiles/attachments.ts'
import { HEART } from '#shared/reactions.ts'

export interface StoredEntry {
  readonly id: number
  readonly node: NodeRow
  readonly address: ItemAddress
  readonly row: NewEntry
  readonly former: EntryRow | undefined
  readonly reactions: readonly string[]
}

/** The posts that an item on a node of comments or attachments is about. */
export async function listTargets(index: IndexDb, node: NodeRow): Promise<readonly ItemAddress[]> {
  if (node.kind === 'comments') return listPostsOfThread(index, node.address)
  const target = node.kind === 'attachments' ? readAttachmentsNode(node.address) : undefined
  return target === undefined ? [] : [target]
}

/** What an entry that was just stored says about posts: one emoji of one person, however it came. */
export async function storeReactions(index: IndexDb, stored: StoredEntry): Promise<void> {
  const { id, node, address, row, former } = stored
  if (node.kind === 'comments' && row.isLike !== 1 && former?.isLike !== 1) return
  if (node.kind === 'blog' || node.kind === 'community' || node.kind === 'room') return
  const reactor = row.contributor ?? row.author
  const said = node.kind === 'attachments' ? stored.reactions : row.isLike === 1 ? [HEART] : []
  await saveReactions(index, {
    posts: await listTargets(index, node),
    ...{ reactor: reactor ?? address.service, source: address, sourceId: id },
    emoji: reactor == null ? [] : said,
    // What an item says that it did not say before is new, however old the item is.
    at: former === undefined ? row.publishedAt : row.changedAt,
    arrivedAt: former === undefined ? (row.arrivedAt ?? row.publishedAt) : row.changedAt,
    hold: row.hold ?? null,
  })
}
