import { type BareJid, localPart } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { renameKnown, saveKnownName } from './known-name.ts'

/** What somebody calls themselves, as said at `namedAt`; what they said later stays. */
export async function savePerson(
  index: IndexDb,
  { jid, name, namedAt }: { jid: BareJid; name: string; namedAt: Date },
): Promise<void> {
  const values = { jid, name, namedAt: namedAt.getTime() }
  const { numInsertedOrUpdatedRows } = await index
    .insertInto('person')
    .values(values)
    .onConflict((conflict) => conflict.column('jid').doUpdateSet(values).where('person.namedAt', '<=', values.namedAt))
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows !== 0n) await renameKnown(index, jid, name)
}

/** Makes the name of somebody one of those that are known here; `name` is for those of whom the index knows none. */
export async function addKnownPerson(index: IndexDb, jid: BareJid, name?: string): Promise<void> {
  await saveKnownName(index, jid, (await findPersonName(index, jid)) ?? name ?? localPart(jid) ?? jid)
}

/** Forgets a name that is none any more. */
export async function deletePerson(index: IndexDb, jid: BareJid, name: string): Promise<void> {
  await index.deleteFrom('person').where('jid', '=', jid).where('name', '=', name).execute()
}

export async function findPersonName(index: IndexDb, jid: BareJid): Promise<string | undefined> {
  const row = await index.selectFrom('person').select('name').where('jid', '=', jid).executeTakeFirst()
  return row?.name
}
