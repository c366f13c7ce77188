import { createSlices } from '#server/slices.ts'
import { listKnownAccounts } from '#server/store/account.ts'
import { dropOldParticipants, saveParticipant } from '#server/store/participant.ts'
import { deleteRoomMember, findRoomMember, type RoomRow, saveRoomMember } from '#server/store/room.ts'
import type { Participant, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IngestDeps } from '../ingest.ts'
import { roomTopic } from '../live.ts'

/** Who is kept of one room. */
const MOST = 5_000
/** Of those who were there once: who comes and goes under a thousand names fills nothing. */
const MOST_GONE = 5_000

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
  const known = await listPresent(deps, channel)
  await noteThere(deps, room, { people, known })
  const pause = createSlices()
  for (const [id] of known) {
    if (!there.has(id)) await noteLeft(deps, room, id)
    await pause()
  }
  await dropOldParticipants(deps.index, channel, MOST_GONE)
  deps.live.publish(roomTopic(channel), { kind: 'participants-changed' })
}

interface Present {
  readonly jid: BareJid | null
  readonly nick: string | null
}

async function listPresent({ index }: IngestDeps, channel: BareJid): Promise<Map<string, Present>> {
  const query = index.selectFrom('participant').select(['id', 'jid', 'nick']).where('channel', '=', channel)
  const rows = await query.where('isPresent', '=', 1).execute()
  return new Map(rows.map(({ id, ...present }) => [id, present]))
}

/** Whoever came, or goes by another name; whoever signed in here may speak from here too. */
async function noteThere(
  deps: IngestDeps,
  { channel }: RoomRow,
  { people, known }: { people: readonly Participant[]; known: ReadonlyMap<string, Present> },
): Promise<void> {
  const seenAt = deps.clock()
  const accounts = await listKnownAccounts(
    deps.state,
    people.flatMap(({ jid }) => jid ?? []),
  )
  const pause = createSlices()
  for (const participant of people) {
    await pause()
    const { id, jid, nick } = participant
    const before = known.get(id)
    if (before === undefined || before.jid !== (jid ?? null) || before.nick !== (nick ?? null)) {
      await saveParticipant(deps.index, { channel, ...participant, isPresent: true, seenAt })
    }
    if (jid === undefined || (jid !== deps.siteJid && !accounts.has(jid))) continue
    await saveRoomMember(deps.state, { channel, jid, participant: id, ...(nick && { nick }), since: seenAt })
  }
}

async function markAbsent({ index }: IngestDeps, channel: RoomRow['channel'], ids: readonly string[]): Promise<void> {
  const query = index.updateTable('participant').set({ isPresent: 0 }).where('channel', '=', channel)
  await query.where('id', 'in', [...ids]).execute()
}
