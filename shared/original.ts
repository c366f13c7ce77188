import type { Element } from 'ltx'
import { NS } from './ns.ts'
import { cleanText } from './text.ts'
import { childrenOf, cloneXml, textOf } from './xml.ts'

/** A copy for an entry whose default namespace is Atom. */
export function keep(element: Element): Element {
  if (element.getNS() !== NS.ATOM) return cloneXml(element)
  const copy = cloneXml(element, element.getName())
  delete copy.attrs.xmlns
  return copy
}

/** The attributes of the original that are not ours: declared prefixes, and what has one. */
export function keptAttributes(original: Element | undefined): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(original?.attrs ?? {}).filter(([name]) => name.includes(':')))
}

/** The text of a child of the original, or ''. */
export function readOriginal(original: Element, name: string): string {
  const [element] = childrenOf(original, name, NS.ATOM)
  return element === undefined ? '' : cleanText(textOf(element)).trim()
}
