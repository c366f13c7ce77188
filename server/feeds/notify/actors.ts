import type { IndexDb } from '#server/store/database.ts'
import type { NotificationRow } from '#server/store/notification.ts'
import { listParticipantsOf } from '#server/store/participant.ts'
import { findPersonName } from '#server/store/person.ts'
import type { BareJid } from '#shared/jid.ts'
import { sayAddress } from '#shared/look-alike.ts'
import { readNames, withAddress } from '../names.ts'
import { markOf } from '../participant-mark.ts'
import { isOfRoom, nameOf } from './group.ts'

type Row = Pick<NotificationRow, 'id' | 'kind' | 'service' | 'node' | 'actor' | 'actorName'>

/** The same notifications, with the address behind each name that does not tell who is meant. */
export async function nameActors<Given extends Row>(
  index: IndexDb,
  rows: readonly Given[],
  reader: BareJid,
): Promise<Given[]> {
  const own = await findPersonName(index, reader)
  const shown = rows.flatMap((row) => namedBy(row) ?? [])
  const names = await readNames(index, own === undefined ? shown : [...shown, { who: reader, name: own }])
  return Promise.all(
    rows.map(async (row) => {
      const named = namedBy(row)
      if (named === undefined || !names.isAmbiguous(named)) return row
      return { ...row, actorName: withAddress(named.name, await findBeside(index, row)) }
    }),
  )
}

function namedBy({ id, actor, actorName }: Row): { readonly who: string; readonly name: string } | undefined {
  const name = nameOf(actor, actorName)
  return name === undefined ? undefined : { who: actor || `?${id}`, name }
}

/** In a room everybody has a name only, and the mark that its page gives them. */
async function findBeside(index: IndexDb, row: Row): Promise<string | undefined> {
  if (!isOfRoom(row)) return row.actor === '' ? undefined : sayAddress(row.actor)
  const [participant] = row.actor === '' ? [] : await listParticipantsOf(index, row.service, [row.actor])
  return markOf(participant?.id)
}
