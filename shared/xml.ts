import { Element, type Node, Parser } from 'ltx'
import { cleanText, escapeXml } from './text.ts'

/** What an element may hold before anything recursive may touch it. */
export interface XmlLimits {
  readonly depth: number
  /** Elements and texts in all. */
  readonly children: number
  /** Attributes of one element. */
  readonly attributes: number
  /** UTF-16 units of names, values and text in all: about bytes. */
  readonly bytes: number
}

/** Enough for any item that a server takes. */
const XML_LIMITS: XmlLimits = { depth: 256, children: 100_000, attributes: 64, bytes: 4_000_000 }

const NAME = /^[\p{L}_][\p{L}\p{M}\p{N}._-]*(?::[\p{L}_][\p{L}\p{M}\p{N}._-]*)?$/u

/** Whether an element is small and flat enough for recursive code; itself without recursion. */
export function isWithinBounds(element: Element, limits: Partial<XmlLimits> = {}): boolean {
  const { depth, children, attributes, bytes } = { ...XML_LIMITS, ...limits }
  let nodes = 0
  let size = 0
  let level: Node[] = [element]
  for (let at = 1; level.length > 0; at++) {
    if (at > depth) return level.every((node) => !isElement(node))
    const next: Node[] = []
    for (const node of level) {
      nodes++
      if (isElement(node)) {
        const names = Object.keys(node.attrs)
        if (names.length > attributes) return false
        size += node.name.length
        for (const name of names) size += name.length + String(node.attrs[name] ?? '').length
        for (const child of node.children) next.push(child)
      } else size += String(node).length
      if (nodes + next.length > children || size > bytes) return false
    }
    level = next
  }
  return true
}

/**
 * Parses a document of one element. Undefined where it is none, or out of bounds; never throws. For what was written
 * here: a comment or a value without an end takes the square of its length, which `StreamParser` lets nobody send.
 */
export function parseXml(text: string, limits: Partial<XmlLimits> = {}): Element | undefined {
  if (text.length > (limits.bytes ?? XML_LIMITS.bytes) * 2) return undefined
  let root: Element | undefined
  try {
    const parser = new Parser()
    parser.on('tree', (tree) => {
      root = tree
    })
    // Without a listener an error event throws; `root` says it all.
    parser.on('error', () => {})
    parser.write(text)
    parser.end()
  } catch {
    return undefined
  }
  return root !== undefined && isWithinBounds(root, limits) ? root : undefined
}

/** All text inside, in document order, without recursion. */
export function textOf(element: Element): string {
  let text = ''
  const stack: Node[] = [element]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isElement(node)) for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] ?? '')
    else text += node
  }
  return text
}

/**
 * The element as a document of its own: namespaces that ancestors declared are declared on it, characters and names
 * that XML does not allow are left out. Without recursion.
 */
export function writeXml(element: Element): string {
  return write(element, (attrs) => attrs)
}

/**
 * The same with the attributes in the order of their names, so that what is alike is written alike. COMPAT(Prosody
 * 13.0.1): what goes through it has them in another order every time.
 */
export function writeSortedXml(element: Element): string {
  return write(element, (attrs) => Object.fromEntries(Object.entries(attrs).toSorted(byName)))
}

type Attributes = Readonly<Record<string, string | undefined>>

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b)
}

function write(element: Element, order: (attrs: Attributes) => Attributes): string {
  const out: string[] = []
  const stack: (Node | { readonly end: string })[] = [element]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') out.push(escapeXml(node))
    else if ('end' in node) out.push(`</${node.end}>`)
    else if (!isElement(node)) out.push(escapeXml(String(node)))
    else if (NAME.test(node.name)) {
      out.push(`<${node.name}${writeAttributes(order(node === element ? withNamespaces(element) : node.attrs))}`)
      if (node.children.length === 0) {
        out.push('/>')
        continue
      }
      out.push('>')
      stack.push({ end: node.name })
      for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] ?? '')
    }
  }
  return out.join('')
}

/** A copy that stands alone, by another name if need be: namespaces that ancestors declared are declared on it. */
export function cloneXml(element: Element, name = element.name): Element {
  const copy = new Element(name, withNamespaces(element, name))
  const stack: [Element, Element][] = [[element, copy]]
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [from, to] = pair
    for (const child of from.children) {
      if (!isElement(child)) to.t(child)
      else stack.push([child, to.cnode(new Element(child.name, child.attrs))])
    }
  }
  return copy
}

/** An element with clean attributes and children; undefined ones are left out. */
export function createElement(
  name: string,
  attrs: Readonly<Record<string, string | undefined>> = {},
  ...children: readonly (Element | string | undefined)[]
): Element {
  const element = new Element(name)
  for (const [key, value] of Object.entries(attrs)) if (value !== undefined) element.attrs[key] = cleanText(value)
  for (const child of children) {
    if (typeof child === 'string') element.t(cleanText(child))
    else if (child !== undefined) element.cnode(child)
  }
  return element
}

/** Whether a child is an element, not text. */
export function isElement(node: unknown): node is Element {
  return typeof node === 'object' && node !== null && 'children' in node && 'attrs' in node
}

/** The child elements of this name and namespace, prefixed or not. */
export function childrenOf(element: Element, name: string, namespace: string): Element[] {
  return element.children.filter(isElement).filter((child) => child.is(name, namespace))
}

function writeAttributes(attrs: Attributes): string {
  let text = ''
  for (const [name, value] of Object.entries(attrs)) {
    if (value !== undefined && value !== null && NAME.test(name)) text += ` ${name}="${escapeXml(String(value))}"`
  }
  return text
}

function withNamespaces(element: Element, name = element.name): Record<string, string | undefined> {
  const attrs: Record<string, string | undefined> = {}
  for (let parent = element.parent; parent !== null && parent !== undefined; parent = parent.parent) {
    for (const [key, value] of Object.entries(parent.attrs)) {
      if ((key === 'xmlns' || key.startsWith('xmlns:')) && !Object.hasOwn(attrs, key)) attrs[key] = value
    }
  }
  const used = usedPrefixes(element, name)
  for (const key of Object.keys(attrs)) if (!used.has(key.slice('xmlns:'.length))) delete attrs[key]
  return { ...attrs, ...element.attrs }
}

// The default namespace is the prefix ''.
function usedPrefixes(element: Element, rootName: string): Set<string> {
  const used = new Set<string>([''])
  const stack: Node[] = [element]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (!isElement(node)) continue
    for (const name of [node === element ? rootName : node.name, ...Object.keys(node.attrs)])
      used.add(name.slice(0, Math.max(name.indexOf(':'), 0)))
    for (const child of node.children) stack.push(child)
  }
  return used
}
