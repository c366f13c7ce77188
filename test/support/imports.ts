/** One import of a file, as far as the directions between rooms care. */
export interface Import {
  readonly specifier: string
  /** Whether nothing of it is left when types are stripped. */
  readonly isTypeOnly: boolean
  /** What is imported by name; empty for a whole module. */
  readonly names: readonly string[]
}

const STATEMENT = /^[ \t]*(?:import|export)\s+((?:type\s)?[\w\s{},*$]*?)\s*from\s*(['"])([^'"\n]+)\2/gm
const BARE = /^[ \t]*import\s*(['"])([^'"\n]+)\1/gm
const CALL = /\b(?:import|require|import\.meta\.resolve)\s*\(\s*(?:(['"`])([^'"`\n]*)\1\s*[,)])?/g

/** Every import, re-export, and `import()` in a source. An `import()` of something computed has the specifier `?`. */
export function readImports(source: string): Import[] {
  const text = withoutComments(source)
  const imports: Import[] = []
  for (const [, clause = '', , specifier = ''] of text.matchAll(STATEMENT)) {
    const names = [...(/\{([\s\S]*)\}/.exec(clause)?.[1] ?? '').split(',')].map((name) => name.trim()).filter(Boolean)
    const isTypeOnly = clause.startsWith('type ') || (names.length > 0 && isOnlyTypes(clause, names))
    imports.push({ specifier, isTypeOnly, names: names.map(importedName) })
  }
  for (const [, , specifier = ''] of text.matchAll(BARE)) imports.push({ specifier, isTypeOnly: false, names: [] })
  for (const [, , specifier = '?'] of text.matchAll(CALL)) imports.push({ specifier, isTypeOnly: false, names: [] })
  return imports
}

function isOnlyTypes(clause: string, names: readonly string[]): boolean {
  return clause.trimStart().startsWith('{') && names.every((name) => name.startsWith('type '))
}

function importedName(name: string): string {
  return name.replace(/^type\s+/, '').replace(/\s+as\s.*$/, '')
}

// Comments hold examples. A `//` inside a string, as in an address, is not preceded by white space or a line's start.
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|\s)\/\/[^\n]*/g, '$1')
}
