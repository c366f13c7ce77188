import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds between two turns of the event loop, with a timer that asks for one every millisecond. */
export interface Delay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export async function measureDelay(work: () => Promise<unknown>): Promise<Delay> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await work()
  histogram.disable()
  const ms = (nanoseconds: number) => Number((nanoseconds / 1e6).toPrecision(3))
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) }
}

export function writeDelay({ p50, p99, max }: Delay): string {
  return `p50 ${p50}, p99 ${p99}, max ${max}`
}

/** How long things take, by name. */
export interface Times {
  take<T>(name: string, work: () => Promise<T>): Promise<T>
  /** The median and the longest of each, in milliseconds. */
  write(): string
}

export function createTimes(): Times {
  const taken = new Map<string, number[]>()
  return {
    async take(name, work) {
      const start = performance.now()
      const result = await work()
      taken.set(name, [...(taken.get(name) ?? []), performance.now() - start])
      return result
    },
    write: () => Array.from(taken, ([name, times]) => `${name} ${writeTimes(times)}`).join(', '),
  }
}

function writeTimes(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  return [sorted[sorted.length >> 1], sorted.at(-1)].map((time = 0) => time.toFixed(1)).join(' / ')
}
