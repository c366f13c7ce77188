import type { IndexDb } from '#server/store/database.ts'
import { endUnfinished, type Marked, markUnfinished } from '#server/store/finish-node.ts'
import { deleteHearts, saveHearts } from '#server/store/heart.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'

/** A post whose link to its comments has changed: the hearts there are to follow. */
export interface MovingHearts {
  readonly post: ItemAddress
  readonly from: Marked | undefined
  readonly to: Marked | undefined
}

interface LinkChange {
  readonly post: ItemAddress
  readonly from: NodeAddress | undefined
  readonly to: NodeAddress | undefined
}

/** To be called with the change, in its transaction. */
export async function beginMove(index: IndexDb, { post, from, to }: LinkChange): Promise<MovingHearts> {
  return {
    post,
    from: from && (await markUnfinished(index, from)),
    to: to && (await markUnfinished(index, to)),
  }
}

/** To be called after it: in slices. */
export async function finishMove(index: IndexDb, { post, from, to }: MovingHearts): Promise<void> {
  if (from !== undefined) {
    await deleteHearts(index, post, from)
    await endUnfinished(index, from)
  }
  if (to !== undefined) {
    await saveHearts(index, post, to)
    await endUnfinished(index, to)
  }
}
