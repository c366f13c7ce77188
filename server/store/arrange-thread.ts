import type { ThreadLine } from './thread.ts'

export interface ArrangedLine {
  readonly line: ThreadLine
  /** What it answers, where that is in the thread. */
  readonly parent?: ThreadLine
  /** 0 for a comment on the post itself. */
  readonly depth: number
}

/**
 * In the order of their dates, answers after what they answer, however deep. What answers something that is not there
 * stands for itself, as do answers in a circle, after all others.
 */
export function arrangeThread(lines: readonly ThreadLine[]): ArrangedLine[] {
  const known = new Map(lines.map((line) => [line.key, line]))
  const answers = new Map<ThreadLine | undefined, ThreadLine[]>()
  for (const line of lines) {
    const parent = parentOf(line, known)
    const siblings = answers.get(parent)
    if (siblings === undefined) answers.set(parent, [line])
    else siblings.push(line)
  }
  const arranged: ArrangedLine[] = []
  const open: ArrangedLine[] = []
  const push = (parent: ThreadLine | undefined, depth: number) => {
    const children = answers.get(parent) ?? []
    for (let at = children.length - 1; at >= 0; at--) open.push({ line: children[at] as ThreadLine, parent, depth })
  }
  push(undefined, 0)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    arranged.push(next)
    push(next.line, next.depth + 1)
  }
  if (arranged.length === lines.length) return arranged
  // Answers in a circle hang on nothing that was arranged.
  const seen = new Set(arranged.map(({ line }) => line))
  const circling = lines.filter((line) => !seen.has(line))
  return [...arranged, ...circling.map((line) => ({ line, parent: parentOf(line, known), depth: 0 }))]
}

/** By date alone: what each one answers is known all the same. */
export function flattenThread(lines: readonly ThreadLine[]): ArrangedLine[] {
  const known = new Map(lines.map((line) => [line.key, line]))
  return lines.map((line) => ({ line, parent: parentOf(line, known), depth: 0 }))
}

function parentOf({ key, parentKey }: ThreadLine, known: ReadonlyMap<string, ThreadLine>): ThreadLine | undefined {
  return parentKey === undefined || parentKey === key ? undefined : known.get(parentKey)
}
