import { AppError, isAppError } from '#server/errors.ts'
import { addNode, deleteNode, findNode } from '#server/store/node.ts'
import {
  deleteRoom,
  deleteRoomMember,
  findRoom,
  findRoomOfBlog,
  type RoomRow,
  saveRoom,
  saveRoomMember,
  saveRoomStatus,
} from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import { isOwnGround } from '../belief.ts'
import { emptyNode } from '../empty-node.ts'
import { ROOMS_TOPIC, roomTopic } from '../live.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { nameOf } from '../publish.ts'
import { queue } from '../queue-row.ts'
import { requireSite } from '../site-session.ts'
import { type RoomMemberTask, type RoomTask, saveTask } from '../task.ts'
import { WaitingError } from '../waiting-error.ts'
import { joinSite } from './join-site.ts'
import { queueRoomLinks } from './link-posts.ts'
import { requireRoom } from './say.ts'

/** Opens the room of a blog, with its author and the site's account in it, or closes it. */
export async function performRoom(deps: OutboxDeps, performance: Performance<RoomTask>): Promise<void> {
  if (performance.task.action === 'close') return closeRoom(deps, performance)
  const site = requireSite(deps)
  const { session, row, task, begin } = performance
  const blog = { service: row.address.service, node: row.address.node }
  const known = await findRoomOfBlog(deps.state, blog)
  if (known?.status === 'open') return
  await begin()
  const channel = known?.channel ?? task.channel ?? (await makeChannel(deps, session, site))
  await saveTask(deps.state, row, { ...task, channel })
  const room: RoomRow = { blog, channel, owner: row.account, since: deps.clock(), status: 'opening' }
  if (known === undefined) await saveRoom(deps.state, room)
  const nick = await nameOf(deps, row.account)
  await session.mix.join(channel, nick)
  await joinSite({ ...deps, site }, room)
  await saveMember(deps, { jid: row.account, room, nick })
  await addNode(deps.index, { address: talkNode(channel), kind: 'room', owner: row.account, now: deps.clock() })
  await saveRoomStatus(deps.state, channel, 'open')
  await welcome(deps, room)
  await queueRoomLinks(deps, { ...room, status: 'open' })
  deps.live.publish(ROOMS_TOPIC, { kind: 'changed' })
}

async function makeChannel(deps: OutboxDeps, session: XmppSession, site: XmppSession): Promise<RoomRow['channel']> {
  const service = await session.mix.findService()
  if (service === undefined) throw new AppError('not-implemented', 'Your XMPP server has no rooms (MIX)')
  if (!(await site.mix.isOffered())) {
    throw new AppError('not-implemented', "The XMPP server of this site's account cannot join rooms (MIX-PAM)")
  }
  const channel = await session.mix.createChannel(service)
  // Anywhere else it may be a room that is there already, and somebody else's.
  if (!(await isOwnGround(deps, session.jid, domainOf(channel))) || (await findRoom(deps.state, channel))) {
    throw new AppError('forbidden', 'Your XMPP server made a room that is not its own')
  }
  return channel
}

/** The first thing that is said there. */
async function welcome(deps: OutboxDeps, { blog, channel }: RoomRow): Promise<void> {
  const { siteJid } = deps
  if (siteJid === undefined) return
  const url = new URL(`${nodePath({ domain: deps.siteDomain }, blog)}/room`, deps.config.url).href
  const text = `This room is public: everybody can read at ${url} what is said here, with your nickname.`
  const address = { ...talkNode(channel), item: asItemId(`welcome-${channel.slice(0, channel.indexOf('@'))}`) }
  await queue(deps, { kind: 'room-message', text }, { account: siteJid, address, key: `welcome ${channel}` })
}

/** Its messages leave the pages with it: nobody can read its archive any more. */
async function closeRoom(deps: OutboxDeps, { session, row, begin }: Performance<RoomTask>): Promise<void> {
  const room = await findRoomOfBlog(deps.state, row.address)
  if (room === undefined) return
  await begin()
  const { channel } = room
  await saveRoomStatus(deps.state, channel, 'closing')
  const site = deps.siteJid === undefined ? undefined : deps.sessions(deps.siteJid)
  // The site's account may be away: what it still has in its roster then is a room that is not there.
  if (site?.status === 'online') await ignoring(site.mix.leave(channel))
  await ignoring(session.mix.leave(channel))
  await ignoring(session.mix.destroyChannel(channel))
  await queueRoomLinks(deps, { ...room, status: 'closing' })
  await deleteRoom(deps.state, channel)
  const talk = await findNode(deps.index, talkNode(channel))
  if (talk !== undefined) await emptyNode(deps, talk)
  await deleteNode(deps.index, talkNode(channel))
  await deps.index.deleteFrom('participant').where('channel', '=', channel).execute()
  deps.live.publish(roomTopic(channel), { kind: 'changed' })
  deps.live.publish(ROOMS_TOPIC, { kind: 'changed' })
}

async function ignoring(request: Promise<void>): Promise<void> {
  try {
    await request
  } catch (error) {
    if (!isAppError(error, 'not-found', 'gone', 'timeout')) throw error
  }
}

/** Joins a room by the reader's own server, or leaves it. */
export async function performRoomMember(deps: OutboxDeps, performance: Performance<RoomMemberTask>): Promise<void> {
  const { session, row, task, begin } = performance
  const channel = row.address.service
  if (task.action === 'leave') {
    await begin()
    await ignoring(session.mix.leave(channel))
    await deleteRoomMember(deps.state, channel, row.account)
  } else {
    const room = await requireRoom(deps, channel)
    if (!(await session.mix.isOffered())) {
      throw new AppError('not-implemented', 'Your XMPP server cannot join rooms (MIX-PAM)')
    }
    await begin()
    const nick = task.nick || (await nameOf(deps, row.account))
    await session.mix.join(channel, nick)
    await saveMember(deps, { jid: row.account, room, nick })
  }
  deps.live.publish(roomTopic(channel), { kind: 'participants-changed' })
}

/** Remembers by what id somebody speaks there, as the channel itself tells the site account. */
async function saveMember(
  deps: OutboxDeps,
  { jid, room, nick }: { jid: BareJid; room: RoomRow; nick: string },
): Promise<void> {
  const { state, clock } = deps
  const { channel } = room
  const people = await requireSite(deps).mix.listParticipants(channel)
  const participant = people.find((each) => each.jid === jid)?.id
  if (participant === undefined) {
    throw new WaitingError(
      'unseen',
      'Your XMPP server says that you are in the room, but the room does not show you yet',
    )
  }
  await saveRoomMember(state, { channel, jid, participant, nick, since: clock() })
  if ((await findRoom(state, channel)) === undefined) throw new AppError('gone', 'The room was closed')
}
