import { sql, type Updateable } from 'kysely'
import type { IndexDb } from './database.ts'
import { finishNode } from './finish-node.ts'
import { type Emptying, type Loss, type NodeTable, THREAD_KINDS } from './index-schema.ts'
import { type NodeRow, readNode } from './node.ts'

/** Whether any content of the node is here to be lost. */
export async function hasContent(index: IndexDb, { id, metadataPayload }: NodeRow): Promise<boolean> {
  if (metadataPayload !== undefined) return true
  const query = index.selectFrom('entry').select('id').where('nodeId', '=', id).limit(1)
  return (await query.executeTakeFirst()) !== undefined
}

/** Keeps what is on it, shown to nobody from now on. */
export async function hideNode(index: IndexDb, node: NodeRow, why: { loss: Loss; at: Date }): Promise<void> {
  await changeStatus(index, node, { status: 'hidden', hiddenAt: why.at.getTime(), hiddenFor: why.loss })
}

/** Shows the node again, if it was hidden, to those who may read it. */
export async function showNode(index: IndexDb, node: NodeRow, status: 'open' | 'restricted'): Promise<void> {
  await changeStatus(index, node, { status, hiddenAt: null, hiddenFor: null })
}

/** At once, but for the reactions that are shown from now on: these come in slices, after a crash too. */
async function changeStatus(index: IndexDb, node: NodeRow, changes: Updateable<NodeTable>): Promise<void> {
  const query = index.updateTable('node').where('id', '=', node.id)
  // Nothing that is on a feed or in a room is a reaction.
  if (!THREAD_KINDS.some((kind) => kind === node.kind)) {
    await query.set(changes).execute()
    return
  }
  await query.set({ ...changes, emptying: sql<Emptying>`coalesce(emptying, 'holds')` }).execute()
  await finishNode(index, node)
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

/** Nodes hidden or doubted for one of these losses, after or until a time; the longest so first. */
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
