import type { Selectable } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { RoomMemberTable, RoomTable } from './state-schema.ts'

/** The MIX channel beside a blog. */
export interface RoomRow {
  readonly blog: NodeAddress
  readonly channel: BareJid
  readonly owner: BareJid
  readonly since: Date
  readonly status: RoomTable['status']
}

/** Who has joined a room from here. */
export interface RoomMemberRow {
  readonly channel: BareJid
  readonly jid: BareJid
  readonly participant: string
  readonly nick?: string
}

export async function findRoomOfBlog(state: StateDb, { service, node }: NodeAddress): Promise<RoomRow | undefined> {
  const query = state.selectFrom('room').selectAll().where('service', '=', service).where('node', '=', node)
  const row = await query.executeTakeFirst()
  return row && readRoom(row)
}

export async function findRoom(state: StateDb, channel: BareJid): Promise<RoomRow | undefined> {
  const row = await state.selectFrom('room').selectAll().where('channel', '=', channel).executeTakeFirst()
  return row && readRoom(row)
}

export async function listRooms(state: StateDb): Promise<RoomRow[]> {
  return (await state.selectFrom('room').selectAll().orderBy('since').execute()).map(readRoom)
}

/** A blog has one. */
export async function saveRoom(state: StateDb, { blog, channel, owner, since, status }: RoomRow): Promise<void> {
  const values = { channel, owner, since: since.toISOString(), status }
  await state
    .insertInto('room')
    .values({ service: blog.service, node: blog.node, ...values })
    .onConflict((conflict) => conflict.columns(['service', 'node']).doUpdateSet(values))
    .execute()
}

export async function saveRoomStatus(state: StateDb, channel: BareJid, status: RoomRow['status']): Promise<void> {
  await state.updateTable('room').set({ status }).where('channel', '=', channel).execute()
}

/** With who has joined it from here. */
export async function deleteRoom(state: StateDb, channel: BareJid): Promise<void> {
  await state.deleteFrom('roomMember').where('channel', '=', channel).execute()
  await state.deleteFrom('room').where('channel', '=', channel).execute()
}

export async function findRoomMember(
  state: StateDb,
  channel: BareJid,
  jid: BareJid,
): Promise<RoomMemberRow | undefined> {
  const query = state.selectFrom('roomMember').selectAll().where('channel', '=', channel).where('jid', '=', jid)
  const row = await query.executeTakeFirst()
  return row && readMember(row)
}

export async function saveRoomMember(
  state: StateDb,
  { channel, jid, participant, nick, since }: RoomMemberRow & { readonly since: Date },
): Promise<void> {
  const values = { participant, nick: nick ?? null }
  await state
    .insertInto('roomMember')
    .values({ channel, jid, ...values, since: since.toISOString() })
    .onConflict((conflict) => conflict.columns(['channel', 'jid']).doUpdateSet(values))
    .execute()
}

export async function deleteRoomMember(state: StateDb, channel: BareJid, jid: BareJid): Promise<void> {
  await state.deleteFrom('roomMember').where('channel', '=', channel).where('jid', '=', jid).execute()
}

function readRoom({ service, node, since, ...row }: Selectable<RoomTable>): RoomRow {
  return { ...row, blog: { service, node }, since: new Date(since) }
}

function readMember({ channel, jid, participant, nick }: Selectable<RoomMemberTable>): RoomMemberRow {
  return { channel, jid, participant, ...(nick === null ? {} : { nick }) }
}
