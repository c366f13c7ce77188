import { type Element, unescapeXML } from 'ltx'
import { readXmppUri, writeXmppUri } from './address.ts'
import { type BareJid, readBareJid } from './jid.ts'
import type { SafeHtml } from './markup.ts'
import { NS } from './ns.ts'
import { childrenOf, createElement as el } from './xml.ts'

/** As many as anybody is told of: more in one text are only links. */
export const MOST_MENTIONS = 20

/** Links in one text that are looked at; of more the rest keep their `xmpp:` address. */
const MOST_LINKS = 1_000
/** Tags between the start of a link and its words. */
const MOST_TAGS = 4

/** A link in markup that mentions somebody. */
export interface MentionMark {
  /** Offset of its address in UTF-16 units: behind `href="`. */
  readonly at: number
  readonly jid: BareJid
}

const LOCAL = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}._+~-]{0,100}[\\p{L}\\p{N}_])?'
const DOMAIN = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}.-]{0,200}[\\p{L}\\p{N}])?'
// Not within an address or a path.
const MENTION = new RegExp(`(?<![\\p{L}\\p{N}._%+@/~-])@(${LOCAL}@${DOMAIN})(?!@)`, 'u')
const BEGINS_WITH = new RegExp(`^@(${LOCAL}@${DOMAIN})(?!@)`, 'u')

/** Where a text next mentions somebody (`@romeo@montague.example`); -1 for nowhere. */
export function findMentionStart(text: string): number {
  return text.search(MENTION)
}

/** Who is mentioned at the very beginning of a text, and in how many UTF-16 units. */
export function readMention(text: string): { readonly jid: BareJid; readonly length: number } | undefined {
  const found = BEGINS_WITH.exec(text.slice(0, 400))
  const jid = found === null ? undefined : readBareJid(found[1] ?? '')
  return found === null || jid === undefined ? undefined : { jid, length: found[0].length }
}

/** A text as pieces and the mentions between them, each as it stands there. */
export function splitMentions(text: string): readonly (string | { readonly jid: BareJid; readonly text: string })[] {
  return text.split(new RegExp(MENTION, 'gu')).map((piece, i) => {
    const jid = i % 2 === 1 ? readBareJid(piece) : undefined
    return jid === undefined ? `${i % 2 === 1 ? '@' : ''}${piece}` : { jid, text: `@${piece}` }
  })
}

/** Accounts that links in markup mention, each once, at most `MOST_MENTIONS`. */
export function findMentions(html: SafeHtml): readonly BareJid[] {
  return [...new Set(markMentions(html).map(({ jid }) => jid))].slice(0, MOST_MENTIONS)
}

/** The links to an account whose words begin with `@`, in their order. Takes time that grows with the markup alone. */
export function markMentions(html: SafeHtml): MentionMark[] {
  const marks: MentionMark[] = []
  // In clean markup every `<` begins a tag, and no value has a `>` or a `"` in it.
  let start = html.indexOf('<a ')
  for (let links = 0; start >= 0 && links < MOST_LINKS; links++) {
    const end = html.indexOf('>', start)
    const tag = html.slice(start, end)
    const href = tag.indexOf(' href="xmpp:')
    if (href >= 0 && beginsWithAt(html, end + 1)) {
      const at = href + ' href="'.length
      const jid = readAccount(unescapeXML(tag.slice(at, tag.indexOf('"', at))))
      if (jid !== undefined) marks.push({ at: start + at, jid })
    }
    start = html.indexOf('<a ', end)
  }
  return marks
}

function beginsWithAt(html: string, start: number): boolean {
  let at = start
  for (let tags = 0; tags < MOST_TAGS && html[at] === '<'; tags++) at = html.indexOf('>', at) + 1
  return html[at] === '@'
}

/** References (XEP-0372) for an entry: without offsets, which count in the body of a message. */
export function writeMentions(html: SafeHtml): readonly Element[] {
  return findMentions(html).map((jid) => writeReference(jid))
}

/** The same for the body of a message: offsets are Unicode code points. */
export function writeBodyMentions(body: string): readonly Element[] {
  const references: Element[] = []
  let begin = 0
  for (const piece of splitMentions(body)) {
    const end = begin + [...(typeof piece === 'string' ? piece : piece.text)].length
    if (typeof piece !== 'string' && references.length < MOST_MENTIONS) {
      references.push(writeReference(piece.jid, { begin: String(begin), end: String(end) }))
    }
    begin = end
  }
  return references
}

/** Whom an entry or a message mentions, by its references and the links in its text. Each once, so many at most. */
export function readMentions(payload: Element, html: SafeHtml | undefined): readonly BareJid[] {
  const references = childrenOf(payload, 'reference', NS.REFERENCE).slice(0, MOST_MENTIONS * 10)
  const named = references.flatMap(({ attrs }) =>
    attrs.type === 'mention' ? (readAccount(attrs.uri ?? '') ?? []) : [],
  )
  return [...new Set([...named, ...(html === undefined ? [] : findMentions(html))])].slice(0, MOST_MENTIONS)
}

/** Whether a child of an entry is a mention, which whoever edits the text writes anew. */
export function isMention(child: Element): boolean {
  return child.is('reference', NS.REFERENCE) && child.attrs.type === 'mention'
}

function writeReference(jid: BareJid, offsets: { begin?: string; end?: string } = {}): Element {
  return el('reference', { xmlns: NS.REFERENCE, type: 'mention', ...offsets, uri: writeXmppUri({ service: jid }) })
}

/** The account that an `xmpp:` address is of, unless it is of a node there. */
function readAccount(uri: string): BareJid | undefined {
  const address = readXmppUri(uri)
  return address?.node === undefined && address?.service.includes('@') ? address.service : undefined
}
