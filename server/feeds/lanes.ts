import { createWaiting, type Waiting } from './waiting.ts'

/** What comes first in a lane. `slow` and `later` go one at a time, so that the others always find room. */
export const RANKS = ['asked', 'feed', 'thread', 'slow', 'later'] as const
export type Rank = (typeof RANKS)[number]

/** `again`: there is more of the same. `unreachable`: its server did not answer, which says nothing about the task. */
export type TaskOutcome = 'done' | 'again' | 'unreachable'

export interface Task {
  readonly key: string
  readonly rank: Rank
  /** Never throws. */
  run(): Promise<TaskOutcome>
}

export interface LaneState {
  readonly lane: string
  readonly waiting: number
  readonly running: number
  /** When it is tried again, where it does not answer. */
  readonly downUntil?: Date
}

/** Work by server: each in a lane of its own, so that a slow or dead one delays no other. */
export interface Lanes {
  /** A key that waits already keeps its place, unless it now ranks before it; one that runs is run once more. */
  add(lane: string, task: Task): void
  /** Its server has just been heard. */
  answered(lane: string): void
  /** Nothing begins, and what fails meanwhile is tried again. */
  pause(): void
  /** `isFresh` forgets which answered and which did not. */
  resume(options: { readonly isFresh: boolean }): void
  /** How many wait or run where there is an answer, up to this rank. */
  count(upTo?: Rank): number
  /** When nothing does any more. */
  idle(upTo?: Rank): Promise<void>
  list(): LaneState[]
  /** Forgets what has not begun, for good. */
  stop(): void
}

export interface LanesOptions {
  /** Whole seconds to leave a lane alone that failed so many times. */
  readonly backoff: (failures: number) => number
  /** A server answers again: what it sent meanwhile may be lost. */
  readonly onBack?: (lane: string) => void
  readonly clock: () => Date
}

interface Lane {
  readonly name: string
  readonly waiting: Waiting<Task>
  readonly running: Map<string, Task>
  failures: number
  /** Whether its server answered when last asked. */
  isKnown: boolean
  down: { readonly timer: NodeJS.Timeout; readonly until: Date } | undefined
}

/** How many more may begin. */
interface Rooms {
  known: number
  unknown: number
}

// Few requests in flight: Debian's ejabberd and Prosody slow a client down that asks for more (servers.md).
const AT_ONCE = 3
/** Over all lanes; those that did not answer yet have a room of their own, for each may keep its place half a minute. */
const MOST_KNOWN = 32
const MOST_UNKNOWN = 32

export function createLanes({ backoff, clock, onBack = () => {} }: LanesOptions): Lanes {
  const lanes = new Map<string, Lane>()
  const watchers = new Set<() => void>()
  let isPaused = false
  let isStopped = false

  function laneOf(name: string): Lane {
    const lane = lanes.get(name) ?? {
      ...{ name, waiting: createWaiting<Task>(RANKS.length), running: new Map() },
      ...{ failures: 0, isKnown: false, down: undefined },
    }
    lanes.set(name, lane)
    return lane
  }

  /** Begins what has room. */
  function pump(): void {
    const rooms: Rooms = { known: MOST_KNOWN, unknown: MOST_UNKNOWN }
    for (const { isKnown, running } of lanes.values()) rooms[isKnown ? 'known' : 'unknown'] -= running.size
    for (const lane of lanes.values()) {
      while (hasRoom(lane, rooms) && beginNext(lane)) rooms[lane.isKnown ? 'known' : 'unknown']--
    }
    for (const watcher of [...watchers]) watcher()
  }

  function beginNext(lane: Lane): boolean {
    if (isPaused || isStopped || lane.down !== undefined) return false
    const isSlowBusy = [...lane.running.values()].some(({ rank }) => isSlow(rank))
    const last = isSlowBusy ? RANKS.indexOf('thread') : RANKS.length - 1
    const task = lane.waiting.take({ last, isFree: (key) => !lane.running.has(key) })
    if (task === undefined) return false
    lane.running.set(task.key, task)
    task.run().then((outcome) => end(lane, task, outcome))
    return true
  }

  function end(lane: Lane, task: Task, outcome: TaskOutcome): void {
    lane.running.delete(task.key)
    if (outcome !== 'done' && !isStopped) lane.waiting.add(task, RANKS.indexOf(task.rank), { isFirst: true })
    if (outcome === 'unreachable') fail(lane)
    else if (!isPaused) up(lane)
    pump()
  }

  function fail(lane: Lane): void {
    if (isPaused || lane.down !== undefined) return
    lane.failures++
    lane.isKnown = false
    const ms = backoff(lane.failures) * 1000
    const timer = setTimeout(() => {
      lane.down = undefined
      pump()
    }, ms).unref()
    lane.down = { timer, until: new Date(clock().getTime() + ms) }
  }

  function up(lane: Lane): void {
    const wasDown = lane.failures > 0
    clearTimeout(lane.down?.timer)
    lane.down = undefined
    lane.failures = 0
    lane.isKnown = true
    if (wasDown) onBack(lane.name)
  }

  function count(upTo: Rank = 'later'): number {
    const last = RANKS.indexOf(upTo)
    let sum = 0
    for (const { waiting, running, down } of lanes.values()) {
      if (down === undefined && !isPaused) sum += waiting.count(last)
      for (const { rank } of running.values()) if (RANKS.indexOf(rank) <= last) sum++
    }
    return sum
  }

  return {
    add(name, task) {
      if (isStopped) return
      laneOf(name).waiting.add(task, RANKS.indexOf(task.rank))
      pump()
    },
    answered(name) {
      const lane = lanes.get(name)
      if (lane?.down === undefined) return
      up(lane)
      pump()
    },
    pause() {
      isPaused = true
    },
    resume({ isFresh }) {
      isPaused = false
      if (isFresh) {
        for (const lane of lanes.values()) {
          clearTimeout(lane.down?.timer)
          Object.assign(lane, { down: undefined, failures: 0, isKnown: false })
        }
      }
      pump()
    },
    count,
    async idle(upTo) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const watcher = () => void (count(upTo) === 0 && resolve())
      watchers.add(watcher)
      watcher()
      await promise
      watchers.delete(watcher)
    },
    list: () =>
      [...lanes.values()].map(({ name, waiting, running, down }) => ({
        ...{ lane: name, waiting: waiting.size, running: running.size },
        ...(down && { downUntil: down.until }),
      })),
    stop() {
      isStopped = true
      for (const lane of lanes.values()) {
        clearTimeout(lane.down?.timer)
        lane.waiting.clear()
      }
      pump()
    },
  }
}

function hasRoom({ isKnown, running }: Lane, { known, unknown }: Rooms): boolean {
  return isKnown ? known > 0 && running.size < AT_ONCE : unknown > 0 && running.size === 0
}

function isSlow(rank: Rank): boolean {
  return rank === 'slow' || rank === 'later'
}
