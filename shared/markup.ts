import type { Element } from 'ltx'
import sanitize from 'sanitize-html'
import { writeXmppUri } from './address.ts'
import { FOREIGN, type SanitizeOptions, sanitizeOptions } from './allow-list.ts'
import { countOpen, writeForeign } from './foreign-html.ts'
import { elementsOf, isInside, normalizeTree, treeText, withoutFootnotes, writeTree } from './html-tree.ts'
import { convertMarkdown } from './markdown.ts'
import { type MentionMark, splitMentions } from './mentions.ts'
import { NS } from './ns.ts'
import { cleanText, escapeXml, trimmedLines } from './text.ts'
import { createElement, isWithinBounds, parseXml } from './xml.ts'

export type { SanitizeOptions }

declare const safeHtml: unique symbol

/** HTML that may be printed as it is, well-formed as XML too. Only this file makes one. */
export type SafeHtml = string & { readonly [safeHtml]: true }

const LONGEST = 2_000_000
// The parser's work grows with the square of how deep tags are open.
const DEEPEST = 500

/** Cleans HTML by the allow-list. Headings begin at h2; relative addresses need a `base`. Never throws. */
export function sanitizeHtml(html: string, options: SanitizeOptions = {}): SafeHtml {
  if (html.length > LONGEST || countOpen(html) > DEEPEST) return withoutTags(html)
  let [safe, isStable] = [cleanText(html), false]
  // Where a tag goes, what it held apart meets: `<p><x><p>` is parsed anew, until it stays as it is.
  for (let pass = 0; pass < 4 && !isStable; pass++) {
    isStable = true
    const cleaned = sanitize(
      safe,
      sanitizeOptions(options, () => {
        isStable = false
      }),
    )
    const tree = readTree(cleaned)
    if (tree === undefined) return withoutTags(html)
    safe = writeTree(normalizeTree(tree))
  }
  return safe as SafeHtml
}

/** Renders Markdown (GFM, footnotes, raw HTML) by the same allow-list; what is no Markdown, as plain text. */
export function renderMarkdown(
  markdown: string,
  options: SanitizeOptions & {
    /** Lines end where they were ended, and tags are only words. */ readonly isComment?: boolean
  } = {},
): SafeHtml {
  const html = convertMarkdown(cleanText(markdown), options)
  return html === undefined ? textToHtml(markdown) : sanitizeHtml(html, options)
}

/** Cleans XHTML as another client wrote it: the content of a `div` or `body`, whatever its prefixes. */
export function sanitizeXhtml(element: Element, options: SanitizeOptions = {}): SafeHtml {
  return isWithinBounds(element) ? sanitizeHtml(writeForeign(element), options) : ('' as SafeHtml)
}

/** The same as a `div` for the wire: no link relations, nothing that the peers' parsers would lose. */
export function toXhtml(html: SafeHtml): Element {
  const tree = readTree(html) ?? createElement('div', {}, html)
  for (const element of elementsOf(tree)) delete element.attrs.rel
  tree.attrs.xmlns = NS.XHTML
  return tree
}

/** Plain text as HTML: only escaped. */
export function escapeText(text: string): SafeHtml {
  return escapeXml(text) as SafeHtml
}

/** Plain text as paragraphs, with line breaks; web addresses and mentions are links. */
export function textToHtml(text: string, { isForeign = false }: SanitizeOptions = {}): SafeHtml {
  const rel = isForeign ? ` rel="${FOREIGN}"` : ''
  const paragraphs = cleanText(text)
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const write = (part: string) =>
    part
      .split(WEB_ADDRESS)
      .map((piece, i) => (i % 2 === 1 && URL.canParse(piece) ? writeLink(piece, rel) : writeWords(piece, rel)))
  return paragraphs.map((part) => `<p>${trimmedLines(write(part).join('')).join('<br />')}</p>`).join('') as SafeHtml
}

/** The running text alone, for an excerpt: its paragraphs, without headings, lists, tables, code and notes. */
export function paragraphText(html: SafeHtml): string {
  const tree = readTree(html)
  if (tree === undefined) return ''
  const paragraphs = withoutFootnotes(tree).filter(({ name }) => name === 'p')
  const texts = (paragraphs.length === 0 ? [tree] : paragraphs).map((element) => treeText(element, true))
  return trimmedLines(texts.join('\n')).join('\n')
}

/** The words of some markup as plain text, a line for each block; `withoutNotes` leaves footnotes out. */
export function plainText(html: SafeHtml, { withoutNotes = false } = {}): string {
  const tree = readTree(html)
  return tree === undefined ? '' : trimmedLines(treeText(tree, withoutNotes)).join('\n')
}

