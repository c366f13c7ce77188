import { sql } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { FEED_KINDS } from './index-schema.ts'
import { isAmong } from './json-list.ts'

// Written out, as the partial index has it.
const IS_RESTRICTED = sql<boolean>`node.status = 'restricted'`

/** Every feed that not everybody may read. */
export async function listRestrictedFeeds(index: IndexDb): Promise<NodeAddress[]> {
  const query = index.selectFrom('node').select(['service', 'node']).where(IS_RESTRICTED)
  return query.where('kind', 'in', FEED_KINDS).execute()
}

/** Those of these nodes that not everybody may read. */
export async function listRestrictedAmong(index: IndexDb, addresses: readonly NodeAddress[]): Promise<NodeAddress[]> {
  const nodes = addresses.map(({ service, node }) => ({ service, node }))
  const query = index
    .selectFrom('node')
    .select(['service', 'node'])
    .where(isAmong(['node.service', 'node.node'], nodes))
  return query.where('status', '=', 'restricted').execute()
}

/** Restricted nodes on one account that are no feeds: comments, attachments. */
export async function listRestrictedThreads(index: IndexDb, service: BareJid, limit: number): Promise<NodeAddress[]> {
  const query = index.selectFrom('node').select(['service', 'node']).where(IS_RESTRICTED)
  return query.where('service', '=', service).where('kind', 'not in', FEED_KINDS).limit(limit).execute()
}
