import type { IndexDb } from '#server/store/database.ts'
import type { EntryRow, NewEntry } from '#server/store/entry.ts'
import { addNode, dropOrphanThread } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Live, NODES_TOPIC } from './live.ts'

/** The comments nodes that a change of an entry made known or left without a post. */
export interface ThreadChanges {
  readonly added?: NodeAddress
  readonly dropped?: NodeAddress
}

interface ThreadQuestion {
  readonly row: Pick<NewEntry, 'commentsService' | 'commentsNode'>
  readonly former: EntryRow | undefined
  readonly owner: BareJid | undefined
  readonly now: Date
}

/** Makes the comments node of a post known to the index, and forgets the one it linked to before. */
export async function followThread(
  index: IndexDb,
  { row, former, owner, now }: ThreadQuestion,
): Promise<ThreadChanges> {
  const address = threadOf(row)
  const left = former === undefined ? undefined : threadOf(former)
  const isLeft = left !== undefined && (address === undefined || !sameAddress(left, address))
  const dropped = isLeft && (await dropOrphanThread(index, left)) ? left : undefined
  if (address === undefined) return { dropped }
  const outcome = await addNode(index, { address, kind: 'comments', owner, now })
  return { dropped, added: outcome === 'added' ? address : undefined }
}

export function announceThread({ live }: { readonly live: Live }, { added, dropped }: ThreadChanges): void {
  if (dropped !== undefined) live.publish(NODES_TOPIC, { kind: 'node-dropped', address: dropped })
  if (added !== undefined) live.publish(NODES_TOPIC, { kind: 'node-added', address: added })
}

export function threadOf({
  commentsService,
  commentsNode,
}: Pick<NewEntry, 'commentsService' | 'commentsNode'>): NodeAddress | undefined {
  if (commentsService == null || commentsNode == null) return undefined
  return { service: commentsService, node: commentsNode }
}
