import { createSlices } from '#server/slices.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'

/** Replies that one statement gives their parent. */
const SLICE = 250

/** A comment that others may name by its `atom:id` alone. */
export interface ReplyParent {
  readonly nodeId: number
  readonly atomId: string
  readonly address: ItemAddress
}

/** The comment of a node that was the first to have this `atom:id`: a later copy of the id takes no replies away. */
export async function findItemByAtomId(index: IndexDb, nodeId: number, atomId: string): Promise<ItemId | undefined> {
  const row = await index
    .selectFrom('entry')
    .select('item')
    .where('nodeId', '=', nodeId)
    .where('atomId', '=', atomId)
    .where('isPost', '=', 0)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row?.item
}

/**
 * Gives some of the replies that came before their parent its address. Returns the entry after which there may be more;
 * undefined after the last.
 */
export async function linkSomeReplies(index: IndexDb, parent: ReplyParent, after = 0): Promise<number | undefined> {
  const { service, node, item } = parent.address
  const replies = await index
    .selectFrom('entry')
    .select(['id', 'item', 'replyItem'])
    .where('nodeId', '=', parent.nodeId)
    .where('replyRef', '=', parent.atomId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(SLICE)
    .execute()
  const waiting = replies.filter((reply) => reply.replyItem === null && reply.item !== item).map(({ id }) => id)
  if (waiting.length > 0) {
    const query = index.updateTable('entry').set({ replyService: service, replyNode: node, replyItem: item })
    await query.where(isOneOf('id', waiting)).execute()
  }
  return replies.length < SLICE ? undefined : replies.at(-1)?.id
}

/** The same of all that come after an entry, in slices. */
export async function linkReplies(index: IndexDb, parent: ReplyParent, after = 0): Promise<void> {
  const pause = createSlices()
  for (let last: number | undefined = after; last !== undefined; ) {
    last = await linkSomeReplies(index, parent, last)
    await pause()
  }
}

/** The same of all comments of a node. */
export async function linkAllReplies(
  index: IndexDb,
  { id: nodeId, address }: { readonly id: number; readonly address: NodeAddress },
): Promise<void> {
  for (let atomId = await findNextRef(index, nodeId, ''); atomId !== undefined; ) {
    const item = await findItemByAtomId(index, nodeId, atomId)
    if (item !== undefined) await linkReplies(index, { nodeId, atomId, address: { ...address, item } })
    atomId = await findNextRef(index, nodeId, atomId)
  }
}

async function findNextRef(index: IndexDb, nodeId: number, after: string): Promise<string | undefined> {
  const query = index.selectFrom('entry').select('replyRef').where('nodeId', '=', nodeId).where('replyRef', '>', after)
  return (await query.orderBy('replyRef').limit(1).executeTakeFirst())?.replyRef ?? undefined
}
