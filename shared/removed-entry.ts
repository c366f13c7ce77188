import type { Element } from 'ltx'
import { writeDate } from './dates.ts'
import { NS } from './ns.ts'
import { childrenOf, cloneXml, createElement as el, isElement, textOf } from './xml.ts'

/** COMPAT(Movim 0.34): it drops what has no title, and would go on to show the words that were there before. */
const TITLE = '(removed by its author)'
/** Elements that keep an entry in its place for a reader: its author, its dates, and what it answered. */
const KEPT: ReadonlySet<string> = new Set(['id', 'published', 'author', 'in-reply-to'])

/**
 * A comment without its words, to be published over it where its writer may not retract it (RFC 6721 has the element that
 * marks it, there beside entries).
 */
export function writeRemoved(comment: Element, now: Date): Element {
  const [id] = childrenOf(comment, 'id', NS.ATOM)
  const when = writeDate(now)
  const kept = comment.children.filter(isElement).filter((child) => KEPT.has(child.getName()))
  return el(
    'entry',
    { xmlns: NS.ATOM },
    el('title', { type: 'text' }, TITLE),
    ...kept.map((child) => cloneXml(child)),
    el('updated', {}, when),
    el('deleted-entry', { xmlns: NS.TOMBSTONE, ref: id === undefined ? undefined : textOf(id), when }),
  )
}

/** Whether an entry says that its author removed it. */
export function isRemovedEntry(entry: Element): boolean {
  return childrenOf(entry, 'deleted-entry', NS.TOMBSTONE).length > 0
}
