import type { Element } from 'ltx'
import { type ItemAddress, readXmppUri } from './address.ts'
import type { Entry, Link, Via } from './entry.ts'
import { NS } from './ns.ts'
import { cleanLine, cleanText, trimmedLines } from './text.ts'
import { childrenOf } from './xml.ts'

const LINKS = 100
const LINK_SCHEMES = ['http:', 'https:', 'xmpp:', 'mailto:']
const ADDRESS = 8192
const NAME = 200

/** The links of an entry that may be followed, the first hundred. */
export function readLinks(entry: Element): Link[] {
  const links: Link[] = []
  for (const { attrs } of childrenOf(entry, 'link', NS.ATOM).slice(0, LINKS)) {
    const href = trimmedLines(cleanText(attrs.href ?? '')).join('')
    if (href.length > ADDRESS || !LINK_SCHEMES.includes(URL.parse(href)?.protocol ?? '')) continue
    links.push({
      rel: cleanLine(attrs.rel ?? 'alternate', NAME),
      href,
      type: attrs.type === undefined ? undefined : cleanLine(attrs.type, NAME),
      title: attrs.title === undefined ? undefined : cleanLine(attrs.title, NAME),
    })
  }
  return links
}

/** Where its comments go. */
export function readComments(entry: Element): Entry['comments'] {
  for (const { attrs } of childrenOf(entry, 'link', NS.ATOM)) {
    // COMPAT(Movim 0.34): it goes by the title alone.
    if (attrs.title !== 'comments') continue
    const { service, node } = readXmppUri(attrs.href ?? '') ?? {}
    if (service !== undefined && node !== undefined) return { service, node }
  }
  return undefined
}

/** The first link to an item that this one repeats. */
export function readVia(links: readonly Link[]): Via | undefined {
  for (const { rel, href, title } of links) {
    const { service, node, item } = (rel === 'via' && readXmppUri(href)) || {}
    if (service === undefined || node === undefined || item === undefined) continue
    return { address: { service, node, item }, ...(title ? { name: title } : {}) }
  }
  return undefined
}

/** The first reference (RFC 4685) that leads to an item; one post may answer several. */
export function readInReplyTo(entry: Element): ItemAddress | undefined {
  for (const { attrs } of childrenOf(entry, 'in-reply-to', NS.THREAD)) {
    for (const uri of [attrs.href, attrs.ref]) {
      const { service, node, item } = readXmppUri(uri ?? '') ?? {}
      if (service !== undefined && node !== undefined && item !== undefined) return { service, node, item }
    }
  }
  return undefined
}

/** The first `atom:id` that it refers to (RFC 4685 §3). */
export function readInReplyToId(entry: Element): string | undefined {
  for (const { attrs } of childrenOf(entry, 'in-reply-to', NS.THREAD)) {
    const ref = cleanLine(attrs.ref ?? '', ADDRESS)
    if (ref !== '') return ref
  }
  return undefined
}
