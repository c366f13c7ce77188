import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that the process holds on and off the heap once what nothing refers to is gone. */
function measureHeld(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Bytes that the results of `work` keep from being freed. */
export async function measureKept<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly kept: T; readonly bytes: number }> {
  const before = measureHeld()
  const kept = await work()
  return { kept, bytes: measureHeld() - before }
}
