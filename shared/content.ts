import type { Element } from 'ltx'
import { isBlank } from './invisible.ts'
import { renderMarkdown, type SafeHtml, type SanitizeOptions, sanitizeHtml, sanitizeXhtml } from './markup.ts'
import { NS } from './ns.ts'
import { cleanText } from './text.ts'
import { childrenOf, isElement, textOf } from './xml.ts'

/** The text of an entry, clean, and its source where there is one. */
export interface Content {
  readonly html: SafeHtml
  readonly source?: string
}

/**
 * The content of an entry. XEP-0277 has two, against RFC 4287: the XHTML is what its author means, the text its source;
 * whichever is missing is made of the other.
 */
export function readContent(
  entry: Element,
  { atomId, alternate }: { atomId: string; alternate?: string },
): Content | undefined {
  const contents = childrenOf(entry, 'content', NS.ATOM)
  const text = contents.find((content) => isText(content) && !isBlank(textOf(content)))
  const xhtml = contents.find((content) => typeOf(content) === 'xhtml' && content.children.some(isElement))
  const html = contents.find((content) => ['html', 'text/html'].includes(typeOf(content)) && !isBlank(textOf(content)))
  const source = text === undefined ? undefined : cleanText(textOf(text))
  const options = { idPrefix: idPrefix(atomId), base: readBase(xhtml ?? html ?? text, entry) ?? alternate }
  const safe = readMarkup(xhtml, html, options)
  if (safe !== undefined) return { html: safe, source }
  return source === undefined ? undefined : { html: renderMarkdown(source, options), source }
}

/** A prefix for the ids in a post: letters and digits that follow from its atom:id, the same for everyone. */
export function idPrefix(atomId: string): string {
  // FNV-1a, 32 bits: only a name, not a proof.
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(atomId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return `p${hash.toString(36)}`
}

function readMarkup(
  xhtml: Element | undefined,
  html: Element | undefined,
  options: SanitizeOptions,
): SafeHtml | undefined {
  if (xhtml !== undefined) {
    const elements = xhtml.children.filter(isElement)
    const [only] = elements
    const isWrapped = elements.length === 1 && only !== undefined && ['div', 'body'].includes(only.getName())
    const safe = sanitizeXhtml(isWrapped ? only : xhtml, options)
    if (safe !== '') return safe
  }
  return html === undefined ? undefined : sanitizeHtml(textOf(html), options)
}

function isText(content: Element): boolean {
  return ['', 'text', 'text/plain', 'text/markdown'].includes(typeOf(content))
}

function typeOf(content: Element): string {
  return (content.attrs.type ?? '').trim().toLowerCase()
}

function readBase(content: Element | undefined, entry: Element): string | undefined {
  const base = content?.attrs['xml:base'] ?? entry.attrs['xml:base'] ?? ''
  return ['http:', 'https:'].includes(URL.parse(base)?.protocol ?? '') ? base : undefined
}
