import { findTalkAround, listTalk, type TalkPage, type TalkPlace } from '#server/store/room-talk.ts'
import type { BareJid } from '#shared/jid.ts'
import type { RoomView } from '#web/views.ts'
import type { AppContext } from '../context.ts'
import { type Day, dayOf, dayPath, type RoomPlace, writeTalkPlace } from '../room-paths.ts'

/** Messages on one page. */
export const PAGE_MESSAGES = 200

export interface DayQuery {
  /** The one where something was said last, unless told. */
  readonly day?: Day | undefined
  readonly before?: TalkPlace | undefined
  readonly after?: TalkPlace | undefined
}

/** What was said on a day, and where there is more. */
export interface RoomDay {
  /** Absent while nothing was ever said. */
  readonly day?: Day
  readonly talk: TalkPage
  /** When something was said last before that day, and first after it. */
  readonly last?: Date
  readonly next?: Date
  /** Whether it ends with the newest that there is. */
  readonly isNow: boolean
}

const END_OF_TIME = new Date(8_640_000_000_000_000)

/** A page of a day: its beginning for who asks for a day, its end for who asks for none. */
export async function readRoomDay(
  { index }: Pick<AppContext, 'index'>,
  { channel, reader }: { channel: BareJid; reader: BareJid | undefined },
  query: DayQuery,
): Promise<RoomDay> {
  const newest = query.day ?? (await findNewestDay(index, channel, reader))
  if (newest === undefined) return { talk: { rows: [], hasOlder: false, hasNewer: false }, isNow: true }
  const { last, next } = await findTalkAround(index, channel, { before: newest.from, from: newest.to, reader })
  const isFromStart = query.day !== undefined && query.before === undefined && query.after === undefined
  const found = await listTalk(index, channel, {
    ...newest,
    ...{ reader, limit: PAGE_MESSAGES, before: query.before },
    after: isFromStart ? START : query.after,
  })
  const talk = isFromStart ? { ...found, hasOlder: false } : found
  return {
    day: newest,
    talk,
    ...(last === undefined ? {} : { last }),
    ...(next === undefined ? {} : { next }),
    isNow: next === undefined && !talk.hasNewer,
  }
}

const START: TalkPlace = { publishedAt: -1, item: '' as TalkPlace['item'] }

async function findNewestDay(index: AppContext['index'], channel: BareJid, reader?: BareJid): Promise<Day | undefined> {
  const { last } = await findTalkAround(index, channel, { before: END_OF_TIME, from: END_OF_TIME, reader })
  return last && dayOf(last)
}

/** The ways to the rest of the day, and to other days. */
export function viewWays(
  { site, blog }: RoomPlace,
  { day, talk, last, next, isNow }: RoomDay,
): Pick<RoomView, 'earlierUrl' | 'laterUrl' | 'previousDay' | 'nextDay' | 'nowUrl'> {
  if (day === undefined) return {}
  const path = dayPath(site, blog, day)
  const [first, end] = [talk.rows[0], talk.rows.at(-1)]
  const way = (instant: Date) => ({ url: dayPath(site, blog, dayOf(instant)), day: dayOf(instant).from.toISOString() })
  return {
    ...(talk.hasOlder && first !== undefined ? { earlierUrl: `${path}&before=${writeTalkPlace(first)}` } : {}),
    ...(talk.hasNewer && end !== undefined ? { laterUrl: `${path}&after=${writeTalkPlace(end)}` } : {}),
    ...(last === undefined ? {} : { previousDay: way(last) }),
    ...(next === undefined ? {} : { nextDay: way(next) }),
    ...(isNow ? {} : { nowUrl: dayPath(site, blog) }),
  }
}
