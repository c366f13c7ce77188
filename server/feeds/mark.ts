import { createHash } from 'node:crypto'
import type { Item } from '#server/xmpp/ports.ts'
import type { ItemId } from '#shared/address.ts'
import { isWithinBounds, writeSortedXml } from '#shared/xml.ts'

/*
 * A mark says how far a node is known: digests of its newest items, newest first, as a reading found them, in JSON. Only a
 * reading moves it, for an event says nothing about the items before its own.
 */

/** How many items are remembered, so that some may be edited or retracted and a reading still finds the others. */
const KEPT = 20
/** So many marked items in a row are known ground. One alone may have been published again, unchanged. */
export const MARKED_IN_A_ROW = 3

/** The mark of a node of which nothing is known. */
export const EMPTY_MARK = '[]'

/** Finds the place where a reading meets earlier readings. */
export interface Joining {
  /** The next items of the reading, newest first. Returns those that are newer than the known ground. */
  take(items: readonly Item[]): ReadonlySet<ItemId>
  readonly isJoined: boolean
  /** The mark of a node that is known as far down as the reading got. */
  readonly next: string
}

/** With the mark that the node has. */
export function createJoining(kept: string = EMPTY_MARK): Joining {
  const mark = JSON.parse(kept) as readonly string[]
  const positions = new Map(mark.map((digest, i) => [digest, i]))
  const read: string[] = []
  let last = -1
  let row = 0

  const isJoined = () => row >= MARKED_IN_A_ROW
  const isDone = () => read.length >= KEPT && (isJoined() || mark.length === 0)

  function step(digest: string): void {
    const position = positions.get(digest) ?? -1
    const follows = position > last
    // Below the known ground something may have been edited in its place.
    if (isJoined() && !follows) return
    // COMPAT(Prosody 13): a re-published item moves to the front, where what follows it may be new.
    row = position < 0 ? 0 : follows ? row + 1 : 1
    last = position
  }

  return {
    take(items) {
      const newer = new Set<ItemId>()
      for (const item of items) {
        // A large node would be serialised whole for nothing.
        if (isDone()) break
        const digest = digestItem(item)
        step(digest)
        if (read.length < KEPT) read.push(digest)
        if (row === 0) newer.add(item.id)
      }
      return newer
    },
    get isJoined() {
      return isJoined()
    },
    get next() {
      return JSON.stringify([...read, ...(isJoined() ? mark.slice(last + 1) : [])].slice(0, KEPT))
    },
  }
}

function digestItem({ id, payload }: Item): string {
  const text = payload !== undefined && isWithinBounds(payload) ? writeSortedXml(payload) : ''
  return createHash('sha256')
    .update(JSON.stringify([id, text]))
    .digest('base64url')
    .slice(0, 16)
}
