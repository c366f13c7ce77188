import { type RoomRow, saveRoomMember } from '#server/store/room.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { IngestDeps } from '../ingest.ts'

interface JoinDeps extends Pick<IngestDeps, 'state' | 'clock'> {
  readonly config: { readonly title?: string }
  readonly site: XmppSession
}

/** The site's account joins a room, to hear it and to tell it of posts. */
export async function joinSite({ state, clock, config, site }: JoinDeps, { channel }: RoomRow): Promise<void> {
  const nick = config.title ?? 'Canto'
  const participant = await site.mix.join(channel, nick)
  await saveRoomMember(state, { channel, jid: site.jid, participant, nick, since: clock() })
}
