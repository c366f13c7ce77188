import type { Selectable } from 'kysely'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import type { ParticipantTable } from './index-schema.ts'
import { isOneOf } from './json-list.ts'

/** Who is, or was, in a room, by the id that its messages come from. */
export interface ParticipantRow {
  readonly channel: BareJid
  readonly id: string
  /** Absent where the channel hides it. */
  readonly jid?: BareJid
  readonly nick?: string
  readonly isPresent: boolean
}

export async function findParticipant(
  index: IndexDb,
  channel: BareJid,
  id: string,
): Promise<ParticipantRow | undefined> {
  const query = index.selectFrom('participant').selectAll().where('channel', '=', channel).where('id', '=', id)
  const row = await query.executeTakeFirst()
  return row && readParticipant(row)
}

/** Who is in it, without an account that only listens; by their names. */
export async function listParticipants(
  index: IndexDb,
  channel: BareJid,
  { except, limit = 1_000 }: { readonly except?: BareJid; readonly limit?: number } = {},
): Promise<ParticipantRow[]> {
  const rows = await selectPresent(index, channel, except)
    .selectAll()
    .orderBy('nick')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(readParticipant)
}

/** What is known of some people, also of those who left. */
export async function listParticipantsOf(
  index: IndexDb,
  channel: BareJid,
  jids: readonly BareJid[],
): Promise<ParticipantRow[]> {
  const query = index.selectFrom('participant').selectAll().where('channel', '=', channel)
  return (await query.where(isOneOf('jid', jids)).execute()).map(readParticipant)
}

export async function countParticipants(index: IndexDb, channel: BareJid, except?: BareJid): Promise<number> {
  const query = selectPresent(index, channel, except).select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.executeTakeFirstOrThrow()).count
}

function selectPresent(index: IndexDb, channel: BareJid, except: BareJid | undefined) {
  const query = index.selectFrom('participant').where('channel', '=', channel).where('isPresent', '=', 1)
  if (except === undefined) return query
  return query.where(({ eb, or }) => or([eb('jid', 'is', null), eb('jid', '!=', except)]))
}

export async function saveParticipant(
  index: IndexDb,
  { channel, id, jid, nick, isPresent, seenAt }: ParticipantRow & { readonly seenAt: Date },
): Promise<void> {
  const values = {
    jid: jid ?? null,
    nick: nick ?? null,
    isPresent: Number(isPresent),
    seenAt: seenAt.getTime(),
  }
  await index
    .insertInto('participant')
    .values({ channel, id, ...values })
    .onConflict((conflict) => conflict.columns(['channel', 'id']).doUpdateSet(values))
    .execute()
}

/** Forgets those who left longest ago, but for so many. */
export async function dropOldParticipants(index: IndexDb, channel: BareJid, kept: number): Promise<void> {
  const gone = index.selectFrom('participant').select('id').where('channel', '=', channel).where('isPresent', '=', 0)
  await index
    .deleteFrom('participant')
    .where('channel', '=', channel)
    .where('id', 'in', gone.orderBy('seenAt', 'desc').limit(-1).offset(kept))
    .execute()
}

function readParticipant({ channel, id, jid, nick, isPresent }: Selectable<ParticipantTable>): ParticipantRow {
  return {
    ...{ channel, id, isPresent: isPresent === 1 },
    ...(jid === null ? {} : { jid }),
    ...(nick === null ? {} : { nick }),
  }
}
