import { countParticipants } from '#server/store/participant.ts'
import { findRoomOfBlog } from '#server/store/room.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { RoomLinkView } from '#web/views.ts'
import { roomPath } from '../room-paths.ts'
import type { Web } from '../web.ts'

/** The way to the room of a blog, where it has one. */
export async function viewRoomLink({ ctx }: Web, { service, node }: NodeAddress): Promise<{ room?: RoomLinkView }> {
  const room = await findRoomOfBlog(ctx.state, { service, node })
  if (room?.status !== 'open') return {}
  const peopleCount = await countParticipants(ctx.index, room.channel, ctx.proofs.siteJid)
  return { room: { url: roomPath({ domain: ctx.siteDomain }, room.blog), peopleCount } }
}
