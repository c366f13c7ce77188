import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import { deleteRefused, deleteUnbegun, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import { findRoom, findRoomMember } from '#server/store/room.ts'
import { findTalk, talkNode } from '#server/store/room-talk.ts'
import { addressKey, asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { cleanLine } from '#shared/text.ts'
import type { QueueDeps } from '../outbox-deps.ts'
import { nodeRowAddress, queue } from '../queue-row.ts'

const LONGEST_NICK = 100

/** Opens a room for a blog, or closes the one it has, by its owner's own session. */
export async function queueRoom(
  deps: QueueDeps,
  { owner, blog, action, key }: { owner: BareJid; blog: NodeAddress; action: 'open' | 'close'; key: string },
): Promise<OutboxRow> {
  if (blog.service !== owner) throw new AppError('forbidden', 'Only its owner can open or close the room of a blog')
  const address = nodeRowAddress(blog)
  await dropFormer(deps, { account: owner, address, kind: 'room' })
  return queue(deps, { kind: 'room', action }, { account: owner, address, key })
}

/** Joins a room by way of one's own server, or leaves it; a new name is a join again. */
export async function queueRoomMember(
  deps: QueueDeps,
  { jid, channel, action, nick = '' }: { jid: BareJid; channel: BareJid; action: 'join' | 'leave'; nick?: string },
): Promise<OutboxRow> {
  const address = nodeRowAddress(talkNode(channel))
  await dropFormer(deps, { account: jid, address, kind: 'room-member' })
  const task = { kind: 'room-member', action, nick: cleanLine(nick, LONGEST_NICK) } as const
  return queue(deps, task, { account: jid, address, key: randomUUID() })
}

/** The newest wish counts: what never began is taken back, and what was refused is not told any more. */
async function dropFormer(
  { state }: QueueDeps,
  former: { account: BareJid; address: ItemAddress; kind: 'room' | 'room-member' },
): Promise<void> {
  await deleteUnbegun(state, former)
  for (const { id, kind, account } of await listOutboxOf(state, former.address)) {
    if (kind === former.kind && account === former.account) await deleteRefused(state, account, id)
  }
}

export interface NewRoomMessage {
  readonly account: BareJid
  readonly channel: BareJid
  /** Of the form, so that it counts once. */
  readonly key: string
  readonly text: string
  /** The message in the room that it answers. */
  readonly inReplyTo?: ItemAddress | undefined
}

/** Says something in a room that one has joined. */
export async function queueRoomMessage(
  deps: QueueDeps,
  { account, channel, key, text, inReplyTo }: NewRoomMessage,
): Promise<OutboxRow> {
  if (text.trim() === '') throw new AppError('bad-request', 'The message has no text')
  if ((await findRoomMember(deps.state, channel, account)) === undefined)
    throw new AppError('forbidden', 'Join the room first')
  const address = { ...talkNode(channel), item: asItemId(randomUUID()) }
  const task = { kind: 'room-message', text, ...(inReplyTo === undefined ? {} : { inReplyTo }) } as const
  return queue(deps, task, { account, address, key })
}

/** Takes back a message: its writer may, and the owner of the room. */
export async function queueRoomRetraction(
  deps: QueueDeps,
  { by, address }: { by: BareJid; address: ItemAddress },
): Promise<OutboxRow> {
  const room = await findRoom(deps.state, address.service)
  const message = await findTalk(deps.index, address, by)
  if (room?.owner !== by && message?.author !== by)
    throw new AppError('forbidden', 'Only who wrote a message and the owner of the room can remove it')
  const task = { kind: 'room-message', retracts: address.item } as const
  return queue(deps, task, { account: by, address, key: `retract ${addressKey(address)}` })
}
