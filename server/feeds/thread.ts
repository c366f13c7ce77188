import type { IndexDb } from '#server/store/database.ts'
import { markLeft } from '#server/store/emptying.ts'
import type { EntryRow, NewEntry } from '#server/store/entry.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Live, NODES_TOPIC } from './live.ts'
import { beginMove, type MovingHearts } from './reactions/move-hearts.ts'

/** The nodes of comments and attachments that a change of an entry made known or left without a post. */
export interface ThreadChanges {
  /** The comments that the entry linked to before, if nothing does now: they are to be dropped. */
  readonly left?: NodeAddress | undefined
  readonly hearts?: MovingHearts | undefined
  readonly added?: readonly NodeAddress[]
  readonly dropped?: readonly NodeAddress[]
}

interface ThreadQuestion {
  readonly address: ItemAddress
  readonly row: Pick<NewEntry, 'commentsService' | 'commentsNode' | 'arrivedAt'>
  readonly former: EntryRow | undefined
  readonly owner: BareJid | undefined
  /** The node of its attachments, where that is to be read from now on. */
  readonly attachments: NodeAddress | undefined
  readonly now: Date
}

/** Makes the comments and attachments of a post known to the index, and tells which comments nothing links to any more. */
export async function followThread(
  index: IndexDb,
  { address, row, former, owner, attachments, now }: ThreadQuestion,
): Promise<ThreadChanges> {
  const thread = threadOf(row)
  const linked = former === undefined ? undefined : threadOf(former)
  const isSame = thread !== undefined && linked !== undefined && sameAddress(linked, thread)
  // With the change, so that it is dropped after a crash too.
  const isOrphan = linked !== undefined && !isSame && (await markLeft(index, linked))
  const added: NodeAddress[] = []
  if (thread !== undefined && (await addNode(index, { address: thread, kind: 'comments', owner, now })) === 'added') {
    added.push(thread)
  }
  // None are on a node that was not known; those on one that is dropped go with it.
  const move = { post: address, from: isOrphan ? undefined : linked, to: added.length > 0 ? undefined : thread }
  const hearts = isSame ? undefined : await beginMove(index, move)
  if (attachments !== undefined) {
    const outcome = await addNode(index, { address: attachments, kind: 'attachments', owner, now })
    if (outcome === 'added') {
      // No entry links to it: how new its post is tells how soon it is read.
      await updateNode(index, attachments, { heardAt: row.arrivedAt ?? null })
      added.push(attachments)
    }
  }
  return { added, hearts, left: isOrphan ? linked : undefined }
}

export function announceThread({ live }: { readonly live: Live }, { added = [], dropped = [] }: ThreadChanges): void {
  for (const address of dropped) live.publish(NODES_TOPIC, { kind: 'node-dropped', address })
  for (const address of added) live.publish(NODES_TOPIC, { kind: 'node-added', address })
}

export function threadOf({
  commentsService,
  commentsNode,
}: Pick<NewEntry, 'commentsService' | 'commentsNode'>): NodeAddress | undefined {
  if (commentsService == null || commentsNode == null) return undefined
  return { service: commentsService, node: commentsNode }
}
