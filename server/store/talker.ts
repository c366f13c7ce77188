import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { localPart } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import type { PersonName } from './post-row.ts'
import { isOnNodeFor, type ThreadReader } from './thread.ts'

/** Of a thread, the last ones who came. */
const MOST = 500

/** The people who wrote what a reader is shown on a comments node, the last first. */
export async function listTalkers(
  index: IndexDb,
  { service, node }: NodeAddress,
  reader: ThreadReader | undefined,
): Promise<PersonName[]> {
  const rows = await index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(({ fn }) => [fn.coalesce('entry.contributor', 'entry.author').as('jid'), fn.max('publishedAt').as('last')])
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where(isOnNodeFor(reader))
    .where('entry.author', 'is not', null)
    .where('entry.hold', 'is', null)
    .groupBy('jid')
    .orderBy('last', 'desc')
    .limit(MOST)
    .execute()
  return nameAll(
    index,
    rows.flatMap(({ jid }) => jid ?? []),
  )
}

/** What people call themselves, else the name of their account; in the order given. */
export async function nameAll(index: IndexDb, jids: readonly BareJid[]): Promise<PersonName[]> {
  if (jids.length === 0) return []
  const rows = await index.selectFrom('person').select(['jid', 'name']).where(isOneOf('jid', jids)).execute()
  const names = new Map(rows.map(({ jid, name }) => [jid, name]))
  return jids.map((jid) => ({ jid, name: names.get(jid) ?? localPart(jid) ?? jid }))
}
