/**
 * Milliseconds of CPU on this thread: other processes of a busy machine add nothing to it. Linux counts them with each of
 * its ticks, up to 10 ms apart: only for what takes longer.
 */
export function readCpuTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of CPU on this thread that some work takes. What else goes on meanwhile counts too. */
export async function cpuTimeOf(work: () => unknown): Promise<number> {
  const before = readCpuTime()
  await work()
  return readCpuTime() - before
}

/** The least of eight times. */
export async function leastCpuTimeOf(work: () => unknown): Promise<number> {
  const times: number[] = []
  while (times.length < 8) times.push(await cpuTimeOf(work))
  return Math.min(...times)
}
