import { sql } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { lookOf } from '#shared/look-alike.ts'
import type { IndexDb } from './database.ts'

/** Limit for one page, many times the number of names that can be on it. */
const MOST = 5_000

/** Saves the name of somebody who is known here: with a blog, a community or an account; or that of the site, for its domain. */
export async function saveKnownName(index: IndexDb, jid: BareJid, name: string): Promise<void> {
  const values = { jid, look: lookOf(name) }
  await index
    .insertInto('knownName')
    .values(values)
    .onConflict((conflict) => conflict.column('jid').doUpdateSet(values))
    .execute()
}

/** The same, where they have one. */
export async function renameKnown(index: IndexDb, jid: BareJid, name: string): Promise<void> {
  await index
    .updateTable('knownName')
    .set({ look: lookOf(name) })
    .where('jid', '=', jid)
    .execute()
}

export async function deleteKnownName(index: IndexDb, jid: BareJid): Promise<void> {
  await index.deleteFrom('knownName').where('jid', '=', jid).execute()
}

/** Those who are known here under that looks like one of these (`lookOf`). */
export async function listNamesakes(
  index: IndexDb,
  looks: readonly string[],
): Promise<{ readonly jid: BareJid; readonly look: string }[]> {
  const wanted = sql<string>`(SELECT value FROM json_each(${JSON.stringify(looks)}))`
  return index.selectFrom('knownName').select(['jid', 'look']).where('look', 'in', wanted).limit(MOST).execute()
}

/** People who have written on a comments node under a name that looks like one of these. */
export async function listThreadNamesakes(
  index: IndexDb,
  { service, node }: NodeAddress,
  looks: readonly string[],
): Promise<{ readonly jid: BareJid; readonly look: string }[]> {
  const wanted = sql<string>`(SELECT value FROM json_each(${JSON.stringify(looks)}))`
  const rows = await index
    .selectFrom('node')
    .innerJoin('entry', 'entry.nodeId', 'node.id')
    .select(({ fn }) => ['entry.look', fn.coalesce('entry.contributor', 'entry.author').as('jid')])
    .distinct()
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where('entry.look', 'in', wanted)
    .limit(MOST)
    .execute()
  return rows.flatMap(({ jid, look }) => (jid === null || look === null ? [] : [{ jid, look }]))
}
