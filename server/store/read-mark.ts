import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { isAmong } from './json-list.ts'

// SQLite takes 32,766 values in one statement.
const AT_ONCE = 5_000

/** That somebody has opened posts, or counts them as read; the first time counts. */
export async function addReadMarks(
  state: StateDb,
  reader: BareJid,
  { addresses, at }: { addresses: readonly ItemAddress[]; at: Date },
): Promise<void> {
  const rows = addresses.map(({ service, node, item }) => ({ reader, service, node, item, at: at.toISOString() }))
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    await state
      .insertInto('readMark')
      .values(rows.slice(from, from + AT_ONCE))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

/** Which of these posts somebody has opened, by `addressKey`. */
export async function listReadMarks(
  state: StateDb,
  reader: BareJid,
  addresses: readonly ItemAddress[],
): Promise<Set<string>> {
  const rows = await state
    .selectFrom('readMark')
    .select(['service', 'node', 'item'])
    .where('reader', '=', reader)
    .where(isAmong(['service', 'node', 'item'], addresses))
    .execute()
  return new Set(rows.map(addressKey))
}

/** Forgets what was opened until then: it counts as read without a mark. */
export async function deleteReadMarks(state: StateDb, reader: BareJid, until: Date): Promise<void> {
  await state.deleteFrom('readMark').where('reader', '=', reader).where('at', '<=', until.toISOString()).execute()
}
