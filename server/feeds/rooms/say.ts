import type { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { deleteRoomMember, findRoom, findRoomMember, type RoomRow } from '#server/store/room.ts'
import type { RoomMessage, XmppSession } from '#server/xmpp/ports.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { writeBodyMentions } from '#shared/mentions.ts'
import { type RoomParts, readRoomWords, writeRoomParts, writeThread } from '#shared/room-message.ts'
import { isElement } from '#shared/xml.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import { requireSite } from '../site-session.ts'
import { takeMessage } from './take.ts'

/** Milliseconds in which a room says again what was said to it. */
const PATIENCE = 15_000
/** Of the archive, from its end: that much may have been said since an attempt. */
const MOST_PAGES = 8

export interface Saying extends RoomParts {
  readonly channel: BareJid
  readonly body?: string
  /** The post that it is about. */
  readonly post?: ItemAddress
}

type SayPerformance = Pick<Performance, 'session' | 'row' | 'begin'>

export async function requireRoom({ state }: OutboxDeps, channel: BareJid): Promise<RoomRow> {
  const room = await findRoom(state, channel)
  if (room === undefined) throw new AppError('gone', 'The room is not there any more')
  return room
}

/**
 * Says something in a room, unless it was said; and takes it in as the room says it again: to the site account, for the
 * person's own server might have it say anything, and as anybody.
 */
export async function sayOnce(deps: OutboxDeps, performance: SayPerformance, saying: Saying): Promise<void> {
  const { session, row, begin } = performance
  const { channel } = saying
  const room = await requireRoom(deps, channel)
  const member = await findRoomMember(deps.state, channel, session.jid)
  if (member === undefined) throw new AppError('forbidden', 'You are not in the room any more. Join it again')
  const isOurs = ({ channel: from, participant, payload }: RoomMessage) =>
    from === channel && participant === member.participant && readRoomWords(payload).originId === saying.originId
  const site = requireSite(deps)
  const said = row.attempts > 0 ? await findSaid(site, channel, isOurs) : undefined
  if (said !== undefined) return void (await takeMessage(deps, { room, message: said }))
  await begin()
  try {
    const echo = await send({ session, site }, saying, isOurs)
    await takeMessage(deps, { room, message: echo })
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') {
      await deleteRoomMember(deps.state, channel, session.jid)
    }
    throw error
  }
}

async function send(
  { session, site }: { session: XmppSession; site: XmppSession },
  { channel, body, post, ...parts }: Saying,
  isOurs: (message: RoomMessage) => boolean,
): Promise<RoomMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<RoomMessage>()
  const id = parts.originId
  const stops = [
    site.mix.onMessage((message) => isOurs(message) && resolve(message)),
    session.onMessage((message) => {
      if (message.type === 'error' && message.id === id && message.from.bare === channel)
        reject(readRefusal(message.payloads))
    }),
  ]
  const late = new AppError('timeout', `The room ${channel} does not answer`)
  const timer = setTimeout(() => reject(late), PATIENCE)
  promise.catch(() => {})
  try {
    const payloads = [...writeRoomParts(parts), ...(parts.entry || !body ? [] : writeBodyMentions(body))]
    const thread = post && writeThread(post)
    await session.sendMessage({
      ...{ to: channel, type: 'groupchat', id, payloads },
      ...(body !== undefined && { body }),
      ...(thread !== undefined && { thread }),
    })
    return await promise
  } finally {
    clearTimeout(timer)
    for (const stop of stops) stop()
  }
}

/** Only by what its writer called it: the room does not keep its own word for it. */
async function findSaid(
  { mix }: XmppSession,
  channel: BareJid,
  isOurs: (message: RoomMessage) => boolean,
): Promise<RoomMessage | undefined> {
  let before = ''
  for (let count = 0; count < MOST_PAGES; count++) {
    const page = await mix.readArchive(channel, { before })
    const found = page.messages.find(isOurs)
    if (found !== undefined || page.isComplete || page.first === undefined) return found
    before = page.first
  }
  return undefined
}

function readRefusal(payloads: readonly Element[]): AppError {
  const error = payloads.find((each) => each.getName() === 'error')
  const names = error?.children.filter(isElement).map((child) => child.getName()) ?? []
  if (names.includes('item-not-found')) return new AppError('gone', 'The room is not there any more')
  const isForbidden = names.includes('forbidden') || names.includes('not-allowed')
  if (isForbidden) return new AppError('forbidden', 'You are not in the room any more. Join it again')
  return new AppError('unavailable', 'The room did not take the message')
}
