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
  /** When the site last saw that; absent where that was before it was noted. */
  readonly seenAt?: Date
}

/** In place of whoever was seen to own the node before. */
export async function saveCommunity(state: StateDb, { address, owner, since }: Community): Promise<void> {
  const { service, node } = address
  const seen = { owner, since: since.toISOString(), isSeen: 1, seenAt: since.toISOString() }
  await state
    .insertInto('community')
    .values({ service, node, ...seen })
    .onConflict((conflict) => conflict.columns(['service', 'node']).doUpdateSet(seen))
    .execute()
}

/**
 * The node names these owners now: who is remembered as its owner stays so only as one of them, and the blocks of others
 * count no more unless they are seen to own it again.
 */
export async function noteOwners(
  state: StateDb,
  address: NodeAddress,
  { owners, now }: { owners: readonly BareJid[]; now: Date },
): Promise<void> {
  const [first] = owners
  if (first === undefined) return
  const blocks = state.updateTable('block').set({ isSeen: 0 }).where('service', '=', address.service)
  await blocks.where('node', '=', address.node).where('isSeen', '=', 1).where('by', 'not in', owners).execute()
  const community = await findCommunity(state, address)
  if (community === undefined) return
  const owner = owners.includes(community.owner) ? community.owner : first
  const query = state.updateTable('community').set({ owner, seenAt: now.toISOString() })
  await query.where('service', '=', address.service).where('node', '=', address.node).execute()
}

/** The site has seen again that who is remembered as a node's owner owns it. */
export async function saveOwnerSeen(
  state: StateDb,
  { service, node }: NodeAddress,
  { owner, now }: { owner: BareJid; now: Date },
): Promise<void> {
  const query = state.updateTable('community').set({ seenAt: now.toISOString() }).where('service', '=', service)
  await query.where('node', '=', node).where('owner', '=', owner).where('isSeen', '=', 1).execute()
}

/** The node is gone, with who owned it and whom they shut out: one of its name is another's. */
export async function forgetCommunity(state: StateDb, { service, node }: NodeAddress): Promise<void> {
  await state.deleteFrom('community').where('service', '=', service).where('node', '=', node).execute()
  await state.deleteFrom('block').where('service', '=', service).where('node', '=', node).execute()
}

export async function findCommunity(state: StateDb, { service, node }: NodeAddress): Promise<Community | undefined> {
  const query = state.selectFrom('community').selectAll().where('service', '=', service).where('node', '=', node)
  const row = await query.where('isSeen', '=', 1).executeTakeFirst()
  if (row === undefined) return undefined
  const seenAt = row.seenAt === null ? undefined : new Date(row.seenAt)
  return { address: { service, node }, owner: row.owner, since: new Date(row.since), seenAt }
}

/** Whoever is remembered to have made a node here, seen to own it or not. */
export async function findClaimant(state: StateDb, { service, node }: NodeAddress): Promise<BareJid | undefined> {
  const query = state.selectFrom('community').select('owner').where('service', '=', service).where('node', '=', node)
  return (await query.executeTakeFirst())?.owner
}

/** All that were made here, the newest first. */
export async function listCommunities(state: StateDb): Promise<Community[]> {
  const query = state.selectFrom('community').selectAll().where('isSeen', '=', 1)
  const rows = await query.orderBy('since', 'desc').limit(1_000).execute()
  return rows.map(({ service, node, owner, since }) => ({ address: { service, node }, owner, since: new Date(since) }))
}

/** Somebody who is remembered to own a node, which the site did not see, or sees no more. */
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

/** The site has seen that others own the node. */
export async function forgetClaim(state: StateDb, { address, owner, blocked }: UnseenClaim): Promise<void> {
  const { service, node } = address
  if (blocked === undefined) {
    const query = state.deleteFrom('community').where('service', '=', service).where('node', '=', node)
    await query.where('owner', '=', owner).where('isSeen', '=', 0).execute()
  } else {
    const query = state.deleteFrom('block').where('service', '=', service).where('node', '=', node)
    await query.where('jid', '=', blocked).where('by', '=', owner).where('isSeen', '=', 0).execute()
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
