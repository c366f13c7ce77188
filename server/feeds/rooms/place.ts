import type { IndexDb } from '#server/store/database.ts'
import { findEntry } from '#server/store/entry.ts'
import type { NodeRow } from '#server/store/node.ts'
import type { RoomRow } from '#server/store/room.ts'
import { kindOf } from '#server/store/room-entry.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { RoomWords } from '#shared/room-message.ts'
import { childrenOf, textOf } from '#shared/xml.ts'
import type { RoomReading } from '../read-item.ts'

export type Place = Pick<RoomReading, 'kind' | 'root' | 'inReplyTo' | 'version'>

interface PlaceQuestion {
  readonly room: RoomRow
  readonly node: NodeRow
  readonly words: RoomWords
  readonly publisher: BareJid | undefined
  readonly siteJid: BareJid | undefined
}

/**
 * What a message is: the announcement of a post, an answer to one by way of any number of others, or talk. What it
 * answers came before it, so its own place is known.
 */
export async function findPlace(index: IndexDb, question: PlaceQuestion): Promise<Place> {
  const { room, node, words } = question
  const announced = readAnnouncement(question)
  if (announced !== undefined) return announced
  // COMPAT(ejabberd 24.12): its archive forgets what its writer took back, and so what others answered.
  const { thread } = words
  const isOfBlog = thread?.service === room.blog.service && thread.node === room.blog.node
  const said = isOfBlog ? thread : undefined
  const parent = words.answers === undefined ? undefined : await findEntry(index, node.id, words.answers)
  const root = (parent && rootOf(parent)) ?? said
  const inReplyTo = parent && { ...node.address, item: parent.item }
  if (root === undefined) return { kind: 'talk', ...(inReplyTo && { inReplyTo }) }
  const isFirst = parent === undefined || kindOf(parent).kind === 'announcement'
  return { kind: 'answer', root, inReplyTo: isFirst ? root : inReplyTo }
}

/** Only the site and the blog's owner tell of posts, and only of that blog's. */
function readAnnouncement({ room, words, publisher, siteJid }: PlaceQuestion): Place | undefined {
  const { thread, entry, answers } = words
  if (thread === undefined || entry === undefined || answers !== undefined || publisher === undefined) return undefined
  if (publisher !== siteJid && publisher !== room.owner) return undefined
  if (thread.service !== room.blog.service || thread.node !== room.blog.node) return undefined
  const [updated] = childrenOf(entry, 'updated', NS.ATOM)
  const date = new Date(updated === undefined ? '' : textOf(updated))
  return { kind: 'announcement', root: thread, version: Number.isNaN(date.getTime()) ? '' : date.toISOString() }
}

export function rootOf(entry: {
  readonly rootService: BareJid | null
  readonly rootNode: string | null
  readonly rootItem: ItemAddress['item'] | null
}): ItemAddress | undefined {
  const { rootService, rootNode, rootItem } = entry
  if (rootService === null || rootNode === null || rootItem === null) return undefined
  return { service: rootService, node: rootNode, item: rootItem }
}
