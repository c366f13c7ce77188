import { AppError } from '#server/errors.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findAnnouncement } from '#server/store/room-entry.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { type ItemAddress, sameAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { parseXml } from '#shared/xml.ts'
import type { OutboxDeps } from '../outbox-deps.ts'
import type { Performance } from '../perform.ts'
import type { RoomMessageTask } from '../task.ts'
import { rootOf } from './place.ts'
import { type Saying, sayOnce } from './say.ts'

/** Says what somebody wrote, or that a message is taken back. */
export async function performRoomMessage(deps: OutboxDeps, performance: Performance<RoomMessageTask>): Promise<void> {
  const { row, task } = performance
  const channel = row.address.service
  // The item of a row that takes back is that of the message.
  const originId = task.retracts === undefined ? row.address.item : `retract-${row.id}-${row.address.item}`
  if (task.retracts !== undefined) {
    const saying: Saying = { channel, originId, retracts: task.retracts, body: FALLBACK }
    return sayOnce(deps, performance, saying)
  }
  if (task.text === undefined) throw new AppError('bad-request', 'The message has no text')
  const answered = task.inReplyTo === undefined ? {} : await findAnswered(deps, channel, task.inReplyTo)
  return sayOnce(deps, performance, { channel, originId, body: task.text, ...answered })
}

/** What clients show that know no retractions (XEP-0424 §3). */
const FALLBACK = '/me took back a message that was sent before.'

/** A message that is answered, by the channel's id and with its thread; of a post, its announcement. */
async function findAnswered(
  { index }: OutboxDeps,
  channel: ItemAddress['service'],
  address: ItemAddress,
): Promise<Pick<Saying, 'answers' | 'post'>> {
  const node = await findNode(index, talkNode(channel))
  if (node === undefined) return {}
  const isMessage = sameAddress({ service: channel, node: NS.MIX_MESSAGES, item: address.item }, address)
  const item = isMessage ? address.item : (await findAnnouncement(index, node.id, address))?.item
  const entry = item && (await findEntry(index, node.id, item))
  if (!entry) return isMessage ? {} : { post: address }
  const to = String(parseXml(entry.payload)?.attrs.from ?? channel)
  const post = rootOf(entry)
  return { answers: { id: entry.item, to }, ...(post && { post }) }
}
