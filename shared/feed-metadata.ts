import type { Element } from 'ltx'
import type { NodeAddress } from './address.ts'
import { writeXmppUri } from './address.ts'
import { writeDate } from './dates.ts'
import type { Author, Entry } from './entry.ts'
import { NS } from './ns.ts'
import { keep } from './original.ts'
import { readAuthor, readDateOf, readLanguage, readText } from './read-entry.ts'
import { cleanLine } from './text.ts'
import { writeAuthor } from './write-entry.ts'
import { childrenOf, createElement as el, isElement, isWithinBounds, textOf } from './xml.ts'

/** The id of the item that holds a blog's title and description (XEP-0277 §6). */
export const METADATA_ITEM = '0'

/** What a blog says about itself. */
export interface FeedMetadata {
  readonly title?: string
  readonly description?: string
  readonly author: Entry['author']
  readonly language?: string
  readonly updated?: Date
}

/** Reads item `0`. Undefined where it is no atom:feed or out of bounds. */
export function readFeedMetadata(payload: Element): FeedMetadata | undefined {
  if (!isWithinBounds(payload) || !payload.is('feed', NS.ATOM)) return undefined
  return {
    title: line(readText(payload, 'title'), 300),
    description: line(readText(payload, 'subtitle'), 2000),
    author: readAuthor(payload),
    language: readLanguage(payload),
    updated: readDateOf(payload, 'updated'),
  }
}

/** What item `0` is written from. */
export interface FeedMetadataParts {
  readonly address: NodeAddress
  readonly title: string
  readonly description: string
  readonly author: Author
  readonly language?: string
  readonly updated: Date
  /** The item as it is: its id and what we do not understand stay. */
  readonly original?: Element
}

/** Writes item `0`. */
export function writeFeedMetadata(parts: FeedMetadataParts): Element {
  const { address, title, description, author, language, updated, original } = parts
  const id = original === undefined ? undefined : childrenOf(original, 'id', NS.ATOM)[0]
  const kept = original?.children.filter(isElement).filter((child) => !isWritten(child)) ?? []
  return el(
    'feed',
    { xmlns: NS.ATOM, 'xml:lang': language || undefined },
    el('title', { type: 'text' }, cleanLine(title, 300)),
    description.trim() === '' ? undefined : el('subtitle', { type: 'text' }, description.trim()),
    el('id', {}, (id === undefined ? '' : textOf(id).trim()) || writeXmppUri(address)),
    el('updated', {}, writeDate(updated)),
    writeAuthor(author),
    ...kept.map(keep),
  )
}

function isWritten(child: Element): boolean {
  return child.getNS() === NS.ATOM && ['title', 'subtitle', 'id', 'updated', 'author'].includes(child.getName())
}

function line(text: string | undefined, length: number): string | undefined {
  return text === undefined ? undefined : cleanLine(text, length) || undefined
}
