import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'

/** `npm run faults`: the fault tests with 20 seeds each, and 1,000 followed nodes. CANTO_TEST_SEED repeats one seed. */
const ROOT = dirname(dirname(import.meta.dirname))
const [SEEDS, NODES] = ['20', '1000']
/** Twenty times what one seed may take. */
const PATIENCE_MS = String(3 * 3_600_000)

const env = { CANTO_TEST_SEEDS: SEEDS, CANTO_TEST_NODES: NODES, CANTO_TEST_TIMEOUT: PATIENCE_MS, ...process.env }
const patterns = process.argv.slice(2)
const wanted = patterns.length > 0 ? patterns : ['test/faults/', 'test/e2e/many-nodes']
const child = spawn(process.execPath, [join(ROOT, 'test/run.ts'), ...wanted], { cwd: ROOT, env, stdio: 'inherit' })
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
const [code] = await once(child, 'exit')
process.exitCode = typeof code === 'number' ? code : 1
