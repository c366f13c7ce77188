import { sql } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

/** A node for many that was made here. */
export interface Community {
  readonly address: NodeAddress
  readonly owner: BareJid
  readonly since: Date
}

export async function saveCommunity(state: StateDb, { address, owner, since }: Community): Promise<void> {
  const { service, node } = address
  await state
    .insertInto('community')
    .values({ service, node, owner, since: since.toISOString() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function findCommunity(state: StateDb, { service, node }: NodeAddress): Promise<Community | undefined> {
  const query = state.selectFrom('community').selectAll().where('service', '=', service).where('node', '=', node)
  const row = await query.executeTakeFirst()
  return row && { address: { service, node }, owner: row.owner, since: new Date(row.since) }
}

/** All that were made here, the newest first. */
export async function listCommunities(state: StateDb): Promise<Community[]> {
  const rows = await state.selectFrom('community').selectAll().orderBy('since', 'desc').limit(1_000).execute()
  return rows.map(({ service, node, owner, since }) => ({ address: { service, node }, owner, since: new Date(since) }))
}

/** Remembers who was shut out of a node, and by whom. */
export async function saveBlock(
  state: StateDb,
  { address, jid, by, since }: { address: NodeAddress; jid: BareJid; by: BareJid; since: Date },
): Promise<void> {
  const { service, node } = address
  await state
    .insertInto('block')
    .values({ service, node, jid, by, since: since.toISOString() })
    .onConflict((conflict) => conflict.columns(['service', 'node', 'jid']).doUpdateSet({ by }))
    .execute()
}

export async function deleteBlock(state: StateDb, { service, node }: NodeAddress, jid: BareJid): Promise<void> {
  const query = state.deleteFrom('block').where('service', '=', service).where('node', '=', node)
  await query.where('jid', '=', jid).execute()
}

/** Who shut somebody out of a node, themselves or everybody of their server. */
export async function findBlock(
  state: StateDb,
  { service, node }: NodeAddress,
  jid: BareJid,
): Promise<BareJid | undefined> {
  const query = state.selectFrom('block').select('by').where('service', '=', service).where('node', '=', node)
  return (await query.where('jid', 'in', [jid, domainOf(jid)]).executeTakeFirst())?.by
}

/** Everybody who is shut out of these nodes, the newest first. */
export async function listBlocks(
  state: StateDb,
  nodes: readonly NodeAddress[],
): Promise<{ address: NodeAddress; jid: BareJid; since: Date }[]> {
  const wanted = JSON.stringify(nodes.map(({ service, node }) => [service, node]))
  const rows = await state
    .selectFrom('block')
    .selectAll()
    .where(sql<boolean>`(service, node) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${wanted}))`)
    .orderBy('since', 'desc')
    .limit(1_000)
    .execute()
  return rows.map(({ service, node, jid, since }) => ({ address: { service, node }, jid, since: new Date(since) }))
}

/** The communities that somebody made here. */
export async function listCommunitiesOf(state: StateDb, owner: BareJid): Promise<NodeAddress[]> {
  return state.selectFrom('community').select(['service', 'node']).where('owner', '=', owner).orderBy('since').execute()
}
