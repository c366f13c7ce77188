import type { FastifyReply } from 'fastify'
import { readTask } from '#server/feeds/task.ts'
import type { BlogRow } from '#server/store/blog.ts'
import { listOutbox, type OutboxRow } from '#server/store/outbox.ts'
import { countParticipants } from '#server/store/participant.ts'
import { listPostTitles } from '#server/store/post-titles.ts'
import { findRoomMember, type RoomRow } from '#server/store/room.ts'
import { nodePath } from '#shared/paths.ts'
import type { RoomView, WaitingView } from '#web/views.ts'
import { readMentionPaths } from '../mention-paths.ts'
import { isSiteFeed } from '../places.ts'
import { dayPath, joinUri, roomPath } from '../room-paths.ts'
import { LIVE } from '../routes/live.ts'
import { blogTitle } from '../shown.ts'
import { writeTalkVersion } from '../versions.ts'
import type { Web } from '../web.ts'
import type { Exchange } from './page.ts'
import { sendPage } from './page.ts'
import { viewWaiting } from './post-view.ts'
import { type DayQuery, readRoomDay, viewWays } from './room-day.ts'
import { type RoomNames, readRoomNames } from './room-names.ts'
import { type Speaking, viewSpeaking } from './room-speaking.ts'
import { viewTalk, viewUnsaid } from './room-view.ts'

const MOST_NAMES = 200

export interface RoomPage extends DayQuery, Speaking {
  readonly blog: BlogRow
  readonly room: RoomRow
  readonly status?: number
}

/** A day in a room, for anybody; with a form for who has joined. */
export async function sendRoomPage(web: Web, exchange: Exchange, page: RoomPage): Promise<FastifyReply> {
  const { ctx } = web
  const { blog, room } = page
  const { person } = exchange.visit
  const place = { site: { domain: ctx.siteDomain }, blog: blog.address }
  const shown = await readRoomDay(ctx, { channel: room.channel, reader: person?.jid }, page)
  const rows = person === undefined ? [] : await listOutbox(ctx.state, person.jid)
  const outbox = rows.filter(({ address }) => address.service === room.channel)
  const member = person && (await findRoomMember(ctx.state, room.channel, person.jid))
  const name = member?.nick ?? person?.name ?? ''
  const names = await readRoomNames(ctx, room, shown.talk.rows)
  const said = viewTalk({
    ...{
      ...place,
      names,
      owner: room.owner,
      rows: shown.talk.rows,
      titles: await readTitles(web, page, shown),
      person,
      outbox,
    },
    isMember: member !== undefined,
    pathOf: await readMentionPaths(ctx, shown.talk.rows),
  })
  const isOfSite = await isSiteFeed(ctx, blog.address)
  const people = await viewPeople(web, room, names)
  const path = roomPath(place.site, blog.address)
  return sendPage(web, exchange, {
    name: 'room',
    status: page.status,
    head: {
      ...{ title: `Room · ${blogTitle(blog)}`, language: blog.language, xmppUri: joinUri(room.channel) },
      ...(isOfSite ? { canonicalPath: dayPath(place.site, blog.address, page.day) } : { noindex: true }),
    },
    view: {
      blog: { title: blogTitle(blog), url: nodePath(place.site, blog.address), language: blog.language },
      ...(shown.day === undefined ? {} : { day: shown.day.from.toISOString() }),
      talk: shown.isNow ? [...said, ...viewUnsaid(outbox, name)] : said,
      ...viewWays(place, shown),
      ...people,
      ...viewJoining(outbox),
      ...(await viewSpeaking(web, exchange, { ...page, name, isMember: member !== undefined, path })),
      ...(page.day === undefined && shown.isNow
        ? {
            live: {
              url: `${path}/${LIVE}`,
              version: writeTalkVersion(
                shown.talk.rows.filter(({ hold }) => hold === undefined),
                people.peopleCount,
              ),
            },
          }
        : {}),
    },
  })
}

/** What the page of the newest day shows to everybody, as a short text. */
export async function readTalkVersion(web: Web, { channel }: RoomRow): Promise<string> {
  const { talk } = await readRoomDay(web.ctx, { channel, reader: undefined }, {})
  return writeTalkVersion(talk.rows, await countParticipants(web.ctx.index, channel, web.ctx.proofs.siteJid))
}

function readTitles(
  { ctx }: Web,
  { blog }: RoomPage,
  { talk }: Awaited<ReturnType<typeof readRoomDay>>,
): ReturnType<typeof listPostTitles> {
  const items = new Set(talk.rows.flatMap(({ root }) => (root === undefined ? [] : [root.item])))
  return listPostTitles(ctx.index, blog.address, [...items])
}

/** By the names they have there: their addresses are nobody's business. The site's account only listens. */
async function viewPeople(
  { ctx }: Web,
  { channel, owner }: RoomRow,
  { present, sayParticipant }: RoomNames,
): Promise<Pick<RoomView, 'people' | 'peopleCount'>> {
  return {
    people: present.slice(0, MOST_NAMES).map((each) => {
      const name = sayParticipant(each)
      return { ...(name === undefined ? {} : { name }), isOwner: each.jid === owner }
    }),
    peopleCount: await countParticipants(ctx.index, channel, ctx.proofs.siteJid),
  }
}

/** Joining or leaving that is on its way. */
function viewJoining(outbox: readonly OutboxRow[]): { joining?: WaitingView } {
  const row = outbox.find(({ kind }) => kind === 'room-member')
  if (row === undefined) return {}
  const task = readTask(row)
  return task.kind === 'room-member' && task.action === 'join' ? { joining: viewWaiting(row) } : {}
}
