import type { Element } from 'ltx'
import { DROPPED_WHOLE } from './allow-list.ts'
import { escapeXml } from './text.ts'
import { isElement } from './xml.ts'

const VOID = new Set([
  'br',
  'hr',
  'img',
  'input',
  'wbr',
  'area',
  'base',
  'col',
  'embed',
  'link',
  'meta',
  'param',
  'source',
  'track',
])
const CLOSED_BY_OTHERS = new Set(['p', 'li', 'dt', 'dd', 'tr', 'td', 'th', 'thead', 'tbody', 'tfoot', 'option'])

/** How many tags are open at once at most, roughly, without parsing. */
export function countOpen(html: string): number {
  const open = new Map<string, number>()
  let [all, most] = [0, 0]
  for (const [, slash, tag = ''] of html.matchAll(/<(\/?)([a-z][^\s/<>]*)/gi)) {
    const name = tag.toLowerCase()
    if (VOID.has(name) || CLOSED_BY_OTHERS.has(name)) continue
    const count = open.get(name) ?? 0
    if (slash !== '' && count === 0) continue
    open.set(name, slash === '' ? count + 1 : count - 1)
    all += slash === '' ? 1 : -1
    most = Math.max(most, all)
  }
  return most
}

/** The content of an XML element as HTML: an empty element is not closed at once, and a prefix means nothing. */
export function writeForeign(root: Element): string {
  const out: string[] = []
  const stack: (Element | string | { readonly end: string })[] = [...root.children].reverse()
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') out.push(escapeXml(node))
    else if ('end' in node) out.push(node.end)
    else if (isElement(node)) {
      const name = node.getName().toLowerCase()
      if (!/^[a-z][a-z0-9-]*$/.test(name) || DROPPED_WHOLE.includes(name)) continue
      const attrs = Object.entries(node.attrs).map(([key, value]) => writeAttribute(key, value ?? ''))
      out.push(`<${name}${attrs.join('')}>`)
      if (!VOID.has(name)) stack.push({ end: `</${name}>` })
      for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] ?? '')
    }
  }
  return out.join('')
}

function writeAttribute(key: string, value: string): string {
  const name = key === 'xml:lang' ? 'lang' : key.toLowerCase()
  return /^[a-z][a-z-]*$/.test(name) ? ` ${name}="${escapeXml(value)}"` : ''
}
