/** A holder of memory that can be made to give it back. */
export interface Holder {
  /** Called once what all hold is over the budget, and this one holds the most. */
  giveUp(): void
}

/** Bytes that several may hold together: over that, the one that holds the most gives up, so that the others go on. */
export interface MemoryBudget {
  /** Says how many bytes `holder` holds now; 0 forgets it. */
  hold(holder: Holder, bytes: number): void
  readonly total: number
}

export function createMemoryBudget(budget: number): MemoryBudget {
  const held = new Map<Holder, number>()
  let total = 0

  function findLargest(): Holder | undefined {
    let largest: Holder | undefined
    let most = 0
    for (const [holder, bytes] of held) {
      if (bytes <= most) continue
      largest = holder
      most = bytes
    }
    return largest
  }

  function hold(holder: Holder, bytes: number): void {
    total += bytes - (held.get(holder) ?? 0)
    if (bytes === 0) held.delete(holder)
    else held.set(holder, bytes)
    if (total <= budget) return
    const largest = findLargest()
    if (largest === undefined) return
    hold(largest, 0)
    largest.giveUp()
  }

  return {
    hold,
    get total() {
      return total
    },
  }
}
