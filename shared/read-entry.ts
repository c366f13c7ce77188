import type { Element } from 'ltx'
import { readXmppUri } from './address.ts'
import { readContent } from './content.ts'
import { readDate } from './dates.ts'
import type { Entry, Link, Picture, PostDraft } from './entry.ts'
import { isBlank } from './invisible.ts'
import { markForeignLinks, paragraphText, plainText, sanitizeHtml, sanitizeXhtml, textToHtml } from './markup.ts'
import { readMentions } from './mentions.ts'
import { NS } from './ns.ts'
import { readComments, readInReplyTo, readInReplyToId, readLinks, readVia } from './read-links.ts'
import { cleanLine, cleanText, readDirection, shorten } from './text.ts'
import { childrenOf, isElement, isWithinBounds, textOf } from './xml.ts'

const TITLE = 300
const NAME = 200
const TAG = 100
const TAGS = 50
const EXCERPT = 200
const ADDRESS = 8192
const PICTURES = 50
const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
const FILE_NAME = /^\S+\.(?:jpe?g|png|gif|webp)$/i

/** How an entry is to be read. */
export interface ReadOptions {
  /** Marks its links as not the site's own words. */
  readonly isForeign?: boolean
}

/** Reads an atom:entry, prefixed or not. Undefined where it is none, says nothing or is out of bounds; never throws. */
export function readEntry(payload: Element, { isForeign = false }: ReadOptions = {}): Entry | undefined {
  if (!isWithinBounds(payload) || !payload.is('entry', NS.ATOM)) return undefined
  const links = readLinks(payload)
  const alternate = links.find((link) => link.rel === 'alternate' && isWebAddress(link.href))?.href
  const wholeTitle = readText(payload, 'title') ?? ''
  const atomId = readLine(payload, 'id', ADDRESS)
  const content = readContent(payload, { atomId: atomId ?? wholeTitle, alternate })
  const summary = readText(payload, 'summary')
  const inReplyTo = readInReplyTo(payload)
  if (wholeTitle === '' && content === undefined && summary === undefined && links.length === 0) return undefined

  // Movim writes a comment, and Libervia a note, as a title alone.
  const html = content?.html ?? (wholeTitle === '' ? undefined : textToHtml(wholeTitle))
  const text = html === undefined ? '' : plainText(html, { withoutNotes: true }).replace(/\s+/gu, ' ')
  const beginning = html === undefined ? '' : paragraphText(html).replace(/\s+/gu, ' ')
  const title = cleanLine(wholeTitle, TITLE) || shorten(text, TITLE)
  return {
    atomId,
    title,
    isUntitled: isBeginning(cleanLine(wholeTitle, TITLE), cleanLine(text, 1000)),
    summary: summary === undefined ? undefined : cleanLine(summary, 2000),
    source: content?.source,
    html: html !== undefined && isForeign ? markForeignLinks(html) : html,
    excerpt: shorten(beginning || cleanLine(summary ?? title, EXCERPT), EXCERPT),
    published: readDateOf(payload, 'published'),
    updated: readDateOf(payload, 'updated'),
    author: readAuthor(payload),
    tags: readTags(payload),
    language: readLanguage(payload),
    direction: readDirection(`${title} ${text.slice(0, 1000)}`),
    links,
    comments: readComments(payload),
    alternate,
    inReplyTo,
    inReplyToId: inReplyTo === undefined ? readInReplyToId(payload) : undefined,
    via: readVia(links),
    pictures: readPictures(links),
    mentions: readMentions(payload, html),
  }
}

/** What the edit form shows. A post that came without its source is edited as HTML, which Markdown is too. */
export function readDraft(payload: Element): PostDraft {
  const entry = readEntry(payload)
  if (entry === undefined) return { title: '', text: '', tags: [], language: '', summary: '', comments: false }
  const isOnlyTitle = childrenOf(payload, 'content', NS.ATOM).length === 0
  return {
    title: entry.isUntitled ? '' : entry.title,
    text: entry.source ?? (isOnlyTitle ? (readText(payload, 'title') ?? '') : asMarkdown(entry.html ?? '')),
    tags: entry.tags,
    language: entry.language ?? '',
    summary: entry.summary ?? '',
    comments: entry.comments !== undefined,
    ...(entry.pictures.length === 0 ? {} : { pictures: entry.pictures }),
  }
}

