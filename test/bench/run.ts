import { globSync } from 'node:fs'
import { join } from 'node:path'

/** One measurement beside the limit that physics or another program sets, both taken in the same run. */
export interface Benchmark {
  readonly name: string
  /** What both numbers count, such as `posts/s`. */
  readonly unit: string
  /** It takes minutes: it runs only where it is asked for by name. */
  readonly isLong?: boolean
  measure(): Promise<number>
  /** The best that this machine could do. */
  limit(): Promise<number>
}

const patterns = process.argv.slice(2)
const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).sort()
let count = 0
for (const file of files) {
  const { benchmarks }: { benchmarks: readonly Benchmark[] } = await import(join(import.meta.dirname, file))
  for (const benchmark of benchmarks.filter(isWanted)) {
    console.log(await runBenchmark(benchmark))
    count++
  }
}
if (count === 0) console.log(`No benchmark has ${patterns.join(' or ')} in its name`)

function isWanted({ name, isLong = false }: Benchmark): boolean {
  return patterns.length === 0 ? !isLong : patterns.some((pattern) => name.includes(pattern))
}

/** One line, printed as soon as it is known. */
async function runBenchmark({ name, unit, measure, limit }: Benchmark): Promise<string> {
  const [measured, possible] = [await measure(), await limit()]
  return `${round(measured / possible)} of the limit: ${name}: ${round(measured)} of ${round(possible)} ${unit}`
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
