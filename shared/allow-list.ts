import type { IOptions } from 'sanitize-html'
import { cleanText } from './text.ts'

/** How one piece of markup is cleaned. */
export interface SanitizeOptions {
  /** Put before every id, and before the `#` links to them, so that two posts on a page never share one. */
  readonly idPrefix?: string
  /** What relative addresses stand for; without it they are dropped, for they would lead into our own site. */
  readonly base?: string
  /** Link relations for words that are not the site's: `nofollow noopener ugc`. */
  readonly isForeign?: boolean
}

/** The markup a post may have. What is not here is dropped, its text kept. */
export const ALLOWED_TAGS: readonly string[] = [
  ...['p', 'br', 'hr', 'div', 'section', 'blockquote', 'pre', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'],
  ...['ul', 'ol', 'li', 'dl', 'dt', 'dd', 'figure', 'figcaption', 'details', 'summary', 'address'],
  ...['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
  ...[
    'a',
    'em',
    'strong',
    'b',
    'i',
    'u',
    's',
    'del',
    'ins',
    'code',
    'kbd',
    'samp',
    'var',
    'sub',
    'sup',
    'small',
    'mark',
  ],
  ...['abbr', 'cite', 'q', 'dfn', 'time', 'span', 'bdi', 'bdo', 'ruby', 'rt', 'rp', 'img'],
]

/** Attributes by element; `*` for all. No `style`, no event handler, and of classes only those below. */
export const ALLOWED_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  '*': ['id', 'dir', 'lang', 'title'],
  a: ['href', 'rel'],
  img: ['src', 'alt', 'width', 'height'],
  ol: ['start', 'reversed', 'type'],
  li: ['value'],
  th: ['align', 'colspan', 'rowspan', 'scope'],
  td: ['align', 'colspan', 'rowspan'],
  time: ['datetime'],
  details: ['open'],
}

/** The only classes: the language of code, and the notes at the end. */
const ALLOWED_CLASSES: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  code: [/^language-[\w+#.-]{1,40}$/],
  section: ['footnotes'],
}

const LINK_SCHEMES = ['http:', 'https:', 'mailto:', 'xmpp:', 'tel:']
const PICTURE_SCHEMES = ['http:', 'https:']
/** Elements whose content is no text of the post. */
export const DROPPED_WHOLE: readonly string[] = [
  ...['script', 'style', 'title', 'head', 'textarea', 'option', 'select', 'xmp', 'iframe', 'object', 'embed', 'applet'],
  ...['noscript', 'noembed', 'noframes', 'plaintext', 'template', 'svg', 'math', 'audio', 'video', 'canvas', 'button'],
]
const ALLOWED = new Set(ALLOWED_TAGS)
/** The `rel` of links that are not the site's own words. */
export const FOREIGN = 'nofollow noopener ugc'
/** Characters of an address: about what browsers and servers take. */
const LONGEST_ADDRESS = 8_192
// Deeper markup breaks Libervia (at 1,000) and ejabberd (at 10,000); nobody writes it.
const NESTING = 100
const NUMBERS = ['width', 'height', 'colspan', 'rowspan', 'start', 'value']
const ONE_OF: Readonly<Record<string, RegExp>> = {
  dir: /^(?:ltr|rtl|auto)$/i,
  lang: /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/,
  align: /^(?:left|right|center)$/i,
  scope: /^(?:row|col|rowgroup|colgroup)$/i,
  type: /^[1aAiI]$/,
}

/** The same lists as sanitize-html takes them; `onDropped` hears of every tag that will not be in the result. */
export function sanitizeOptions(options: SanitizeOptions, onDropped: () => void): IOptions {
  return {
    allowedTags: [...ALLOWED_TAGS],
    allowedAttributes: Object.fromEntries(Object.entries(ALLOWED_ATTRIBUTES).map(([tag, names]) => [tag, [...names]])),
    allowedClasses: Object.fromEntries(Object.entries(ALLOWED_CLASSES).map(([tag, names]) => [tag, [...names]])),
    allowedSchemes: ['http', 'https', 'mailto', 'xmpp', 'tel'],
    allowedSchemesByTag: { img: ['http', 'https'] },
    allowProtocolRelative: false,
    nonTextTags: [...DROPPED_WHOLE],
    nestingLimit: NESTING,
    transformTags: {
      img: (_, attribs) => cleanPicture(attribs, options),
      input: (_, attribs) => ({ tagName: 'span', attribs: {}, text: checkbox(attribs) }),
      '*': (name, attribs) => {
        const attrs = cleanAttributes(attribs, options)
        if (isDropped(name, attrs)) onDropped()
        if (options.isForeign === true && name === 'a' && attrs.href?.startsWith('#') === false) attrs.rel = FOREIGN
        return { tagName: name, attribs: attrs }
      },
    },
  }
}

type Attributes = Record<string, string>

// A span or a link without attributes goes later, in html-tree.ts.
function isDropped(tag: string, attrs: Attributes): boolean {
  const kept = [...(ALLOWED_ATTRIBUTES['*'] ?? []), ...(ALLOWED_ATTRIBUTES[tag] ?? [])]
  return !ALLOWED.has(tag) || ((tag === 'span' || tag === 'a') && !kept.some((name) => attrs[name] !== undefined))
}

/** A picture that may not be shown is its alternative text. */
function cleanPicture(attribs: Attributes, options: SanitizeOptions) {
  const attrs = cleanAttributes(attribs, options)
  attrs.alt ??= ''
  return attrs.src === undefined
    ? { tagName: 'span', attribs: {}, text: attrs.alt }
    : { tagName: 'img', attribs: attrs }
}

function cleanAttributes(attribs: Attributes, options: SanitizeOptions): Attributes {
  const attrs: Attributes = {}
  for (const [name, raw] of Object.entries(attribs)) {
    const value = cleanAttribute(name, cleanText(raw), options)
    if (value !== undefined) attrs[name] = value
  }
  return attrs
}

function cleanAttribute(name: string, value: string, options: SanitizeOptions): string | undefined {
  if (name === 'href')
    return value.startsWith('#') ? `#${cleanId(value.slice(1), options)}` : cleanAddress(value, LINK_SCHEMES, options)
  if (name === 'src') return cleanAddress(value, PICTURE_SCHEMES, options)
  if (name === 'id') return cleanId(value, options)
  // Ours to decide; a remote `rel` could be `me` or `author`.
  if (name === 'rel') return undefined
  if (name === 'open' || name === 'reversed') return name
  if (NUMBERS.includes(name)) return /^\d{1,5}$/.test(value) ? value : undefined
  const pattern = ONE_OF[name]
  if (pattern !== undefined) return pattern.test(value) ? value : undefined
  // COMPAT(Movim 0.34): an apostrophe in an attribute breaks its stream parser.
  return value.replace(/'/g, '’')
}

function cleanId(value: string, { idPrefix = 'in' }: SanitizeOptions): string {
  const id = value.slice(0, 200).replace(/[^A-Za-z0-9_-]+/g, '_')
  return id.startsWith(`${idPrefix}-`) ? id : `${idPrefix}-${id}`
}

function cleanAddress(value: string, schemes: readonly string[], { base }: SanitizeOptions): string | undefined {
  if (value.length > LONGEST_ADDRESS) return undefined
  // Browsers drop tabs and line ends inside an address, and so would let `java\nscript:` through.
  const text = value.replace(/[\t\r\n]/g, '').trim()
  const url = URL.parse(text) ?? (base === undefined || text === '' ? null : URL.parse(text, base))
  if (url === null || !schemes.includes(url.protocol)) return undefined
  return (url.protocol.startsWith('http') ? url.href : text).replace(/'/g, '%27')
}

function checkbox(attribs: Attributes): string {
  if (attribs.type?.toLowerCase() !== 'checkbox') return ''
  return attribs.checked === undefined ? '☐' : '☑'
}
