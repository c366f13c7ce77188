/** How often a second `work` can be done, one after the other, over about `ms` milliseconds. */
export async function ratePerSecond(work: () => unknown, ms = 1500): Promise<number> {
  await work()
  const start = performance.now()
  let count = 0
  let passed = 0
  while (passed < ms) {
    await work()
    count++
    passed = performance.now() - start
  }
  return (count * 1000) / passed
}

/** Things a second, where doing all of them once is the measurement. */
export async function rateOf(count: number, work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now()
  await work()
  return (count * 1000) / (performance.now() - start)
}
