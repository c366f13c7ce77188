/** A declaration of a stylesheet; `selector` with the rules around it. */
export interface Declaration {
  readonly selector: string
  readonly property: string
  readonly value: string
}

/** Every declaration of a stylesheet that has no nesting but that of at-rules. */
export function readDeclarations(css: string): Declaration[] {
  const found: Declaration[] = []
  const stack: string[] = []
  const plain = css.replace(/\/\*[\s\S]*?\*\//g, '')
  for (const [, text = '', end] of plain.matchAll(/([^{};]*)([{};])/g)) {
    const words = text.trim().replace(/\s+/g, ' ')
    if (end === '{') stack.push(words)
    else if (words.includes(':')) {
      const [property = '', ...value] = words.split(':')
      found.push({ selector: stack.join(' '), property: property.trim(), value: value.join(':').trim() })
    }
    if (end === '}') stack.pop()
  }
  return found
}

/** The tokens of a scheme: dark ones over the light ones. */
export function readTokens(css: string, scheme: 'light' | 'dark'): ReadonlyMap<string, string> {
  const ours = readDeclarations(css).filter(
    ({ selector, property }) =>
      property.startsWith('--') && (selector === ':root' || (scheme === 'dark' && /dark\) :root$/.test(selector))),
  )
  return new Map(ours.map(({ property, value }) => [property, value]))
}

const COLOUR =
  /#[\da-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix)\(|\b(?:black|white|gr[ae]y|red|green|blue|brown|silver|canvas|canvastext)\b/i
const SPACE =
  /^(?:margin|padding|gap|row-gap|column-gap|inset|top|left|right|bottom|scroll-(?:margin|padding))(?:-|$)|^inset/
// Where people type at least 16 px, and code as the tokens' page has it.
const SIZE = /^(?:var\(--t-(?:xs|s|m|l|xl|2xl)\)|max\(1rem, var\(--t-s\)\)|0\.86em|inherit)$/
// The sides of a button, and the column where dates hang.
const OWN_SPACES = ['1.25rem', '8rem']
const LENGTH = /-?\d*\.?\d+(?:px|rem|em|ch|ex|lh|vw|vh|pt|cm|mm|in|%)/g

/** What is no token and is a colour, a size of text or a space, as `SELECTOR PROPERTY: VALUE`. */
export function findStrays(css: string): string[] {
  return readDeclarations(css)
    .filter((declaration) => !declaration.property.startsWith('--') && isStray(declaration))
    .map(({ selector, property, value }) => `${selector} ${property}: ${value}`)
}

function isStray({ property, value }: Declaration): boolean {
  if (COLOUR.test(value)) return true
  if (property === 'font-size') return !SIZE.test(value)
  if (property === 'font') return !SIZE.test(value.replace(/\s*\/.*/, '').replace(/^(?:\d+|italic|normal)\s+/, ''))
  return SPACE.test(property) && [...value.matchAll(LENGTH)].some(([length]) => !OWN_SPACES.includes(length))
}
