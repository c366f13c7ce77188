import { findAccount } from '#server/store/account.ts'
import { saveParticipant } from '#server/store/participant.ts'
import { deleteRoomMember, findRoomMember, type RoomRow, saveRoomMember } from '#server/store/room.ts'
import type { Participant, XmppSession } from '#server/xmpp/ports.ts'
import type { IngestDeps } from '../ingest.ts'
import { roomTopic } from '../live.ts'

/** Who is kept of one room. */
const MOST = 5_000

/** Somebody came, or goes by another name: whoever signed in here may speak from here too. */
export async function noteParticipant(deps: IngestDeps, { channel }: RoomRow, participant: Participant): Promise<void> {
  const seenAt = deps.clock()
  const { id, jid, nick } = participant
  await saveParticipant(deps.index, { channel, ...participant, isPresent: true, seenAt })
  if (jid === undefined || (jid !== deps.siteJid && (await findAccount(deps.state, jid)) === undefined)) return
  await saveRoomMember(deps.state, { channel, jid, participant: id, ...(nick && { nick }), since: seenAt })
}

/** Somebody left. Who they were stays known, for what they said. */
export async function noteLeft(deps: IngestDeps, { channel }: RoomRow, id: string): Promise<void> {
  const query = deps.index.selectFrom('participant').select('jid').where('channel', '=', channel).where('id', '=', id)
  const jid = (await query.executeTakeFirst())?.jid
  await markAbsent(deps, channel, [id])
  if (jid && (await findRoomMember(deps.state, channel, jid))?.participant === id) {
    await deleteRoomMember(deps.state, channel, jid)
  }
}

/** Reads who is in a room. */
export async function readParticipants(deps: IngestDeps, room: RoomRow, { mix }: XmppSession): Promise<void> {
  const { channel } = room
  const people = (await mix.listParticipants(channel)).slice(0, MOST)
  const there = new Set(people.map(({ id }) => id))
  const query = deps.index.selectFrom('participant').select('id').where('channel', '=', channel)
  const known = await query.where('isPresent', '=', 1).execute()
  for (const person of people) await noteParticipant(deps, room, person)
  for (const { id } of known) if (!there.has(id)) await noteLeft(deps, room, id)
  deps.live.publish(roomTopic(channel), { kind: 'participants-changed' })
}

async function markAbsent({ index }: IngestDeps, channel: RoomRow['channel'], ids: readonly string[]): Promise<void> {
  const query = index.updateTable('participant').set({ isPresent: 0 }).where('channel', '=', channel)
  await query.where('id', 'in', [...ids]).execute()
}
