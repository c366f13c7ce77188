import type { Element } from 'ltx'
import type { BareJid } from './jid.ts'
import { NS } from './ns.ts'
import { writeRoomUri } from './room-message.ts'
import { cloneXml, createElement, isElement } from './xml.ts'

/** A copy of an entry that leads to the room beside its blog, or to none; all else as it was. */
export function writeRoomLink(payload: Element, channel: BareJid | undefined): Element {
  const copy = cloneXml(payload)
  copy.children = copy.children.filter((child) => !(isElement(child) && isRoomLink(child)))
  if (channel === undefined) return copy
  const prefix = copy.name.slice(0, copy.name.length - copy.getName().length)
  const link = createElement(`${prefix}link`, { rel: 'replies', title: 'mix', href: writeRoomUri(channel) })
  link.parent = copy
  const last = copy.children.findLastIndex((child) => isElement(child) && child.is('link', NS.ATOM))
  copy.children.splice(last < 0 ? copy.children.length : last + 1, 0, link)
  return copy
}

function isRoomLink(link: Element): boolean {
  return link.is('link', NS.ATOM) && link.attrs.rel === 'replies' && link.attrs.title === 'mix'
}
