import { sql } from 'kysely'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'

/** That somebody has opened a post; the first time counts. */
export async function addReadMark(
  state: StateDb,
  reader: BareJid,
  { address, at }: { address: ItemAddress; at: Date },
): Promise<void> {
  const { service, node, item } = address
  await state
    .insertInto('readMark')
    .values({ reader, service, node, item, at: at.toISOString() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Which of these posts somebody has opened, by `addressKey`. */
export async function listReadMarks(
  state: StateDb,
  reader: BareJid,
  addresses: readonly ItemAddress[],
): Promise<Set<string>> {
  const wanted = JSON.stringify(addresses.map(({ service, node, item }) => [service, node, item]))
  const rows = await state
    .selectFrom('readMark')
    .select(['service', 'node', 'item'])
    .where('reader', '=', reader)
    .where(
      sql<boolean>`(service, node, item) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(${wanted}))`,
    )
    .execute()
  return new Set(rows.map(addressKey))
}

/** Forgets what was opened until then: it counts as read without a mark. */
export async function deleteReadMarks(state: StateDb, reader: BareJid, until: Date): Promise<void> {
  await state.deleteFrom('readMark').where('reader', '=', reader).where('at', '<=', until.toISOString()).execute()
}
