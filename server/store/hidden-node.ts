import { sql } from 'kysely'
import type { IndexDb } from './database.ts'
import type { Loss } from './index-schema.ts'
import { isFeed, type NodeRow, readNode } from './node.ts'

/** Whether any content of the node is here to be lost. */
export async function hasContent(index: IndexDb, { id, metadataPayload }: NodeRow): Promise<boolean> {
  if (metadataPayload !== undefined) return true
  const query = index.selectFrom('entry').select('id').where('nodeId', '=', id).limit(1)
  return (await query.executeTakeFirst()) !== undefined
}

/** Keeps what is on it, shown to nobody. Everything at once: a transaction. */
export async function hideNode(index: IndexDb, { id }: NodeRow, why: { loss: Loss; at: Date }): Promise<void> {
  await index
    .updateTable('node')
    .set({ status: 'hidden', hiddenAt: why.at.getTime(), hiddenFor: why.loss })
    .where('id', '=', id)
    .execute()
  await holdReactions(index, id, sql`'closed'`)
}

/** Shows the node again, if it was hidden, to those who may read it. Everything at once: a transaction. */
export async function showNode(index: IndexDb, node: NodeRow, status: 'open' | 'restricted'): Promise<void> {
  const { id } = node
  await index.updateTable('node').set({ status, hiddenAt: null, hiddenFor: null }).where('id', '=', id).execute()
  const isShown = status === 'open' || isFeed(node)
  await holdReactions(
    index,
    id,
    isShown ? sql`(SELECT entry.hold FROM entry WHERE entry.id = reaction.source_id)` : sql`'closed'`,
  )
}

/** Reactions are read by their post, whatever node they came from. */
async function holdReactions(index: IndexDb, nodeId: number, hold: ReturnType<typeof sql>): Promise<void> {
  await index
    .updateTable('reaction')
    .set({ hold: hold as ReturnType<typeof sql<'closed'>> })
    .where('sourceId', 'in', ({ selectFrom }) => selectFrom('entry').select('entry.id').where('nodeId', '=', nodeId))
    .execute()
}

/** The number of nodes whose loss came into doubt in that time. */
export async function countDoubted(index: IndexDb, { since, until }: { since: Date; until: Date }): Promise<number> {
  const query = index.selectFrom('node').select(({ fn }) => fn.countAll<number>().as('count'))
  return (
    await query
      .where('doubtedAt', '>', since.getTime())
      .where('doubtedAt', '<=', until.getTime())
      .executeTakeFirstOrThrow()
  ).count
}

/** Nodes hidden for one of these losses, after or until a time; the longest hidden first. */
export async function listHiddenNodes(
  index: IndexDb,
  { losses, after = new Date(0), until, limit }: { losses: readonly Loss[]; after?: Date; until: Date; limit: number },
): Promise<NodeRow[]> {
  const rows = await index
    .selectFrom('node')
    .selectAll()
    .where('hiddenAt', '>', after.getTime())
    .where('hiddenAt', '<=', until.getTime())
    .where('hiddenFor', 'in', [...losses])
    .orderBy('hiddenAt')
    .limit(limit)
    .execute()
  return rows.map(readNode)
}