/** The plain text of an Atom text construct, of whatever type (RFC 4287 §3.1). */
export function readText(parent: Element, name: string): string | undefined {
  const [element] = childrenOf(parent, name, NS.ATOM)
  if (element === undefined) return undefined
  const type = element.attrs.type?.toLowerCase()
  const hasElements = element.children.some(isElement)
  const text =
    type === 'html' || type === 'text/html'
      ? plainText(sanitizeHtml(textOf(element)))
      : type === 'xhtml' && hasElements
        ? plainText(sanitizeXhtml(element))
        : cleanText(textOf(element))
  return isBlank(text) ? undefined : text.trim()
}

/** The name of an author and the account their `uri` claims. */
export function readAuthor(parent: Element): Entry['author'] {
  const [author] = childrenOf(parent, 'author', NS.ATOM)
  if (author === undefined) return {}
  const uri = readLine(author, 'uri', ADDRESS)
  return { name: readLine(author, 'name', NAME), jid: uri === undefined ? undefined : readXmppUri(uri)?.service }
}

/** The language of the element itself: one inherited from a stanza is the server's, not the author's. */
export function readLanguage(element: Element): string | undefined {
  const own = [element, ...['content', 'title'].flatMap((name) => childrenOf(element, name, NS.ATOM))]
  const language = own.map(({ attrs }) => attrs['xml:lang']).find((value) => value !== undefined && value !== '')
  return language !== undefined && /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/.test(language) ? language : undefined
}

/** The text of a child as one line of `length` characters at most. */
export function readLine(parent: Element, name: string, length: number): string | undefined {
  const [element] = childrenOf(parent, name, NS.ATOM)
  return element === undefined ? undefined : cleanLine(textOf(element), length) || undefined
}

/** The date in a child. */
export function readDateOf(parent: Element, name: string): Date | undefined {
  const [element] = childrenOf(parent, name, NS.ATOM)
  return element === undefined ? undefined : readDate(textOf(element))
}

function isBeginning(title: string, text: string): boolean {
  if (title === '' || title === '…' || title === text) return true
  return title.endsWith('…') && text.startsWith(title.slice(0, -1))
}

function readTags(entry: Element): string[] {
  const tags = new Map<string, string>()
  for (const { attrs } of childrenOf(entry, 'category', NS.ATOM).slice(0, TAGS)) {
    const tag = cleanLine(attrs.term ?? '', TAG)
      .replace(/^#+\s*/, '')
      .normalize('NFC')
    // A path of dots cannot be asked for: browsers resolve it away.
    if (tag !== '' && !/^\.+$/.test(tag) && !tags.has(tag.toLowerCase())) tags.set(tag.toLowerCase(), tag)
  }
  return [...tags.values()]
}

/** Pictures that browsers show. Movim gives the name of a file for a title, which says nothing to those who cannot see. */
function readPictures(links: readonly Link[]): Picture[] {
  const pictures = new Map<string, Picture>()
  for (const { rel, href, type = '', title = '' } of links) {
    if (rel !== 'enclosure' || !isWebAddress(href) || !isPictureType(type) || pictures.size >= PICTURES) continue
    if (!pictures.has(href)) pictures.set(href, { href, type, alt: FILE_NAME.test(title) ? '' : title })
  }
  return [...pictures.values()]
}

/** Whether a media type is one of the pictures that both peers show. */
export function isPictureType(type: string): boolean {
  return PICTURE_TYPES.includes(type.toLowerCase())
}

/** Whether an address is one of the web. */
export function isWebAddress(href: string): boolean {
  return ['http:', 'https:'].includes(URL.parse(href)?.protocol ?? '')
}

// Markdown takes a block of HTML as it is up to the next empty line.
function asMarkdown(html: string): string {
  return `<div>\n${html.replace(/\n(?=[ \t]*\n)/g, '&#10;')}\n</div>`
}
