import { addressKey } from '#shared/address.ts'
import { mayFollow, type Wish } from './follow.ts'
import type { FollowList } from './follow-list.ts'

/** Changes by other clients to a list on somebody's account since it was last read. Nodes are named by `addressKey`. */
export interface ListChanges {
  readonly wishes: ReadonlyMap<string, Wish>
  /** Whether the whole list is gone, which is nobody's wish. */
  readonly isLost: boolean
  isTakenOff(key: string): boolean
  /** Whether a missing node may only have found no room: the list was not read whole. */
  isCrowdedOut(key: string): boolean
}

/** `before`: what stood on the list when it was last read. */
export function compareList(found: FollowList | undefined, before: ReadonlySet<string>): ListChanges {
  // COMPAT(ejabberd 24.12): just started, it may answer that there is nothing yet.
  const isLost = before.size > 1 && (found === undefined || found.count === 0)
  const list = isLost ? undefined : found
  const items = list?.items.filter(({ address }) => mayFollow(address)) ?? []
  const wishes = new Map(items.map(({ address, title }) => [addressKey(address), { address, title }]))
  const isMissing = (key: string) => before.has(key) && !wishes.has(key)
  return {
    ...{ wishes, isLost },
    isTakenOff: (key) => isMissing(key) && list?.isComplete === true,
    isCrowdedOut: (key) => isMissing(key) && list?.isComplete === false,
  }
}
