import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { findEjabberd } from '#server/local/packages.ts'
import { createLogger } from '#server/log.ts'
import { installPackages } from './install.ts'
import { startRig } from './support/rig.ts'

const ROOT = dirname(import.meta.dirname)
/** A test that hangs fails on its own, and the others go on. */
const TIMEOUT_MS = Number(process.env.CANTO_TEST_TIMEOUT ?? 300_000)

/**
 * What takes longest begins first, so that the run does not end with one file alone: parts of their paths, in this
 * order. `node --test` would sort its files by name.
 */
const LONGEST = [
  ...['stock', 'web/pages', 'store/statements', 'faults/publishing', 'e2e/matrix', 'e2e/killed', 'faults/starting'],
  ...['xmpp/large', 'local/', 'feeds/outage', 'hostile-server', 'kill', 'faults/', 'e2e/', 'web/', 'catch-up'],
  ...['room-archive', 'slices', 'lose-node', '-servers', 'regexps', 'feeds/', 'xmpp/', 'http/'],
]

/** `npm test -- PATTERN…` runs the files whose path contains one of the patterns; without any, all. */
const patterns = process.argv.slice(2)
const files = globSync('test/**/*.test.ts', { cwd: ROOT })
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .sort((a, b) => placeOf(a) - placeOf(b) || a.localeCompare(b))

if (files.length === 0) {
  console.error(`No test matches ${patterns.join(' ')}`)
  process.exitCode = 2
} else {
  process.exitCode = await runTests(files)
}

async function runTests(selected: readonly string[]): Promise<number> {
  const cache = process.env.CANTO_TEST_CACHE ?? join(ROOT, 'data/cache')
  process.env.CANTO_TEST_CACHE = cache
  // Hundreds of processes read the same files: what the first made of them serves the others, until a file changes.
  process.env.NODE_COMPILE_CACHE ??= join(cache, 'compiled')
  await installPackages()
  await findEjabberd(cache, createLogger())
  await using stack = new AsyncDisposableStack()
  if (selected.some(usesRig)) process.env.CANTO_TEST_RIG = stack.use(await startRig()).description
  // The tests get a Ctrl-C too; what runs here is stopped once they are.
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort())
  let hasPassed = false
  const events = run({
    files: [...selected],
    cwd: ROOT,
    // More than there are cores, for many wait for a server most of their time.
    concurrency: availableParallelism() + 2,
    timeout: TIMEOUT_MS,
    signal: stopping.signal,
  })
  events.on('test:summary', ({ file, success }) => {
    if (file === undefined) hasPassed = success
  })
  for await (const text of events.compose(spec())) process.stdout.write(text)
  return hasPassed ? 0 : 1
}

function usesRig(file: string): boolean {
  return readFileSync(join(ROOT, file), 'utf8').includes('support/rig.ts')
}

function placeOf(file: string): number {
  const place = LONGEST.findIndex((part) => file.includes(part))
  return place === -1 ? LONGEST.length : place
}
