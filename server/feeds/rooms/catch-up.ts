import { isAppError } from '#server/errors.ts'
import { createSlices } from '#server/slices.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import type { RoomRow } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { IngestDeps } from '../ingest.ts'
import { joinSite } from './join-site.ts'
import { readParticipants } from './participants.ts'
import { takeMessage } from './take.ts'

export interface RoomDeps extends IngestDeps {
  readonly config: { readonly title?: string }
  readonly site: XmppSession
}

/** Of a room in one go: what is left comes with the next. 100,000 messages. */
const MOST_PAGES = 400

/**
 * Reads what was said in a room since it was last heard, in the order of its archive; all of it where the index is new.
 * Resolves with whether nothing is left.
 */
export async function catchUpRoom(deps: RoomDeps, room: RoomRow, signal: AbortSignal): Promise<boolean> {
  const address = talkNode(room.channel)
  await addNode(deps.index, { address, kind: 'room', owner: room.owner, now: deps.clock() })
  try {
    await readParticipants(deps, room, deps.site)
  } catch (error) {
    if (!isAppError(error, 'forbidden', 'not-authorized')) throw error
    await joinSite(deps, room)
    await readParticipants(deps, room, deps.site)
  }
  const node = await findNode(deps.index, address)
  const isFirst = node?.archiveCursor === undefined
  let after = node?.archiveCursor
  const pause = createSlices()
  for (let count = 0; count < MOST_PAGES && !signal.aborted; count++) {
    const page = await deps.site.mix.readArchive(room.channel, after === undefined ? {} : { after })
    for (const message of page.messages) {
      await pause()
      // Of what was said before anybody here listened nobody is told.
      const isHistory = isFirst && node !== undefined && message.at < node.createdAt
      await takeMessage(deps, { room, message, options: { isHistory, isCaughtUp: true } })
    }
    if (page.last !== undefined) await updateNode(deps.index, address, { archiveCursor: page.last })
    if (page.isComplete || page.last === undefined || page.last === after) return true
    after = page.last
  }
  return false
}
