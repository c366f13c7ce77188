import type { Element } from 'ltx'
import { escapeXml } from './text.ts'
import { isElement } from './xml.ts'

const VOID = new Set(['br', 'hr', 'img'])
const BLOCKS = new Set([
  ...[
    'p',
    'hr',
    'div',
    'section',
    'blockquote',
    'pre',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'li',
    'dl',
    'dt',
  ],
  ...[
    'dd',
    'figure',
    'figcaption',
    'details',
    'summary',
    'address',
    'table',
    'caption',
    'thead',
    'tbody',
    'tfoot',
    'tr',
  ],
  ...['th', 'td', 'br'],
])
// Where a space at the end is seen: underlined, or in another typeface.
const MARKED_SPACE = new Set(['a', 'code', 'kbd', 'samp', 'u', 's', 'del', 'ins', 'mark', 'sub', 'sup'])
const SPACE = /^[ \t\r\n\f]+$/

/** Cleans up a tree of sanitised HTML, in place: headings that follow the page's h1, and no space between two tags. */
export function normalizeTree(root: Element): Element {
  tidy(root)
  outlineHeadings(root)
  for (const element of elementsOf(root)) settleSpaces(element)
  return root
}

/** The content of a tree as HTML that is well-formed XML too. */
export function writeTree(root: Element): string {
  const out: string[] = []
  const stack: (Element | string | { readonly end: string })[] = [...root.children].reverse()
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') out.push(escapeXml(node))
    else if ('end' in node) out.push(`</${node.end}>`)
    else {
      const attrs = Object.entries(node.attrs).map(([name, value]) => ` ${name}="${escapeXml(value ?? '')}"`)
      out.push(`<${node.name}${attrs.join('')}${VOID.has(node.name) ? ' />' : '>'}`)
      if (VOID.has(node.name)) continue
      stack.push({ end: node.name })
      for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] ?? '')
    }
  }
  return out.join('')
}

/** Every element below, in document order. The tree must stay as it is meanwhile, but for texts. */
export function elementsOf(root: Element): Element[] {
  const elements: Element[] = []
  const stack = root.children.filter(isElement).reverse()
  for (let element = stack.pop(); element !== undefined; element = stack.pop()) {
    elements.push(element)
    for (let i = element.children.length - 1; i >= 0; i--) {
      const child = element.children[i]
      if (isElement(child)) stack.push(child)
    }
  }
  return [root, ...elements]
}

/** Every element below, without those within the notes at the end. */
export function withoutFootnotes(root: Element): Element[] {
  const notes = new Set<Element>()
  return elementsOf(root).filter((element) => {
    // Parents come before the elements inside them.
    if (isFootnotes(element) || notes.has(element.parent as Element)) notes.add(element)
    return !notes.has(element)
  })
}

/** The words, blocks parted by line ends; pictures as their alternative text, notes left out on demand. */
export function treeText(root: Element, withoutNotes = false): string {
  const out: string[] = []
  const stack: (Element | string)[] = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') out.push(node)
    else if (node.name === 'img') out.push(node.attrs.alt ?? '')
    else if (!withoutNotes || !isNote(node)) {
      const isBlock = BLOCKS.has(node.name)
      if (isBlock) stack.push('\n')
      for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i] ?? '')
      if (isBlock) stack.push('\n')
    }
  }
  return out.join('')
}

function isNote(element: Element): boolean {
  if (isFootnotes(element)) return true
  const [link] = element.children
  return element.name === 'sup' && isElement(link) && link.name === 'a' && (link.attrs.href ?? '').startsWith('#')
}

function isFootnotes({ name, attrs }: Element): boolean {
  return name === 'section' && attrs.class === 'footnotes'
}

/** Joins texts, and takes away spans and links that mean nothing any more. From the leaves up. */
function tidy(root: Element): void {
  for (const element of elementsOf(root).reverse()) {
    const children: (Element | string)[] = []
    for (const child of element.children.flatMap((node) => (isBare(node) ? node.children : [node]))) {
      const last = children.at(-1)
      if (typeof child !== 'string') child.parent = element
      if (typeof child === 'string' && typeof last === 'string') children[children.length - 1] = last + child
      else if (child !== '') children.push(child)
    }
    element.children = children
  }
}

function isBare(node: Element | string): node is Element {
  return isElement(node) && (node.name === 'span' || node.name === 'a') && Object.keys(node.attrs).length === 0
}

/** The page's title is its h1: the highest heading of a text becomes h2, and none skips a level. */
function outlineHeadings(root: Element): void {
  const headings = elementsOf(root).filter((element) => /^h[1-6]$/.test(element.name))
  const highest = Math.min(...headings.map((heading) => Number(heading.name[1])))
  let level = 1
  for (const heading of headings) {
    level = Math.min(Number(heading.name[1]) - highest + 2, level + 1, 6)
    heading.name = `h${level}`
  }
}

/**
 * COMPAT(Movim 0.34): its stream parser drops all white space between two tags. So what means nothing goes, and what
 * parts two words moves inside one of the tags.
 */
function settleSpaces(element: Element): void {
  const kept: (Element | string)[] = []
  const { children } = element
  for (const [i, child] of children.entries()) {
    if (typeof child !== 'string' || !SPACE.test(child)) kept.push(child)
    else {
      const text = settleSpace(element, child, children[i - 1], children[i + 1])
      if (text !== undefined) kept.push(text)
    }
  }
  element.children = kept
}

type Sibling = Element | string | undefined

function settleSpace(parent: Element, space: string, before: Sibling, after: Sibling): string | undefined {
  const isEdge = before === undefined || after === undefined
  if (isBlock(before) || isBlock(after) || (isEdge && BLOCKS.has(parent.name) && parent.name !== 'pre'))
    return undefined
  const text = isInside(parent, 'pre') ? space : ' '
  const first = isElement(after) && isElement(before) && MARKED_SPACE.has(before.name) && !MARKED_SPACE.has(after.name)
  if (first && pushText(after, text, 'start')) return undefined
  if (isElement(before) && pushText(before, text, 'end')) return undefined
  if (isElement(after) && pushText(after, text, 'start')) return undefined
  // Between two pictures nothing is lost; alone in its element it parts the words around.
  if (!isEdge) return undefined
  return text.replace(/ /g, '\u00a0')
}

function isBlock(node: Sibling): boolean {
  return isElement(node) && BLOCKS.has(node.name)
}

/** Whether it is such an element, or within one. */
export function isInside(element: Element, name: string): boolean {
  for (let at: Element | null = element; at !== null; at = at.parent) if (at.name === name) return true
  return false
}

/** Puts text at the start or end of an element, as deep as its text is; false where it has none to join. */
function pushText(element: Element, text: string, side: 'start' | 'end'): boolean {
  let at: Element = element
  for (;;) {
    const index = side === 'end' ? at.children.length - 1 : 0
    const child: Sibling = at.children[index]
    if (typeof child === 'string' && !SPACE.test(child)) {
      at.children[index] = side === 'end' ? child + text : text + child
      return true
    }
    if (!isElement(child) || VOID.has(child.name)) return false
    at = child
  }
}
