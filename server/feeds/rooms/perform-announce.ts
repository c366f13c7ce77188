import { createHash } from 'node:crypto'
import { AppError, isAppError } from '#server/errors.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findRoomMember } from '#server/store/room.ts'
import { findAnnouncement } from '#server/store/room-entry.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import { addressKey } from '#shared/address.ts'
import { cleanLine } from '#shared/text.ts'
import { parseXml } from '#shared/xml.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { alternateOf } from '../perform-post.ts'
import type { AnnounceTask } from '../task.ts'
import { joinSite } from './join-site.ts'
import { requireRoom, type Saying, sayOnce } from './say.ts'

/** Tells a room of a post as it now is: each version once, whatever happened in between. */
export async function performAnnounce(deps: OutboxDeps, performance: Performance<AnnounceTask>): Promise<void> {
  const { session, task } = performance
  const { channel, post } = task
  const room = await requireRoom(deps, channel)
  if ((await findRoomMember(deps.state, channel, session.jid)) === undefined) {
    await joinSite({ ...deps, site: session }, room)
  }
  const saying = await findNews(deps, task)
  if (saying === undefined) return
  try {
    await sayOnce(deps, performance, { ...saying, channel, post })
  } catch (error) {
    // Somebody took the site's account out of the room: it joins again with the next attempt.
    if (!isAppError(error, 'forbidden')) throw error
    throw new AppError('unavailable', 'The site is not in the room any more', { cause: error })
  }
}

/** Undefined where the room knows all. */
async function findNews(
  deps: OutboxDeps,
  { channel, post }: AnnounceTask,
): Promise<Omit<Saying, 'channel' | 'post'> | undefined> {
  const { index } = deps
  const talk = await findNode(index, talkNode(channel))
  const blog = await findNode(index, post)
  const announced = talk && (await findAnnouncement(index, talk.id, post))
  const entry = blog && (await findEntry(index, blog.id, post.item))
  if (entry === undefined || entry.hold !== null) {
    const isGone = entry !== undefined || (await findTombstone(index, post)) !== undefined
    if (announced === undefined || !isGone) return undefined
    return { originId: nameOf(channel, post, 'gone'), retracts: announced.item, body: 'A post was deleted.' }
  }
  const version = new Date(entry.updatedAt).toISOString()
  if (announced !== undefined && announced.version >= version) return undefined
  const payload = parseXml(entry.payload)
  const where = alternateOf(deps, post) ?? entry.alternate
  const body = [cleanLine(entry.title, 300), ...(where ? [where] : [])].join('\n')
  return {
    ...{ originId: nameOf(channel, post, version), body },
    ...(payload && { entry: payload }),
    ...(announced && { replaces: announced.item }),
  }
}

function nameOf(channel: AnnounceTask['channel'], post: AnnounceTask['post'], version: string): string {
  const text = `${channel} ${addressKey(post)} ${version}`
  return `post-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
}
