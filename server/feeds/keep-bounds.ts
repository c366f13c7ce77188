import type { Logger } from '#server/log.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import { addressKey } from '#shared/address.ts'
import { dropOldest, type EmptyNodeDeps } from './empty-node.ts'
import { type BoundsDeps, boundsOf, LEAST_BYTES } from './reading-bounds.ts'

export interface KeepBoundsDeps extends BoundsDeps, EmptyNodeDeps {
  readonly log: Logger
}

/** Where events of a stranger's node have brought more than is kept of it, the oldest entries make way. */
export async function keepBounds(deps: KeepBoundsDeps, { address }: Pick<NodeRow, 'address'>): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined || node.bytes <= LEAST_BYTES) return
  const { bytes } = await boundsOf(deps, node)
  if (node.bytes <= bytes) return
  if (node.backfill !== 'cut') {
    deps.log.warn(`${addressKey(address)} has more than is kept here: only the newest are shown`)
    await updateNode(deps.index, address, { backfill: 'cut', backfillCursor: null })
  }
  await dropOldest(deps, node, bytes)
}
