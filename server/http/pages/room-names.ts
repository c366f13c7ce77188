import { readNames, withAddress } from '#server/feeds/names.ts'
import { markOf } from '#server/feeds/participant-mark.ts'
import { listParticipants, listParticipantsOf, type ParticipantRow } from '#server/store/participant.ts'
import type { RoomRow } from '#server/store/room.ts'
import type { TalkRow } from '#server/store/room-talk.ts'
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
  const named = [...present, ...special].flatMap(({ jid, id, nick }) => (nick ? [{ who: jid ?? id, name: nick }] : []))
  const spoken = rows.flatMap(({ author, nick }) => (nick ? [{ who: author ?? '', name: nick }] : []))
  const names = await readNames(index, [...named, ...spoken], { owner })
  const ids = new Map(known.map(({ jid, id }) => [jid, id]))
  const say = (nick: string | undefined, { jid, id }: { jid?: string; id?: string }) => {
    if (nick === undefined || jid === siteJid) return nick
    return withAddress(nick, names.isAmbiguous({ who: jid ?? id ?? '', name: nick }) ? markOf(id) : undefined)
  }
  return {
    present,
    sayName: ({ author, nick }) => say(nick, author === undefined ? {} : { jid: author, id: ids.get(author) }),
    sayParticipant: ({ jid, id, nick }) => say(nick, { id, ...(jid === undefined ? {} : { jid }) }),
  }
}
