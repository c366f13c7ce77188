export interface LineOptions {
  /** When anything last came in, as `performance.now()` tells. */
  readonly lastHeard: () => number
  /** Asks the other side for a sign of life. */
  readonly ask: (onAnswer: () => void) => void
  readonly onDead: () => void
}

export interface Line {
  /** Milliseconds of the last question and answer. */
  readonly rtt: number | undefined
  stop(): void
}

/** How long the line may be silent before we ask, how long we wait for the answer, and how often we look. */
const QUIET = 60_000
const PATIENCE = 30_000
const LOOK_EVERY = 10_000

/** Asks now and then whether the other side is still there: a dead connection says nothing by itself. */
export function watchLine({ lastHeard, ask, onDead }: LineOptions): Line {
  let rtt: number | undefined
  let asked: number | undefined

  function probe(now: number): void {
    asked = now
    ask(() => {
      rtt = performance.now() - now
      asked = undefined
    })
  }

  function look(): void {
    const now = performance.now()
    if (asked === undefined) {
      if (now - lastHeard() > QUIET) probe(now)
    } else if (now - asked > PATIENCE) {
      if (lastHeard() > asked) asked = undefined
      else onDead()
    }
  }

  const timer = setInterval(look, LOOK_EVERY)
  probe(performance.now())
  return {
    get rtt() {
      return rtt
    },
    stop: () => clearInterval(timer),
  }
}
