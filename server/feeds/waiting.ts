/** Things that wait for their turn, by rank and then in the order they came, each key once. */
export interface Waiting<T extends { readonly key: string }> {
  /** Takes the place of one that waits already, unless that ranks before it. */
  add(thing: T, rank: number, options?: { readonly isFirst?: boolean }): void
  /** The first up to a rank that is free. */
  take(which: { readonly last: number; readonly isFree: (key: string) => boolean }): T | undefined
  readonly size: number
  /** How many up to a rank. */
  count(last: number): number
  clear(): void
}

export function createWaiting<T extends { readonly key: string }>(ranks: number): Waiting<T> {
  const queues = Array.from({ length: ranks }, () => new Map<string, T>())
  const count = (last: number) => queues.slice(0, last + 1).reduce((sum, queue) => sum + queue.size, 0)
  return {
    add(thing, rank, { isFirst = false } = {}) {
      const found = queues.findIndex((queue) => queue.has(thing.key))
      if (found >= 0 && found <= rank) {
        if (found === rank) queues[rank]?.set(thing.key, thing)
        return
      }
      queues[found]?.delete(thing.key)
      const queue = queues[rank]
      if (isFirst && queue !== undefined) queues[rank] = new Map([[thing.key, thing], ...queue])
      else queue?.set(thing.key, thing)
    },
    take({ last, isFree }) {
      for (const queue of queues.slice(0, last + 1)) {
        for (const [key, thing] of queue) {
          if (!isFree(key)) continue
          queue.delete(key)
          return thing
        }
      }
      return undefined
    },
    get size() {
      return count(ranks - 1)
    },
    count,
    clear() {
      for (const queue of queues) queue.clear()
    },
  }
}
