import { type AST, parseRegExpLiteral } from '@eslint-community/regexpp'

/** Text that makes a regular expression work the harder the more often `pump` is repeated between its ends. */
export interface Attack {
  readonly before: string
  readonly pump: string
  readonly after: string
}

// Ends behind the repeated text, so that no match ends there.
const ENDS = ['', '\u0000', '!', ' x', '\n', '@', 'x y']
const COMMON = ['a', '1', ' ', '\n', '-', '@', '.', '<', '"', '/', 'é', '\u0300']
const MOST_PUMPS = 40

/**
 * For each thing that a pattern may repeat: what leads up to it, many of it, and an end that does not fit. Also the way
 * up to it many times over, where a search begins anew each time.
 */
export function listAttacks(pattern: RegExp): Attack[] {
  const { pattern: tree } = parseRegExpLiteral(pattern)
  const letters = [...new Set([...lettersOf(tree), ...COMMON])]
  const pumps = new Map<string, Attack>()
  const add = (before: string, pump: string) => {
    if (pump !== '') for (const after of ENDS) pumps.set(JSON.stringify([before, pump, after]), { before, pump, after })
  }
  for (const { quantifier, before } of quantifiersOf(tree.alternatives, '')) {
    const samples = samplesOf(quantifier.element, letters).slice(0, MOST_PUMPS)
    for (const sample of samples) {
      for (const start of ['', 'x', before]) add(start, sample)
      add('', before + sample)
      add(before, sample + before)
    }
    for (const one of samples.slice(0, 4)) for (const other of samples.slice(0, 4)) add(before, one + other)
  }
  for (const letter of letters) add('', letter)
  for (const alternative of tree.alternatives) add('', sampleOf(alternative.elements))
  return [...pumps.values()]
}

/** Whether a repeated part repeats something itself, which alone can take exponential time. */
export function repeatsRepeated(pattern: RegExp): boolean {
  const found = [...quantifiersOf(parseRegExpLiteral(pattern).pattern.alternatives, '')]
  return found.some(({ quantifier }) => /[*+{|]/.test(quantifier.element.raw))
}

type Part = AST.Element | AST.Alternative

function* quantifiersOf(
  alternatives: readonly AST.Alternative[],
  lead: string,
): Generator<{ quantifier: AST.Quantifier; before: string }> {
  for (const { elements } of alternatives) {
    let before = lead
    for (const element of elements) {
      if (element.type === 'Quantifier') {
        if (element.max > 8) yield { quantifier: element, before }
        if ('alternatives' in element.element) yield* quantifiersOf(alternativesOf(element.element), before)
      } else if (element.type === 'Group' || element.type === 'CapturingGroup' || element.type === 'Assertion') {
        yield* quantifiersOf(alternativesOf(element), before)
      }
      before += sampleOf([element])
    }
  }
}

function alternativesOf(element: AST.Element): readonly AST.Alternative[] {
  return 'alternatives' in element ? (element.alternatives as readonly AST.Alternative[]) : []
}

/** The shortest text that fits, roughly. */
function sampleOf(elements: readonly AST.Element[]): string {
  return elements.map((element) => samplesOf(element, COMMON)[0] ?? '').join('')
}

function samplesOf(part: Part, letters: readonly string[]): string[] {
  switch (part.type) {
    case 'Alternative':
      return samplesOfAll(part.elements, letters)
    case 'Group':
    case 'CapturingGroup':
      return part.alternatives.flatMap((alternative) => samplesOf(alternative, letters))
    case 'Quantifier': {
      const times = Math.min(Math.max(part.min, part.max === 0 ? 0 : 1), 200)
      return samplesOf(part.element, letters).map((sample) => sample.repeat(times))
    }
    case 'Character':
      return [String.fromCodePoint(part.value)]
    case 'CharacterSet':
    case 'CharacterClass':
    case 'ExpressionCharacterClass':
      return lettersIn(part, letters)
    default:
      return ['']
  }
}

/** Samples of a sequence: the first one, with every letter of one element after the other. */
function samplesOfAll(elements: readonly AST.Element[], letters: readonly string[]): string[] {
  const each = elements.map((element) => samplesOf(element, letters))
  const first = each.map(([sample = '']) => sample)
  const varied = each.flatMap((samples, at) => samples.map((sample) => first.with(at, sample).join('')))
  return [...new Set([first.join(''), ...varied])]
}

function lettersIn(
  set: AST.CharacterSet | AST.CharacterClass | AST.ExpressionCharacterClass,
  letters: readonly string[],
) {
  const flags = findFlags(set)
  const pattern = new RegExp(`^${set.raw}$`, flags)
  const found = [...letters, ...SCRIPTS].filter((letter) => pattern.test(letter))
  return found.length > 0 ? found : ['']
}

// Characters with properties of Unicode that no common letter has.
const SCRIPTS = ['\u2028', 'А', 'ب', 'א', '語', 'カ', '\u0661', '\u06f1', '\u200d', '\u0001', '\u00a0', '😀', 'Ω']

function findFlags(node: AST.Node): string {
  let at: AST.Node | null = node
  while (at !== null && at.type !== 'RegExpLiteral') at = at.parent
  const flags = at?.flags.raw ?? ''
  return flags.replace(/[gmsyd]/g, '')
}

function lettersOf(tree: AST.Pattern): string[] {
  const found: string[] = []
  const visit = (node: AST.Node): void => {
    if (node.type === 'Character') found.push(String.fromCodePoint(node.value))
    for (const value of Object.values(node)) {
      if (value === node.parent) continue
      for (const child of Array.isArray(value) ? value : [value]) {
        if (child !== null && typeof child === 'object' && 'type' in child && 'raw' in child && child.parent === node) {
          visit(child as AST.Node)
        }
      }
    }
  }
  visit(tree)
  return found.slice(0, 60)
}
