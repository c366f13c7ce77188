import { createHash } from 'node:crypto'
import { listParticipants, listParticipantsOf, type ParticipantRow } from '#server/store/participant.ts'
import type { RoomRow } from '#server/store/room.ts'
import type { TalkRow } from '#server/store/room-talk.ts'
import { lookOf } from '#shared/look-alike.ts'
import type { AppContext } from '../context.ts'

/** Who is looked at of one room. */
const MOST = 1_000

type Named = Pick<TalkRow, 'author' | 'nick'>

export interface RoomNames {
  /** Who is there, without the site's account: it only listens. */
  readonly present: readonly ParticipantRow[]
  /** A name as it is shown: with a mark behind it where others have it too, but never behind that of the owner. */
  sayName(named: Named): string | undefined
  sayParticipant(participant: ParticipantRow): string | undefined
}

/** The names of who is in a room and of who speaks on a page of it: in other clients anybody takes any name. */
export async function readRoomNames(
  { index, proofs: { siteJid } }: AppContext,
  { channel, owner }: RoomRow,
  rows: readonly Named[],
): Promise<RoomNames> {
  const present = await listParticipants(index, channel, { except: siteJid, limit: MOST })
  const speakers = new Set([owner, siteJid, ...rows.flatMap(({ author }) => author ?? [])])
  const known = await listParticipantsOf(
    index,
    channel,
    [...speakers].flatMap((jid) => jid ?? []),
  )
  const special = known.filter(({ jid }) => jid === owner || jid === siteJid)
  const named = [...present, ...special].map(({ jid, id, nick }) => ({ who: jid ?? id, nick }))
  const shared = findShared([...named, ...rows.map(({ author, nick }) => ({ who: author ?? '', nick }))])
  const ids = new Map(known.map(({ jid, id }) => [jid, id]))
  const say = (nick: string | undefined, { jid, id }: { jid?: string; id?: string }) =>
    nick === undefined || jid === owner || jid === siteJid || !shared.has(lookOf(nick))
      ? nick
      : `${nick} (${markOf(id)})`
  return {
    present,
    sayName: ({ author, nick }) => say(nick, author === undefined ? {} : { jid: author, id: ids.get(author) }),
    sayParticipant: ({ jid, id, nick }) => say(nick, { id, ...(jid === undefined ? {} : { jid }) }),
  }
}

/** The names that more than one has. */
function findShared(people: readonly { who: string; nick?: string | undefined }[]): Set<string> {
  const first = new Map<string, string>()
  const shared = new Set<string>()
  for (const { who, nick } of people) {
    if (nick === undefined) continue
    const key = lookOf(nick)
    if ((first.get(key) ?? who) !== who) shared.add(key)
    first.set(key, who)
  }
  return shared
}

/** Short, and the same for the same participant on each page. */
function markOf(id: string | undefined): string {
  return id === undefined ? '?' : createHash('sha256').update(id).digest('hex').slice(0, 4)
}
