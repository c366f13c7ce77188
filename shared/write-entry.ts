import type { Element } from 'ltx'
import { type ItemAddress, type NodeAddress, readXmppUri, writePlainXmppUri, writeXmppUri } from './address.ts'
import { idPrefix } from './content.ts'
import { type Contributor, writeContributor } from './contributor.ts'
import { writeDate } from './dates.ts'
import type { Author, PostDraft } from './entry.ts'
import { plainText, renderMarkdown, textToHtml, toXhtml } from './markup.ts'
import { isMention, writeMentions } from './mentions.ts'
import { NS } from './ns.ts'
import { keep, keptAttributes, readOriginal } from './original.ts'
import { cleanLine, cleanText, shorten } from './text.ts'
import { isWebPage, writeLinks } from './write-links.ts'
import { childrenOf, cloneXml, createElement as el, isElement, textOf } from './xml.ts'

const NOTE_TITLE = 80
const TITLE = 300
const IRI = /^[a-z][a-z0-9+.-]*:[^\s'"<>]{1,1000}$/i

/** What a post is written from. */
export interface EntryParts {
  readonly draft: PostDraft
  readonly address: ItemAddress
  readonly author: Author
  /** For a new post; an edit keeps the one it has. */
  readonly atomId: string
  /** For a new post; an edit keeps the one it has. */
  readonly published: Date
  readonly updated: Date
  /** The web page, http(s). */
  readonly alternate?: string
  readonly comments?: NodeAddress
  /** What an edit replaces: everything in it that we do not understand stays. */
  readonly original?: Element
}

/** Writes a post for the wire (design, "On the wire"). */
export function writeEntry(parts: EntryParts): Element {
  const { draft, author, updated, original } = parts
  const atomId = (original === undefined ? '' : readOriginal(original, 'id')) || parts.atomId
  const published = (original === undefined ? '' : readOriginal(original, 'published')) || writeDate(parts.published)
  const links = writeLinks(parts, atomId)
  const html = renderMarkdown(draft.text, {
    idPrefix: idPrefix(atomId),
    base: links.find(isWebPage)?.attrs.href,
  })
  const summary = cleanText(draft.summary).trim()
  const hasText = draft.text.trim() !== ''
  return el(
    'entry',
    { xmlns: NS.ATOM, ...keptAttributes(original), 'xml:lang': draft.language || undefined },
    el('title', { type: 'text' }, cleanLine(draft.title, TITLE) || noteTitle(plainText(html, { withoutNotes: true }))),
    el('id', {}, atomId),
    el('published', {}, published),
    el('updated', {}, writeDate(updated)),
    ...writeAuthors(author, original),
    ...writeCategories(draft.tags, original),
    summary === '' ? undefined : el('summary', { type: 'text' }, summary),
    hasText ? el('content', { type: 'text' }, draft.text) : undefined,
    hasText ? el('content', { type: 'xhtml' }, toXhtml(html)) : undefined,
    ...links,
    ...writeMentions(html),
    ...(original?.children.filter(isElement).filter((child) => !isUnderstood(child)) ?? []).map(keep),
  )
}

/** What a comment is written from. */
export interface CommentParts {
  readonly text: string
  readonly address: ItemAddress
  readonly author: Author
  readonly published: Date
  /** The post or the comment it answers. */
  readonly inReplyTo?: ItemAddress
  /** The `id` of what it answers, where that is known. */
  readonly answeredId?: string
  readonly atomId?: string
  /** Whose words they are, where its author only publishes them. */
  readonly contributor?: Contributor
}

/** Writes a comment: its title is all of its text, for Movim shows no more; Markdown brings two contents too. */
export function writeComment(parts: CommentParts): Element {
  const { address, author, published, inReplyTo } = parts
  const text = cleanText(parts.text).trim()
  const date = writeDate(published)
  const atomId = parts.atomId ?? writeXmppUri(address)
  const html = renderMarkdown(text, { idPrefix: idPrefix(atomId), isForeign: true, isComment: true })
  // Libervia shows a title above the content: a comment without markup has only the one.
  const mentions = writeMentions(html)
  const isMarkedUp = mentions.length > 0 || html !== textToHtml(text, { isForeign: true })
  // COMPAT(Movim 0.34): it reads only the unprefixed element, and compares the address as text.
  const href = inReplyTo === undefined ? undefined : writePlainXmppUri(inReplyTo)
  // Some write no IRI as the id of theirs: then it is called by its address (RFC 4685 §3).
  const ref = IRI.test(parts.answeredId ?? '') ? parts.answeredId : href
  return el(
    'entry',
    { xmlns: NS.ATOM },
    el('title', { type: 'text' }, isMarkedUp ? plainText(html) : text),
    el('id', {}, atomId),
    el('published', {}, date),
    el('updated', {}, date),
    writeAuthor(author),
    parts.contributor === undefined ? undefined : writeContributor(parts.contributor),
    isMarkedUp ? el('content', { type: 'text' }, text) : undefined,
    isMarkedUp ? el('content', { type: 'xhtml' }, toXhtml(html)) : undefined,
    el('link', { rel: 'alternate', href: writeXmppUri(address) }),
    href === undefined ? undefined : el('in-reply-to', { xmlns: NS.THREAD, ref, href }),
    ...mentions,
  )
}

/** A copy of an entry with this web page, or none: what `relink` publishes, all else as it was. */
export function writeAlternate(payload: Element, alternate: string | undefined): Element {
  const copy = cloneXml(payload)
  const isPage = (child: unknown) => isElement(child) && child.is('link', NS.ATOM) && isWebPage(child)
  const at = copy.children.findIndex(isPage)
  const prefix = copy.name.slice(0, copy.name.length - copy.getName().length)
  copy.children = copy.children.filter((child) => !isPage(child))
  if (alternate === undefined) return copy
  const link = el(`${prefix}link`, { rel: 'alternate', type: 'text/html', href: alternate })
  link.parent = copy
  copy.children.splice(at < 0 ? copy.children.length : at, 0, link)
  return copy
}

/** The title of a note without one: the beginning of its text. */
function noteTitle(text: string): string {
  const line = cleanLine(text, 1000)
  return line.length > NOTE_TITLE ? shorten(line, NOTE_TITLE) : line || '…'
}

/** `author` as both peers want it: the plain `xmpp:` address. */
export function writeAuthor({ jid, name }: Author): Element {
  return el('author', {}, el('name', {}, cleanLine(name, 200) || jid), el('uri', {}, writeXmppUri({ service: jid })))
}

function writeAuthors(author: Author, original: Element | undefined): Element[] {
  const authors = original === undefined ? [] : childrenOf(original, 'author', NS.ATOM)
  const [first, ...others] = authors
  const uri = first === undefined ? undefined : childrenOf(first, 'uri', NS.ATOM)[0]
  // Somebody else's words, sent on: they stay theirs.
  if (uri !== undefined && readXmppUri(textOf(uri))?.service !== author.jid) return authors.map(keep)
  const own = writeAuthor(author)
  for (const child of first?.children.filter(isElement) ?? []) {
    if (!child.is('name', NS.ATOM) && !child.is('uri', NS.ATOM)) own.cnode(keep(child))
  }
  return [own, ...others.map(keep)]
}

function writeCategories(tags: readonly string[], original: Element | undefined): Element[] {
  const known = original === undefined ? [] : childrenOf(original, 'category', NS.ATOM)
  return tags.map((tag) => {
    const same = known.find(({ attrs }) => attrs.term === tag)
    return same === undefined ? el('category', { term: tag }) : keep(same)
  })
}

const UNDERSTOOD = ['title', 'id', 'published', 'updated', 'author', 'category', 'summary', 'content', 'link']

function isUnderstood(child: Element): boolean {
  return isMention(child) || (child.getNS() === NS.ATOM && UNDERSTOOD.includes(child.getName()))
}
