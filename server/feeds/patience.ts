/** Waits for a task, but no longer than so many milliseconds: for stopping, when a server no longer answers. */
export async function waitAtMost(task: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  try {
    await Promise.race([task, late])
  } finally {
    clearTimeout(timer)
  }
}
