import type { NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'

/** Nodes on which something goes on in slices, or did when the former process ended. */
export async function listEmptying(index: IndexDb): Promise<NodeAddress[]> {
  return index.selectFrom('node').select(['service', 'node']).where('emptying', 'is not', null).orderBy('id').execute()
}

/** Marks comments that no post links to, to be emptied. Returns whether these are. */
export async function markLeft(index: IndexDb, { service, node }: NodeAddress): Promise<boolean> {
  const query = index
    .updateTable('node')
    .set({ emptying: 'left' })
    .where('service', '=', service)
    .where('node', '=', node)
    .where('kind', '=', 'comments')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('entry')
            .select('entry.id')
            .where('entry.commentsService', '=', service)
            .where('entry.commentsNode', '=', node),
        ),
      ),
    )
  return (await query.executeTakeFirst()).numUpdatedRows > 0n
}
