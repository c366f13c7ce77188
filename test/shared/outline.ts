import { isElement, parseXml } from '#shared/xml.ts'

/** The elements of some well-formed markup in document order, and its words: to compare one markup with another. */
export function outline(markup: string): { elements: string[]; text: string } {
  const root = parseXml(`<root>${markup}</root>`)
  const elements: string[] = []
  let text = ''
  const stack = root === undefined ? [] : [...root.children].reverse()
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (!isElement(node)) text += node
    else {
      elements.push(node.name)
      stack.push(...[...node.children].reverse())
    }
  }
  return { elements, text }
}
