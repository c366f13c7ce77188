import type { Selectable } from 'kysely'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { SiteBlockTable } from './state-schema.ts'

/** What the whole site does not show. */
export interface SiteBlock {
  /** A bare JID, a domain, or the `xmpp:` address of a node. */
  readonly address: string
  readonly kind: SiteBlockTable['kind']
  readonly by: BareJid
  readonly since: Date
  readonly reason?: string
}

/** Again does no harm: the first one stays. */
export async function addSiteBlock(state: StateDb, block: SiteBlock): Promise<void> {
  const { address, kind, by, since, reason = null } = block
  await state
    .insertInto('siteBlock')
    .values({ address, kind, by, since: since.toISOString(), reason })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function deleteSiteBlock(state: StateDb, address: string): Promise<void> {
  await state.deleteFrom('siteBlock').where('address', '=', address).execute()
}

/** The newest first. */
export async function listSiteBlocks(state: StateDb): Promise<SiteBlock[]> {
  const rows = await state.selectFrom('siteBlock').selectAll().orderBy('since', 'desc').limit(1_000).execute()
  return rows.map(readBlock)
}

/** The block that somebody is under, by themselves or by their server or one above it. */
export async function findBlockOfJid(state: StateDb, ...jids: readonly BareJid[]): Promise<SiteBlock | undefined> {
  return findAny(state, jids.flatMap(keysOf))
}

/** The block that a node is under: itself, its account or its server. */
export async function findBlockOfNode(
  state: StateDb,
  { service, node }: NodeAddress,
  ...jids: readonly BareJid[]
): Promise<SiteBlock | undefined> {
  return findAny(state, [addressKey({ service, node }), ...keysOf(service), ...jids.flatMap(keysOf)])
}

async function findAny(state: StateDb, keys: readonly string[]): Promise<SiteBlock | undefined> {
  if (keys.length === 0) return undefined
  const row = await state
    .selectFrom('siteBlock')
    .selectAll()
    .where('address', 'in', [...new Set(keys)])
    .executeTakeFirst()
  return row && readBlock(row)
}

/** The addresses of which a block is also one of this account or service. */
function keysOf(jid: BareJid): string[] {
  const labels = domainOf(jid).split('.')
  const domains = labels.map((_, n) => labels.slice(n).join('.'))
  return localPart(jid) === undefined ? domains : [jid, ...domains]
}

function readBlock(row: Selectable<SiteBlockTable>): SiteBlock {
  const { address, kind, by, reason } = row
  return { address, kind, by, since: new Date(row.since), reason: reason ?? undefined }
}
