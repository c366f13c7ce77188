import { AppError } from '#server/errors.ts'
import { createHostRecord, type HostRecord } from './host-record.ts'

/** What a fetch asks, and for whom. */
export interface Asked {
  readonly host: string
  /** Its last two labels, or its address: names below a domain cost nothing. */
  readonly zone: string
  /** The network of the address that the host resolves to, once that is known. */
  readonly network: string | undefined
  /** The networks of the readers who wait for it; more may join. */
  readonly readers: ReadonlySet<string>
}

/** Runs some work when there is a place for it; unavailable where too many wait. */
type InTurn = <T>(asked: Asked, work: () => Promise<T>) => Promise<T>

interface Turns {
  readonly run: InTurn
  startNext(): void
}

/**
 * A fetch first looks up its host and asks it, which takes a socket and no more, and then reads, which takes memory: a
 * host that never answers holds no place of those that do.
 */
export interface FetchPlaces {
  readonly lookUp: InTurn
  /** Done when the first bytes of the answer are there. */
  readonly ask: InTurn
  readonly read: InTurn
  /** Is to be called after a reader has joined those who wait for a fetch. */
  onJoined(): void
}

/** How many may be under way at once: in all, for one reader, and of one zone, network and host. */
interface Share {
  readonly all: number
  readonly reader: number
  readonly zone: number
  readonly network: number
  readonly host: number
}

interface Claim {
  readonly asked: Asked
  readonly start: () => void
  readonly fail: (error: AppError) => void
  /** What it counts for while it is under way. */
  keys: readonly string[]
}

const ASKING: Share = { all: 144, reader: 48, zone: 12, network: 12, host: 4 }
const READING: Share = { all: 12, reader: 8, zone: 6, network: 6, host: 4 }
/** The part of the places that hosts may have which have not answered lately. */
const UNKNOWN_PART = 3 / 4
/** That of hosts which were asked lately, and from which nothing came. */
const FAILING_PART = 1 / 8
const MOST_WAITING = 400
const MOST_WAITING_OF_ZONE = 150

/** A bounded number of fetches at once, and of those that wait. */
export function createFetchPlaces(): FetchPlaces {
  const record = createHostRecord()
  const asking = createTurns(ASKING, (asked) => record.countFailures(asked))
  const reading = createTurns(READING, () => 0)
  return {
    lookUp: (asked, work) => asking.run(asked, () => noteFailure(record, asked, work)),
    ask: (asked, work) =>
      asking.run(asked, async () => {
        const answer = await noteFailure(record, asked, work)
        record.noteAnswer(asked)
        return answer
      }),
    read: reading.run,
    onJoined() {
      asking.startNext()
      reading.startNext()
    },
  }
}

async function noteFailure<T>(record: HostRecord, asked: Asked, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    record.noteFailure(asked)
    throw error
  }
}

/**
 * The next one to have a place is that of the reader with the fewest under way, and among those of one reader that of a
 * host that answers, then of one that is not known, then of the one that failed least, or of the zone with the fewest:
 * whoever asks for hundreds waits for themselves.
 */
function createTurns(share: Share, countFailures: HostRecord['countFailures']): Turns {
  const running = new Map<string, number>()
  const waiting = new Set<Claim>()
  const count = (key: string) => running.get(key) ?? 0

  function hasPlace({ asked }: Claim, failures: number | undefined): boolean {
    const part = failures === undefined ? UNKNOWN_PART : failures > 0 ? FAILING_PART : 1
    return (
      count('all') < share.all * part &&
      count(`zone ${asked.zone}`) < share.zone &&
      count(`host ${asked.host}`) < share.host &&
      (asked.network === undefined || count(`network ${asked.network}`) < share.network) &&
      countOfReader(asked) < share.reader * part
    )
  }

  /** That of the one with the fewest, of those who wait for it. */
  function countOfReader({ readers }: Asked): number {
    return Math.min(...[...readers].map((reader) => count(`reader ${reader}`)))
  }

  function findNext(): Claim | undefined {
    let next: { readonly claim: Claim; readonly order: readonly number[] } | undefined
    for (const claim of waiting) {
      const failures = countFailures(claim.asked)
      if (!hasPlace(claim, failures)) continue
      // Between one that answered and one that failed once.
      const order = [countOfReader(claim.asked), failures ?? 0.5, count(`zone ${claim.asked.zone}`)]
      if (next === undefined || isBefore(order, next.order)) next = { claim, order }
    }
    return next?.claim
  }

  function startNext(): void {
    for (let claim = findNext(); claim !== undefined; claim = findNext()) {
      waiting.delete(claim)
      claim.keys = keysOf(claim.asked)
      for (const key of claim.keys) running.set(key, count(key) + 1)
      claim.start()
    }
  }

  function end({ keys }: Claim): void {
    for (const key of keys) {
      const left = count(key) - 1
      if (left > 0) running.set(key, left)
      else running.delete(key)
    }
    startNext()
  }

  return {
    startNext,
    async run(asked, work) {
      makeRoom(waiting, asked)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const claim: Claim = { asked, start: resolve, fail: reject, keys: [] }
      waiting.add(claim)
      startNext()
      await promise
      try {
        return await work()
      } finally {
        end(claim)
      }
    },
  }
}

function keysOf({ host, zone, network, readers }: Asked): string[] {
  const own = network === undefined ? [] : [`network ${network}`]
  return ['all', `zone ${zone}`, `host ${host}`, ...own, ...[...readers].map((reader) => `reader ${reader}`)]
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const differs = a.findIndex((value, n) => value !== b[n])
  return differs !== -1 && (a[differs] ?? 0) < (b[differs] ?? 0)
}

/** Where too many wait, the last of the reader who has the most of them makes room, if that is not this one. */
function makeRoom(waiting: Set<Claim>, { zone, readers }: Asked): void {
  const busy = () => new AppError('unavailable', 'Too much is being fetched at once. Try again in a moment.')
  const ofReader = new Map<string, Claim[]>()
  let ofZone = 0
  for (const claim of waiting) {
    if (claim.asked.zone === zone) ofZone++
    for (const reader of claim.asked.readers) ofReader.set(reader, [...(ofReader.get(reader) ?? []), claim])
  }
  if (ofZone >= MOST_WAITING_OF_ZONE) throw busy()
  if (waiting.size < MOST_WAITING) return
  const longest = [...ofReader.values()].reduce((a, b) => (b.length > a.length ? b : a))
  const last = longest.at(-1)
  const mine = Math.min(...[...readers].map((reader) => ofReader.get(reader)?.length ?? 0))
  if (last === undefined || mine + 1 >= longest.length) throw busy()
  waiting.delete(last)
  last.fail(busy())
}
