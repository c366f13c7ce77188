import type { NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'

/** Nodes that are being emptied, or were when the former process ended. */
export async function listEmptying(index: IndexDb): Promise<NodeAddress[]> {
  return index.selectFrom('node').select(['service', 'node']).where('emptying', 'is not', null).orderBy('id').execute()
}

/** A post no longer links to these comments; other nodes stay as they are. */
export async function markLeft(index: IndexDb, { service, node }: NodeAddress): Promise<void> {
  const query = index.updateTable('node').set({ emptying: 'left' }).where('service', '=', service)
  await query.where('node', '=', node).where('kind', '=', 'comments').execute()
}
