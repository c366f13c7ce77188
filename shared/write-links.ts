import type { Element } from 'ltx'
import { writePlainXmppUri, writeXmppUri } from './address.ts'
import type { Picture } from './entry.ts'
import { isOwnTagUri } from './item-id.ts'
import { NS } from './ns.ts'
import { keep } from './original.ts'
import { isPictureType } from './read-entry.ts'
import type { EntryParts } from './write-entry.ts'
import type { RepostOf } from './write-repost.ts'
import { childrenOf, createElement as el } from './xml.ts'

/** The links of a post: its web page, its `xmpp:` URI, its comments, and what an original has besides. */
export function writeLinks(
  { draft, address, author, alternate, comments, original }: EntryParts,
  atomId: string,
): Element[] {
  let kept = original === undefined ? [] : childrenOf(original, 'link', NS.ATOM).map(keep)
  if (!draft.comments || comments !== undefined) kept = kept.filter((link) => !isCommentsLink(link))
  // The page of our own post may have moved with the site; that of a post written elsewhere is its author's.
  const isOurs = isOwnTagUri(atomId, author.jid, address.item)
  if (alternate !== undefined && isOurs) kept = kept.filter((link) => !isWebPage(link))
  if (draft.pictures !== undefined) kept = replacePictures(kept, draft.pictures)
  const links: Element[] = []
  if (alternate !== undefined && !kept.some(isWebPage)) {
    links.push(el('link', { rel: 'alternate', type: 'text/html', href: alternate }))
  }
  if (!kept.some((link) => isAlternate(link) && /^xmpp:/i.test(link.attrs.href ?? ''))) {
    links.push(el('link', { rel: 'alternate', href: writeXmppUri(address) }))
  }
  if (draft.comments && comments !== undefined) {
    links.push(el('link', { rel: 'replies', title: 'comments', href: writePlainXmppUri(comments) }))
  }
  if (draft.repost !== undefined) links.push(writeVia(draft.repost))
  return [...links, ...kept].sort((a, b) => rankLink(a) - rankLink(b))
}

// XEP-0277 §3.4; the name is for readers who never saw the original.
function writeVia({ via, atomId, name }: RepostOf): Element {
  // COMPAT(Movim 0.34): whatever has this title is a place for comments.
  const title = name === 'comments' ? undefined : name
  return el('link', { rel: 'via', title, href: writeXmppUri(via), ref: atomId })
}

/** Those that stay keep their place, and what else their links say, as a size. */
function replacePictures(links: readonly Element[], pictures: readonly Picture[]): Element[] {
  const write = ({ href, type, alt }: Picture, attrs: Element['attrs'] = {}) =>
    el('link', { ...attrs, rel: 'enclosure', href, type, title: alt || attrs.title })
  const find = ({ attrs }: Element) => pictures.find(({ href }) => href === attrs.href)
  const kept = links.flatMap((link) => {
    if (!isPicture(link)) return link
    const picture = find(link)
    return picture === undefined ? [] : write(picture, link.attrs)
  })
  const isNew = ({ href }: Picture) => !links.some((link) => isPicture(link) && link.attrs.href === href)
  return [...kept, ...pictures.filter(isNew).map((picture) => write(picture))]
}

// Always in the same order, so that an edit that changes nothing changes nothing.
function rankLink(link: Element): number {
  if (isCommentsLink(link)) return 2
  return isWebPage(link) ? 0 : isAlternate(link) ? 1 : 3
}

function isAlternate({ attrs }: Element): boolean {
  return attrs.rel === undefined || attrs.rel === 'alternate'
}

/** Whether a link leads to the page of the entry on the web. */
export function isWebPage(link: Element): boolean {
  return isAlternate(link) && /^https?:/i.test(link.attrs.href ?? '')
}

function isPicture({ attrs }: Element): boolean {
  return attrs.rel === 'enclosure' && isPictureType(attrs.type ?? '')
}

function isCommentsLink({ attrs }: Element): boolean {
  return attrs.rel === 'replies' && attrs.title === 'comments'
}
