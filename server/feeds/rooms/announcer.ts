import { describeError } from '#server/errors.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findRoomOfBlog, listRooms, type RoomRow } from '#server/store/room.ts'
import { findAnnouncement, listAnnounced, listPostsSince } from '#server/store/room-entry.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import { addressKey, asItemId, type ItemAddress } from '#shared/address.ts'
import { POSTS_TOPIC } from '../live.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import { queue } from '../queue-row.ts'

/** Posts of one room that are looked at again after a start. */
const MOST = 200

/** Notices what a room does not know yet of the blog beside it, by whatever client it was posted. */
export function createAnnouncer(deps: OutboxDeps) {
  let last: Promise<void> = Promise.resolve()
  let stopListening = () => {}

  function run(task: () => Promise<void>): void {
    last = last
      .then(task)
      .catch((error: unknown) => deps.log.error(`A room could not be told of a post: ${describeError(error)}`))
  }

  async function look(address: ItemAddress): Promise<void> {
    const room = await findRoomOfBlog(deps.state, { service: address.service, node: address.node })
    // Not everybody in a room may read what only some may.
    const blog = await findNode(deps.index, address)
    if (room?.status === 'open' && blog?.status === 'open') await queueNews(deps, room, address)
  }

  async function lookAtAll(): Promise<void> {
    for (const room of await listRooms(deps.state)) if (room.status === 'open') await lookAt(room)
  }

  async function lookAt(room: RoomRow): Promise<void> {
    const blog = await findNode(deps.index, room.blog)
    const talk = await findNode(deps.index, talkNode(room.channel))
    if (blog?.status !== 'open' || talk === undefined) return
    const news = await listPostsSince(deps.index, blog.id, { since: room.since, limit: MOST })
    const posts = new Map(news.map((item) => [item as string, { ...room.blog, item }]))
    for (const post of await listAnnounced(deps.index, talk.id, MOST)) posts.set(post.item, post)
    // The oldest first.
    for (const post of [...posts.values()].reverse()) await queueNews(deps, room, post)
  }

  return {
    start() {
      stopListening = deps.live.subscribe(POSTS_TOPIC, (event) => {
        if ('address' in event && event.kind.startsWith('post-')) run(() => look(event.address as ItemAddress))
      })
    },
    /** Compares all rooms with their blogs, once what they know was read. */
    lookAtAll: () => run(lookAtAll),
    async stop() {
      stopListening()
      await last
    },
  }
}

async function queueNews(deps: OutboxDeps, room: RoomRow, post: ItemAddress): Promise<void> {
  const { channel } = room
  const { siteJid } = deps
  const talk = await findNode(deps.index, talkNode(channel))
  const blog = await findNode(deps.index, post)
  if (siteJid === undefined || talk === undefined || blog === undefined) return
  const entry = await findEntry(deps.index, blog.id, post.item)
  const announced = await findAnnouncement(deps.index, talk.id, post)
  const isShown = entry !== undefined && entry.hold === null
  if (isShown && announced === undefined && entry.arrivedAt < room.since.getTime()) return
  if (!isShown && announced === undefined) return
  if (entry === undefined && (await findTombstone(deps.index, post)) === undefined) return
  const version = isShown ? new Date(entry.updatedAt).toISOString() : undefined
  if (version !== undefined && announced !== undefined && announced.version >= version) return
  const key = `${channel} ${addressKey(post)} ${version ?? `gone ${announced?.item}`}`
  const address = { ...talkNode(channel), item: asItemId(`post ${post.item}`) }
  await queue(deps, { kind: 'announce', channel, post }, { account: siteJid, address, key })
}
