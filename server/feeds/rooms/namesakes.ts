import { listParticipants, listParticipantsOf } from '#server/store/participant.ts'
import { findRoomMember, type RoomRow } from '#server/store/room.ts'
import type { BareJid } from '#shared/jid.ts'
import { lookOf } from '#shared/look-alike.ts'
import type { QueueDeps } from '../outbox-deps.ts'

/** Who is looked at of one room. */
const MOST = 5_000
/** So that the number behind it has its place. */
const LONGEST = 90

/** A name like this one that nobody has, where the room's owner or somebody who is there has this one. */
export async function findFreeNickname(
  { index, state }: Pick<QueueDeps, 'index' | 'state'>,
  { channel, owner }: RoomRow,
  { jid, nick }: { readonly jid: BareJid; readonly nick: string },
): Promise<string | undefined> {
  // Their own is theirs, whoever took it while they were away.
  if (jid === owner) return undefined
  const present = await listParticipants(index, channel, { limit: MOST })
  const people = [...present, ...(await listParticipantsOf(index, channel, [owner]))].filter((each) => each.jid !== jid)
  const names = [...people, await findRoomMember(state, channel, owner)].flatMap((each) => each?.nick ?? [])
  const taken = new Set(names.map(lookOf))
  if (!taken.has(lookOf(nick))) return undefined
  const beginning = [...nick].slice(0, LONGEST).join('')
  for (let n = 2; ; n++) if (!taken.has(lookOf(`${beginning} ${n}`))) return `${beginning} ${n}`
}
