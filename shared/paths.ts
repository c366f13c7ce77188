import { asItemId, type ItemAddress, type ItemId, type NodeAddress } from './address.ts'
import { type BareJid, localPart, readBareJid } from './jid.ts'
import { NS } from './ns.ts'

/** What web addresses depend on: the domain whose accounts need none in theirs. */
export interface Site {
  readonly domain: BareJid
}

/** Words after a blog's address that are ours, so that no post stands there; years are too. */
const RESERVED_SEGMENTS: ReadonlySet<string> = new Set(['tag', 'room', 'about', 'archive'])

const FROM_ROOM = 'room.'

const PLAIN_SEGMENT = /^[A-Za-z0-9][A-Za-z0-9_-]*$/
const YEAR = /^\d{4}$/

/** An item id in a web address: itself where that is plain, else `~` and its UTF-8 in base64url. */
export function writeItemSegment(id: string): string {
  return PLAIN_SEGMENT.test(id) && !isReserved(id) ? id : `~${toBase64Url(id)}`
}

/**
 * The item id of a percent-decoded segment. Whoever gets a segment that `writeItemSegment` would not write redirects
 * there. Undefined for our own words.
 */
export function readItemSegment(segment: string): ItemId | undefined {
  if (segment === '' || segment === '~' || isReserved(segment)) return undefined
  const encoded = segment.startsWith('~') ? fromBase64Url(segment.slice(1)) : undefined
  // An id may itself begin with `~`: only what we would write is taken for encoded.
  return asItemId(encoded !== undefined && writeItemSegment(encoded) === segment ? encoded : segment)
}

/** `/@juliet`, `/@romeo@montague.example`; for a service, which has no local part, the path of its microblog node. */
export function blogPath(site: Site, jid: BareJid): string {
  const local = localPart(jid)
  if (local === undefined) return `/c/${encodeSegment(jid)}/${encodeSegment(NS.MICROBLOG)}`
  const [name = '', domain] = blogName(site, jid).split('@')
  return `/@${encodeSegment(name)}${domain === undefined ? '' : `@${encodeSegment(domain)}`}`
}

/** The path of a node: a blog, or `/c/SERVICE/NODE`. */
export function nodePath(site: Site, { service, node }: NodeAddress): string {
  if (node === NS.MICROBLOG && localPart(service) !== undefined) return blogPath(site, service)
  return `/c/${encodeSegment(service)}/${encodeSegment(node)}`
}

/** The path of an item: a post. */
export function postPath(site: Site, address: ItemAddress): string {
  return `${nodePath(site, address)}/${writeItemSegment(address.item)}`
}

/** A comment in the address of its post: an answer from a room begins with `room.`, which no item's segment does. */
export function writeCommentSegment({ node, item }: ItemAddress): string {
  return `${node === NS.MIX_MESSAGES ? FROM_ROOM : ''}${writeItemSegment(item)}`
}

export function readCommentSegment(segment: string): { isFromRoom: boolean; item: ItemId } | undefined {
  const isFromRoom = segment.startsWith(FROM_ROOM)
  const item = readItemSegment(isFromRoom ? segment.slice(FROM_ROOM.length) : segment)
  return item && { isFromRoom, item }
}

/** The permanent address of a comment, on whatever page of its thread it is. */
export function commentPath(site: Site, post: ItemAddress, comment: ItemAddress): string {
  return `${postPath(site, post)}/comments/${writeCommentSegment(comment)}`
}

/** Posts with a tag, of the site or of one feed. */
export function tagPath(site: Site, tag: string, feed?: NodeAddress): string {
  return `${feed === undefined ? '' : nodePath(site, feed)}/tag/${encodeSegment(tag)}`
}

/**
 * The account of a percent-decoded segment `@juliet…`, and the segment as it should be (decoded too): where the two
 * differ, redirect to `blogPath`.
 */
export function readBlogSegment(site: Site, segment: string): { jid: BareJid; canonical: string } | undefined {
  if (!segment.startsWith('@')) return undefined
  const name = segment.slice(1)
  const jid = readBareJid(name.includes('@') ? name : `${name}@${site.domain}`)
  // A slash would begin a resource: that is not this account's address.
  if (jid === undefined || name.includes('/')) return undefined
  return { jid, canonical: `@${blogName(site, jid)}` }
}

/** What a blog is called in its address, without the `@`: `juliet`, or the whole JID where the domain is not ours. */
function blogName(site: Site, jid: BareJid): string {
  const own = `@${site.domain}`
  return jid.endsWith(own) ? jid.slice(0, -own.length) : jid
}

function isReserved(segment: string): boolean {
  return RESERVED_SEGMENTS.has(segment) || YEAR.test(segment)
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function toBase64Url(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replaceAll('=', '')
}

function fromBase64Url(text: string): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  try {
    const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
  } catch {
    return undefined
  }
}
