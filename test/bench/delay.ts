import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two turns of the event loop, with a timer that asks for one every millisecond. */
export interface Delay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** `work` is given a function that reads what was measured so far. */
export async function measureDelay(work: (soFar: () => Delay) => Promise<unknown>): Promise<Delay> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  const soFar = () => ({
    p50: ms(histogram.percentile(50)),
    p99: ms(histogram.percentile(99)),
    max: ms(histogram.max),
  })
  histogram.enable()
  await work(soFar)
  histogram.disable()
  return soFar()
}

export function writeDelay({ p50, p99, max }: Delay): string {
  return `p50 ${p50}, p99 ${p99}, max ${max}`
}

/** Milliseconds. */
interface Time {
  readonly total: number
  /** The longest time without a turn for anything else. */
  readonly held: number
  /** Of this thread, with what else it did meanwhile: a machine that is busy with others does not change it. */
  readonly cpu: number
}

/** How long things take, by name, and for how long at most the event loop was held meanwhile. */
export interface Times {
  /** Prints the first of each name as soon as it is known. */
  take<T>(name: string, work: () => Promise<T>): Promise<T>
  /** A line for each that was taken more than once. */
  write(): string[]
}

export function createTimes(): Times {
  const taken = new Map<string, Time[]>()
  return {
    async take(name, work) {
      const histogram = monitorEventLoopDelay({ resolution: 1 })
      histogram.enable()
      // It measures from one coming of its timer to the next.
      await sleep(2)
      const [start, cpuStart] = [performance.now(), process.threadCpuUsage()]
      const result = await work()
      const total = performance.now() - start
      const { user, system } = process.threadCpuUsage(cpuStart)
      await sleep(2)
      histogram.disable()
      const time = { total, held: ms(histogram.max), cpu: (user + system) / 1000 }
      const known = taken.get(name)
      if (known === undefined) console.log(`First ${name}: ${writeTime(time)}`)
      taken.set(name, [...(known ?? []), time])
      return result
    },
    write: () => [...taken].filter(([, times]) => times.length > 1).map(([name, times]) => writeTimes(name, times)),
  }
}

function writeTimes(name: string, times: readonly Time[]): string {
  return `${name}, ${times.length} times: median ${writeTime(pick(times, 0.5))}; longest ${writeTime(pick(times, 1))}`
}

/** Each of the values by itself: the longest need not be of one time. */
function pick(times: readonly Time[], share: number): Time {
  const at = (values: number[]) => values.sort((a, b) => a - b)[Math.ceil((values.length - 1) * share)] ?? 0
  return {
    total: at(times.map(({ total }) => total)),
    held: at(times.map(({ held }) => held)),
    cpu: at(times.map(({ cpu }) => cpu)),
  }
}

function writeTime({ total, held, cpu }: Time): string {
  return `${total.toFixed(1)} ms (${cpu.toFixed(1)} of CPU, event loop held for ${held.toFixed(1)})`
}

function ms(nanoseconds: number): number {
  return Number((nanoseconds / 1e6).toPrecision(3))
}
