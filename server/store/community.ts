import { sql } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { isAmong } from './json-list.ts'

/** A node for many that was made here, by somebody whom the site saw to own it. */
export interface Community {
  readonly address: NodeAddress
  readonly owner: BareJid
  readonly since: Date
}

export async function saveCommunity(state: StateDb, { address, owner, since }: Community): Promise<void> {
  const { service, node } = address
  await state
    .insertInto('community')
    .values({ service, node, owner, since: since.toISOString(), isSeen: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['service', 'node'])
        .doUpdateSet({ owner, since: since.toISOString(), isSeen: 1 })
        .where('community.isSeen', '=', 0),
    )
    .execute()
}

export async function findCommunity(state: StateDb, { service, node }: NodeAddress): Promise<Community | undefined> {
  const query = state.selectFrom('community').selectAll().where('service', '=', service).where('node', '=', node)
  const row = await query.where('isSeen', '=', 1).executeTakeFirst()
  return row && { address: { service, node }, owner: row.owner, since: new Date(row.since) }
}

/** All that were made here, the newest first. */
export async function listCommunities(state: StateDb): Promise<Community[]> {
  const query = state.selectFrom('community').selectAll().where('isSeen', '=', 1)
  const rows = await query.orderBy('since', 'desc').limit(1_000).execute()
  return rows.map(({ service, node, owner, since }) => ({ address: { service, node }, owner, since: new Date(since) }))
}

/** Somebody who is remembered to own a node, from before that had to be seen. */
export interface UnseenClaim {
  readonly address: NodeAddress
  readonly owner: BareJid
  /** The account that they shut out of it; absent where the claim is to have made it. */
  readonly blocked?: BareJid
}

export async function listUnseenClaims(state: StateDb): Promise<UnseenClaim[]> {
  const communities = await state.selectFrom('community').selectAll().where('isSeen', '=', 0).execute()
  // With a literal, as in the condition of its index.
  const blocks = await state.selectFrom('block').selectAll().where(sql<boolean>`is_seen = 0`).execute()
  return [
    ...communities.map(({ service, node, owner }) => ({ address: { service, node }, owner })),
    ...blocks.map(({ service, node, by, jid }) => ({ address: { service, node }, owner: by, blocked: jid })),
  ]
}

/** The site has seen that it is so. */
export async function saveSeen(state: StateDb, { address, owner, blocked }: UnseenClaim): Promise<void> {
  const { service, node } = address
  if (blocked === undefined) {
    const query = state.updateTable('community').set({ isSeen: 1 }).where('service', '=', service)
    await query.where('node', '=', node).where('owner', '=', owner).execute()
  } else {
    const query = state.updateTable('block').set({ isSeen: 1 }).where('service', '=', service)
    await query.where('node', '=', node).where('jid', '=', blocked).where('by', '=', owner).execute()
  }
}

/** Remembers who was shut out of a node, and by whom. */
export async function saveBlock(
  state: StateDb,
  { address, jid, by, since }: { address: NodeAddress; jid: BareJid; by: BareJid; since: Date },
): Promise<void> {
  const { service, node } = address
  await state
    .insertInto('block')
    .values({ service, node, jid, by, since: since.toISOString(), isSeen: 1 })
    .onConflict((conflict) => conflict.columns(['service', 'node', 'jid']).doUpdateSet({ by, isSeen: 1 }))
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
  return (
    await query
      .where('jid', 'in', [jid, domainOf(jid)])
      .where('isSeen', '=', 1)
      .executeTakeFirst()
  )?.by
}

/** Everybody who is shut out of these nodes, the newest first. */
export async function listBlocks(
  state: StateDb,
  nodes: readonly NodeAddress[],
): Promise<{ address: NodeAddress; jid: BareJid; since: Date }[]> {
  const rows = await state
    .selectFrom('block')
    .selectAll()
    .where('isSeen', '=', 1)
    .where(isAmong(['service', 'node'], nodes))
    .orderBy('since', 'desc')
    .limit(1_000)
    .execute()
  return rows.map(({ service, node, jid, since }) => ({ address: { service, node }, jid, since: new Date(since) }))
}

/** The communities that somebody made here. */
export async function listCommunitiesOf(state: StateDb, owner: BareJid): Promise<NodeAddress[]> {
  const query = state.selectFrom('community').select(['service', 'node']).where('owner', '=', owner)
  return query.where('isSeen', '=', 1).orderBy('since').execute()
}
