import { createHash } from 'node:crypto'
import type { Element } from 'ltx'
import { NS } from '#shared/ns.ts'
import { isElement } from '#shared/xml.ts'

/**
 * A digest (SHA-256, base64url) of everything that an entry says: each element by its namespace, attribute and text, in
 * order. Only the mark is left out, and what a server may write in its own way: prefixes, where namespaces are declared, the
 * order of attributes. The entry must be within bounds (`isWithinBounds`).
 */
export function digestWords(entry: Element): string {
  const hash = createHash('sha256')
  writeElement(entry, (token) => hash.update(`${JSON.stringify(token)}\n`))
  return hash.digest('base64url')
}

type Write = (token: readonly unknown[] | string | null) => void

function writeElement(element: Element, write: Write): void {
  write([element.getNS() ?? '', element.getName(), listAttributes(element)])
  let text = ''
  const writeText = () => {
    // Line ends as XML parsers read them (XML 1.0 §2.11).
    if (text !== '') write(text.replace(/\r\n?/g, '\n'))
    text = ''
  }
  for (const child of element.children) {
    if (!isElement(child)) text += child
    else {
      writeText()
      writeElement(child, write)
    }
  }
  writeText()
  write(null)
}

function listAttributes(element: Element): [string, string][] {
  const isMark = (name: string) => name === 'mark' && element.is('proof', NS.PROOF)
  return Object.entries(element.attrs)
    .filter(([name, value]) => name !== 'xmlns' && !name.startsWith('xmlns:') && !isMark(name) && value != null)
    .map(([name, value]): [string, string] => [name, String(value)])
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
}
