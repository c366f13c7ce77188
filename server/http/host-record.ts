import type { Asked } from './fetch-places.ts'

/** How hosts did lately when they were asked: in the last ten minutes, and only of so many. */
export interface HostRecord {
  noteAnswer(asked: Asked): void
  /** No connection, or no first byte in time. */
  noteFailure(asked: Asked): void
  /**
   * How often in a row a host failed: 0 where it answered last. A host that was not asked yet counts as those of its
   * zone and network do where they fail; undefined where nothing is known.
   */
  countFailures(asked: Asked): number | undefined
}

const KEEP_MS = 10 * 60_000
const MOST = 3_000

export function createHostRecord(): HostRecord {
  const kept = new Map<string, { readonly failures: number; readonly until: number }>()

  function find(key: string): number | undefined {
    const found = kept.get(key)
    return found !== undefined && found.until > performance.now() ? found.failures : undefined
  }

  function save(key: string, failures: number): void {
    kept.delete(key)
    kept.set(key, { failures, until: performance.now() + KEEP_MS })
    const [oldest] = kept.keys()
    if (oldest !== undefined && kept.size > MOST) kept.delete(oldest)
  }

  return {
    noteAnswer(asked) {
      for (const key of keysOf(asked)) save(key, 0)
    },
    noteFailure(asked) {
      for (const key of keysOf(asked)) save(key, (find(key) ?? 0) + 1)
    },
    countFailures(asked) {
      const [host, ...around] = keysOf(asked)
      const failures = Math.max(...around.map((key) => find(key) ?? 0))
      return find(host) ?? (failures === 0 ? undefined : failures)
    },
  }
}

function keysOf({ host, zone, network }: Asked): [string, ...string[]] {
  return [`host ${host}`, `zone ${zone}`, ...(network === undefined ? [] : [`network ${network}`])]
}