/** Targets of the links and pictures in markup. */
export function listAddresses(html: SafeHtml): string[] {
  const tree = readTree(html)
  return tree === undefined ? [] : elementsOf(tree).flatMap(({ attrs }) => attrs.href ?? attrs.src ?? [])
}

/** Lets mentions lead where `pathOf` says; those that it knows nothing of keep their `xmpp:` address. */
export function linkMentions(
  html: SafeHtml,
  marks: readonly MentionMark[],
  pathOf: (jid: MentionMark['jid']) => string | undefined,
): SafeHtml {
  const pieces: string[] = []
  let done = 0
  for (const { at, jid } of marks) {
    const path = pathOf(jid)
    if (path === undefined) continue
    pieces.push(html.slice(done, at), escapeXml(path))
    done = html.indexOf('"', at)
  }
  return (pieces.length === 0 ? html : pieces.join('') + html.slice(done)) as SafeHtml
}

/** Lets every picture come from where `map` says, when it is seen. More than `most` are links to where they are. */
export function proxyPictures(html: SafeHtml, map: (src: string) => string, most = Number.POSITIVE_INFINITY): SafeHtml {
  if (!html.includes('<img')) return html
  let count = 0
  return rewrite(html, (element) => {
    if (element.name !== 'img') return
    count++
    if (count > most) return linkPicture(element)
    element.attrs.src = map(element.attrs.src ?? '')
    element.attrs.loading = 'lazy'
  })
}

/** Lets whoever has only a keyboard scroll what may be wider than the page; never for the wire. */
export function makeScrollable(html: SafeHtml): SafeHtml {
  // Tags are the only `<` in it.
  return html
    .replace(/<pre(?=[\s>])/g, '$& tabindex="0"')
    .replace(/<table(?=[\s>])/g, '<div class="wide" tabindex="0">$&')
    .replace(/<\/table>/g, '$&</div>') as SafeHtml
}

/** Makes the links within a text, and what is still relative, addresses of the page at `base`: for feeds. */
export function absoluteLinks(html: SafeHtml, base: string): SafeHtml {
  return rewrite(html, ({ attrs }) => {
    for (const name of ['href', 'src']) {
      const value = attrs[name]
      if (value !== undefined) attrs[name] = URL.parse(value, base)?.href ?? value
    }
  })
}

/** Pictures as figures, with their descriptions: for feeds, whose readers show only what is in the text. */
export function picturesToHtml(pictures: readonly { readonly href: string; readonly alt: string }[]): SafeHtml {
  const figures = pictures.map(({ href, alt }) => {
    const caption = alt === '' ? '' : `<figcaption>${escapeXml(alt)}</figcaption>`
    return `<figure><img src="${escapeXml(href)}" alt="${escapeXml(alt)}">${caption}</figure>`
  })
  return sanitizeHtml(figures.join(''))
}

export function joinHtml(parts: readonly SafeHtml[]): SafeHtml {
  return parts.join('') as SafeHtml
}

/** Marks links as not the site's own words. */
export function markForeignLinks(html: SafeHtml): SafeHtml {
  return rewrite(html, ({ name, attrs }) => {
    if (name === 'a' && attrs.href?.startsWith('#') === false) attrs.rel = FOREIGN
  })
}

const WEB_ADDRESS = /(https?:\/\/[^\s<>"'“”«»]*[^\s<>"'“”«».,;:!?)\]}])/

function writeWords(text: string, rel: string): string {
  const pieces = splitMentions(text).map((piece) =>
    typeof piece === 'string'
      ? escapeXml(piece)
      : `<a href="${escapeXml(writeXmppUri({ service: piece.jid }))}"${rel}>${escapeXml(piece.text)}</a>`,
  )
  return pieces.join('')
}

function writeLink(address: string, rel: string): string {
  return `<a href="${escapeXml(new URL(address).href.replace(/'/g, '%27'))}"${rel}>${escapeXml(address)}</a>`
}

/** Makes a picture a link with its words; within a link, its words alone. */
function linkPicture(element: Element): void {
  const { src = '', alt = '' } = element.attrs
  const words = alt === '' ? src : alt
  const link = isInside(element, 'a') ? words : createElement('a', { href: src, rel: FOREIGN }, words)
  element.name = 'span'
  element.attrs = {}
  // There is no space between two pictures (`normalizeTree`).
  element.children = [link, ' ']
}

function rewrite(html: SafeHtml, change: (element: Element) => void): SafeHtml {
  const tree = readTree(html)
  if (tree === undefined) return html
  for (const element of elementsOf(tree)) change(element)
  return writeTree(tree) as SafeHtml
}

/** What is left of markup that cannot be read. */
function withoutTags(html: string): SafeHtml {
  return textToHtml(html.slice(0, LONGEST).replace(/<[^<>]*>/g, ' '))
}

function readTree(html: string): Element | undefined {
  return parseXml(`<div>${html}</div>`)
}
