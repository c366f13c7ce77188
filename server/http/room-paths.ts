import type { TalkPlace, TalkRow } from '#server/store/room-talk.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { nodePath, postPath, readItemSegment, type Site, writeItemSegment } from '#shared/paths.ts'

/** The room of a blog. */
export function roomPath(site: Site, blog: NodeAddress): string {
  return `${nodePath(site, blog)}/room`
}

/** The permanent address of what was said in it, whatever page of which day it is on. */
export function messagePath(site: Site, blog: NodeAddress, item: ItemId): string {
  return `${roomPath(site, blog)}/messages/${writeItemSegment(item)}`
}

/** An answer from the room, in the thread of its post. */
export function roomAnswerPath(site: Site, post: ItemAddress, item: ItemId): string {
  return `${postPath(site, post)}/comments/room.${writeItemSegment(item)}`
}

/** Where a message stands on its page. */
export function messageAnchor(item: ItemId): string {
  return `message-${writeItemSegment(item)}`
}

/** Where an XMPP client joins a room. */
export function joinUri(channel: BareJid): string {
  return `xmpp:${channel}?join`
}

const DAY_MS = 86_400_000

/** A day in UTC. */
export interface Day {
  readonly from: Date
  readonly to: Date
}

/** The day of an instant. */
export function dayOf(instant: Date): Day {
  const from = Math.floor(instant.getTime() / DAY_MS) * DAY_MS
  return { from: new Date(from), to: new Date(from + DAY_MS) }
}

/** `2026-11-22`; undefined for what is no day. */
export function readDay(text: string): Day | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const from = new Date(`${text}T00:00:00Z`)
  if (Number.isNaN(from.getTime()) || !from.toISOString().startsWith(text)) return undefined
  return dayOf(from)
}

export function writeDay({ from }: Day): string {
  return from.toISOString().slice(0, 10)
}

/** Whose room, and on which site. */
export interface RoomPlace {
  readonly site: Site
  readonly blog: NodeAddress
}

/** The page of a day; of the newest unless told. */
export function dayPath(site: Site, blog: NodeAddress, day?: Day): string {
  return day === undefined ? roomPath(site, blog) : `${roomPath(site, blog)}?day=${writeDay(day)}`
}

/** A place between two messages, for an address. */
export function writeTalkPlace({ published, address }: Pick<TalkRow, 'published' | 'address'>): string {
  return `${published.getTime()}.${writeItemSegment(address.item)}`
}

/** Undefined for what is no place. */
export function readTalkPlace(text: string | undefined): TalkPlace | undefined {
  const [, instant = '', segment = ''] = /^(\d{1,15})\.(.+)$/s.exec(text ?? '') ?? []
  const item = readItemSegment(segment)
  return item === undefined ? undefined : { publishedAt: Number(instant), item }
}
