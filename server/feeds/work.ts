/** Tasks that wait for their turn, each key once. */
export interface Work {
  /** A key that waits already keeps its place; one that runs is run once more. */
  add(key: string, task: () => Promise<void>): void
  /** How many wait. */
  readonly size: number
  isIdle(): boolean
  idle(): Promise<void>
  /** Forgets what has not begun. */
  clear(): void
}

/** Runs at most `atOnce` tasks together, in the order they were added. Tasks never throw. */
export function createWork(atOnce: number): Work {
  const waiting = new Map<string, () => Promise<void>>()
  const running = new Map<string, Promise<void>>()

  function next(): void {
    for (const [key, task] of waiting) {
      if (running.size >= atOnce) return
      if (running.has(key)) continue
      waiting.delete(key)
      const run = task().finally(() => {
        running.delete(key)
        next()
      })
      running.set(key, run)
    }
  }

  const isIdle = () => running.size === 0 && waiting.size === 0
  return {
    add(key, task) {
      if (!waiting.has(key)) waiting.set(key, task)
      next()
    },
    get size() {
      return waiting.size
    },
    isIdle,
    async idle() {
      while (!isIdle()) await Promise.all(running.values())
    },
    clear: () => waiting.clear(),
  }
}
