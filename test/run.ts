import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { findEjabberd } from '#server/local/packages.ts'
import { createLogger } from '#server/log.ts'
import { installPackages } from './install.ts'
import { startRig } from './support/rig.ts'

const ROOT = dirname(import.meta.dirname)
/** A test that hangs fails on its own, and the others go on. */
const TIMEOUT_MS = Number(process.env.CANTO_TEST_TIMEOUT ?? 300_000)

/** `npm test -- PATTERN…` runs the files whose path contains one of the patterns; without any, all. */
const patterns = process.argv.slice(2)
const files = globSync('test/**/*.test.ts', { cwd: ROOT })
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .sort(slowestFirst)

if (files.length === 0) {
  console.error(`No test matches ${patterns.join(' ')}`)
  process.exitCode = 2
} else {
  process.exitCode = await runTests(files)
}

async function runTests(selected: readonly string[]): Promise<number> {
  const cache = process.env.CANTO_TEST_CACHE ?? join(ROOT, 'data/cache')
  process.env.CANTO_TEST_CACHE = cache
  await installPackages()
  await findEjabberd(cache, createLogger())
  await using stack = new AsyncDisposableStack()
  const rig = selected.some(usesRig) ? stack.use(await startRig()) : undefined
  const args = [
    '--test',
    // One more than there are cores, for some wait on a server's rate limits most of their time.
    `--test-concurrency=${availableParallelism() + 1}`,
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
    ...selected,
  ]
  const env = { ...process.env, ...(rig === undefined ? {} : { CANTO_TEST_RIG: rig.description }) }
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' })
  // The tests get a Ctrl-C too; what runs here is stopped once they are.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}

function usesRig(file: string): boolean {
  return readFileSync(join(ROOT, file), 'utf8').includes('support/rig.ts')
}

/** Rate limits, whole products and browsers first, so that the run does not end with one of them alone. */
function slowestFirst(a: string, b: string): number {
  return weight(b) - weight(a) || a.localeCompare(b)
}

function weight(file: string): number {
  if (/stock|limits/.test(file)) return 2
  return ['test/e2e/', 'test/faults/', 'test/local/', 'test/xmpp/'].some((folder) => file.startsWith(folder)) ? 1 : 0
}
