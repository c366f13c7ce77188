import { globSync } from 'node:fs'
import { join } from 'node:path'

/** One measurement beside the limit that physics or another program sets, both taken in the same run. */
export interface Benchmark {
  readonly name: string
  /** What both numbers count, such as `posts/s`. */
  readonly unit: string
  measure(): Promise<number>
  /** The best that this machine could do. */
  limit(): Promise<number>
}

const patterns = process.argv.slice(2)
const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).sort()
const rows: Record<string, string | number>[] = []
for (const file of files) {
  const { benchmarks }: { benchmarks: readonly Benchmark[] } = await import(join(import.meta.dirname, file))
  for (const benchmark of benchmarks) if (isWanted(benchmark)) rows.push(await runBenchmark(benchmark))
}
if (rows.length === 0) console.log('There is no benchmark yet')
else console.table(rows)

function isWanted({ name }: Benchmark): boolean {
  return patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
}

async function runBenchmark({ name, unit, measure, limit }: Benchmark) {
  const [measured, possible] = [await measure(), await limit()]
  return { name, measured: round(measured), limit: round(possible), unit, ratio: round(measured / possible) }
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
