import type { IndexDb } from '#server/store/database.ts'
import { countMessages } from '#server/store/room-entry.ts'

/** What is said in a room beyond so much on one day is not taken in: nobody could read it. */
const MOST_A_DAY = 20_000
/** Counting so many is cheap. */
const FEW = 200
const DAY = 86_400_000
/** Days of rooms whose counts are kept: an archive is read in order. */
const MOST_DAYS = 1_000

interface NewMessage {
  readonly index: IndexDb
  readonly nodeId: number
  readonly at: Date
}

const counts = new WeakMap<IndexDb, Map<string, number>>()

/** Whether a room's day is full. Counting its messages for each of them would take longer with every one. */
export async function isDayFull({ index, nodeId, at }: NewMessage): Promise<boolean> {
  const days = daysOf(index)
  const key = keyOf(nodeId, at)
  const known = days.get(key)
  // At the bound it is the index that knows: what it lost since may come again.
  if (known !== undefined && known < MOST_A_DAY) return false
  const day = Math.floor(at.getTime() / DAY) * DAY
  const count = await countMessages(index, nodeId, new Date(day), new Date(day + DAY))
  if (count >= FEW) days.set(key, count)
  const [oldest] = days.keys()
  if (oldest !== undefined && days.size > MOST_DAYS) days.delete(oldest)
  return count >= MOST_A_DAY
}

/** One more was taken in. */
export function countIn({ index, nodeId, at }: NewMessage): void {
  const days = daysOf(index)
  const key = keyOf(nodeId, at)
  const count = days.get(key)
  if (count !== undefined) days.set(key, count + 1)
}

function daysOf(index: IndexDb): Map<string, number> {
  const days = counts.get(index) ?? new Map<string, number>()
  counts.set(index, days)
  return days
}

function keyOf(nodeId: number, at: Date): string {
  return `${nodeId} ${Math.floor(at.getTime() / DAY)}`
}
