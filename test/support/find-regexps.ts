import { fileURLToPath } from 'node:url'
import { type Expression, type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'
import {
  isBinaryExpression,
  isCallExpression,
  isIdentifier,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isParenthesizedExpression,
  isPropertyAccessExpression,
  isRegularExpressionLiteral,
  isStringLiteral,
  isTemplateExpression,
  isVariableDeclaration,
} from 'typescript/unstable/ast/is'
import { API } from 'typescript/unstable/sync'

/** A regular expression in the source, as it runs. */
export interface FoundRegexp {
  /** From the top of the repository. */
  readonly file: string
  readonly line: number
  readonly pattern: RegExp
}

export interface FoundRegexps {
  readonly regexps: readonly FoundRegexp[]
  /** `file:line` of patterns that are put together at run time, out of what the compiler does not know. */
  readonly unknown: readonly string[]
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Every regular expression in the files below these folders: literals, and what is given to `RegExp`. */
export function findRegexps(folders: readonly string[]): FoundRegexps {
  const api = new API({ cwd: ROOT })
  try {
    const [project] = api.updateSnapshot({ openProjects: [`${ROOT}tsconfig.json`] }).getProjects()
    if (project === undefined) throw new Error('The compiler found no project')
    const regexps: FoundRegexp[] = []
    const unknown: string[] = []
    for (const path of project.rootFiles) {
      const file = path.slice(ROOT.length)
      const source = folders.some((folder) => file.startsWith(`${folder}/`)) && project.program.getSourceFile(path)
      if (!source) continue
      for (const node of nodesOf(source)) {
        const found = readRegexp(source, node)
        if (found === undefined) continue
        const line = source.text.slice(0, node.pos).split('\n').length + leadingLines(source, node)
        if (found === 'unknown') unknown.push(`${file}:${line}`)
        else regexps.push({ file, line, pattern: found })
      }
    }
    return { regexps, unknown }
  } finally {
    api.close()
  }
}

function* nodesOf(node: Node): Generator<Node> {
  yield node
  const children: Node[] = []
  node.forEachChild((child) => void children.push(child))
  for (const child of children) yield* nodesOf(child)
}

/** A node begins with the white space and the comments before it. */
function leadingLines(source: SourceFile, node: Node): number {
  const text = source.text.slice(node.pos, node.end)
  return text.slice(0, text.length - text.trimStart().length).split('\n').length - 1
}

function readRegexp(source: SourceFile, node: Node): RegExp | 'unknown' | undefined {
  if (isRegularExpressionLiteral(node)) {
    const end = node.text.lastIndexOf('/')
    return new RegExp(node.text.slice(1, end), node.text.slice(end + 1))
  }
  if (!(isNewExpression(node) || isCallExpression(node))) return undefined
  if (!isIdentifier(node.expression) || node.expression.text !== 'RegExp') return undefined
  const [pattern, flags] = (node.arguments ?? []).map((argument) => evaluate(source, argument))
  if (pattern === undefined || flags instanceof RegExp) return 'unknown'
  return new RegExp(pattern, flags ?? (pattern instanceof RegExp ? pattern.flags : ''))
}

/** The value of a constant expression at run time. */
function evaluate(source: SourceFile, node: Expression): string | RegExp | undefined {
  if (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) return node.text
  if (isRegularExpressionLiteral(node) || isNewExpression(node)) {
    const found = readRegexp(source, node)
    return found === 'unknown' ? undefined : found
  }
  if (isParenthesizedExpression(node)) return evaluate(source, node.expression)
  if (isIdentifier(node)) return evaluateConstant(source, node.text)
  if (isPropertyAccessExpression(node) && node.name.text === 'source') {
    const of = evaluate(source, node.expression)
    return of instanceof RegExp ? of.source : undefined
  }
  if (isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.PlusToken) {
    return join([evaluate(source, node.left), evaluate(source, node.right)])
  }
  if (!isTemplateExpression(node)) return undefined
  const spans = [...node.templateSpans].flatMap(({ expression, literal }) => [
    evaluate(source, expression),
    literal.text,
  ])
  return join([node.head.text, ...spans])
}

function join(parts: readonly (string | RegExp | undefined)[]): string | undefined {
  return parts.every((part) => typeof part === 'string') ? parts.join('') : undefined
}

function evaluateConstant(source: SourceFile, name: string): string | RegExp | undefined {
  for (const node of nodesOf(source)) {
    if (!isVariableDeclaration(node) || !isIdentifier(node.name) || node.name.text !== name) continue
    return node.initializer && evaluate(source, node.initializer)
  }
  return undefined
}
