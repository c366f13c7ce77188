import type { Element } from 'ltx'
import { isWithinBounds, type XmlLimits } from '#shared/xml.ts'

/** A stanza of ours carries one item; one that comes in may carry a page of them. */
const STANZA_LIMITS: Partial<XmlLimits> = { children: 5_000_000, bytes: 64_000_000 }

/**
 * Whether recursive code may touch `stanza`, after items too deep or too large for it have lost their payload: one
 * hostile item must not hide the page that it is on.
 */
export function tameStanza(stanza: Element): boolean {
  if (isWithinBounds(stanza, STANZA_LIMITS)) return true
  for (const wrapper of elementsOf([stanza])) {
    for (const items of elementsOf([wrapper]).filter((child) => child.name.endsWith('items'))) {
      for (const item of elementsOf([items])) if (!isWithinBounds(item)) item.children = []
    }
  }
  return isWithinBounds(stanza, STANZA_LIMITS)
}

function elementsOf(parents: readonly Element[]): Element[] {
  return parents.flatMap((parent) => parent.children.filter((child) => typeof child !== 'string'))
}
