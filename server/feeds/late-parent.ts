import type { IndexDb } from '#server/store/database.ts'
import type { EntryRow, NewEntry } from '#server/store/entry.ts'
import { endUnfinished, type Marked, markUnfinished } from '#server/store/finish-node.ts'
import { linkReplies, linkSomeReplies, type ReplyParent } from '#server/store/reply-ref.ts'
import type { ItemAddress } from '#shared/address.ts'

/** A comment that came after many replies to it, some of which do not know its address yet. */
export interface LateParent {
  readonly parent: ReplyParent
  /** The last entry that was looked at. */
  readonly after: number
  readonly node: Marked
}

interface Comment {
  readonly address: ItemAddress
  readonly row: NewEntry
  readonly former: EntryRow | undefined
}

/** To be called with the comment, in its transaction. Returns what is left to do after it, which few comments need. */
export async function takeReplies(index: IndexDb, { address, row, former }: Comment): Promise<LateParent | undefined> {
  if (row.isPost === 1 || row.atomId == null || former?.atomId === row.atomId) return undefined
  const parent = { nodeId: row.nodeId, atomId: row.atomId, address }
  const after = await linkSomeReplies(index, parent)
  const node = after === undefined ? undefined : await markUnfinished(index, address)
  return after === undefined || node === undefined ? undefined : { parent, after, node }
}

/** To be called after it: in slices. */
export async function takeOtherReplies(index: IndexDb, { parent, after, node }: LateParent): Promise<void> {
  await linkReplies(index, parent, after)
  await endUnfinished(index, node)
}
