import { type Import, readImports } from './imports.ts'

/** Who a room may import: of ours, `type:` where only types, and of packages. */
interface Rule {
  readonly mayUse: readonly string[]
  /** Packages and `node:` modules; all of them where left out. */
  readonly packages?: readonly string[]
}

// What the whole server may use: words and tables, no behaviour of the product.
const COMMON = [
  'shared',
  'server/errors.ts',
  'server/slices.ts',
  'server/look-up.ts',
  'type:server/log.ts',
  'type:server/meters.ts',
  'type:server/config.ts',
]

/** The table of design.md, "The house". Files not under a room here may use everything. */
const RULES: Readonly<Record<string, Rule>> = {
  'server/xmpp': { mayUse: COMMON },
  'server/store': { mayUse: [...COMMON, 'migrations'] },
  'server/feeds': { mayUse: [...COMMON, 'server/config.ts', 'server/store', 'type:server/xmpp/ports.ts'] },
  'server/people': { mayUse: [...COMMON, 'server/config.ts', 'server/store', 'type:server/xmpp/ports.ts'] },
  'server/http': {
    mayUse: [
      ...[...COMMON, 'server/config.ts', 'type:server/context.ts', 'server/feeds', 'server/people', 'server/store'],
      'web',
    ],
  },
  'server/local': { mayUse: [...COMMON, 'server/config.ts', 'server/step.ts', 'server/data-folder.ts'] },
  shared: {
    mayUse: [],
    packages: ['htmlparser2', 'ltx', 'marked', 'marked-footnote', 'sanitize-html', 'tr46', 'unhomoglyph'],
  },
  'web/scripts': { mayUse: ['shared', 'web'], packages: [] },
  web: { mayUse: ['type:shared'] },
  migrations: { mayUse: [], packages: ['kysely'] },
}

const ROOMS = Object.keys(RULES)
// Only these read the environment: every setting is in one place, and all mistakes are reported at once.
const ENVIRONMENT_READERS = ['server/main.ts', 'server/config.ts', 'server/canto.ts', 'server/context.ts']

/** Every breach of the directions between rooms, as `FILE: what is wrong`. Paths are relative to the root. */
export function findViolations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, source]) => {
    const room = roomOf(path)
    const rule = RULES[room]
    if (rule === undefined) return []
    const wrong = readImports(source).flatMap((entry) => findViolation(path, room, rule, entry))
    if (/\bprocess\.env\b/.test(source) && !ENVIRONMENT_READERS.includes(path)) wrong.push('reads the environment')
    return wrong.map((what) => `${path}: ${what}`)
  })
}

/** The room of a file; '' for the process itself, the tests, and what is at the root. */
export function roomOf(path: string): string {
  return ROOMS.filter((room) => path.startsWith(`${room}/`)).sort((a, b) => b.length - a.length)[0] ?? ''
}

function findViolation(path: string, room: string, rule: Rule, entry: Import): string[] {
  const target = resolveImport(path, entry.specifier)
  if (target === undefined) {
    // A computed import() can be checked by nobody; migrations are found by listing their folder.
    if (entry.specifier === '?') return room === 'server/store' ? [] : ['imports something computed']
    const name = packageOf(entry.specifier)
    return rule.packages === undefined || rule.packages.includes(name) ? [] : [`may not use the package ${name}`]
  }
  const isWithin = roomOf(target) === room && room !== ''
  if (isWithin || rule.mayUse.some((allowed) => isAllowed(allowed, target, entry))) {
    return room === 'server/http' && target.startsWith('server/store/') ? findWrites(target, entry) : []
  }
  return [`may not import ${entry.isTypeOnly ? 'types of ' : ''}${target}`]
}

function isAllowed(allowed: string, target: string, { isTypeOnly }: Import): boolean {
  const isForTypes = allowed.startsWith('type:')
  const place = isForTypes ? allowed.slice('type:'.length) : allowed
  // A room of a room is its own: `web` does not mean `web/scripts`.
  const isThere =
    target === place || (target.startsWith(`${place}/`) && (roomOf(target) === place || !ROOMS.includes(place)))
  return isThere && (isTypeOnly || !isForTypes)
}

/** Routes only read: what writes goes through feeds or people. */
function findWrites(target: string, { names, isTypeOnly }: Import): string[] {
  const writes = isTypeOnly ? [] : names.filter((name) => /^(?:save|delete|insert|update|clear)[A-Z]/.test(name))
  return writes.map((name) => `may only read from the store, not ${name} of ${target}`)
}

function resolveImport(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (!specifier.startsWith('.')) return undefined
  const parts = path.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
