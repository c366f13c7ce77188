import { findAuthor } from '#server/store/author.ts'
import { findCommunity } from '#server/store/community.ts'
import type { IndexDb } from '#server/store/database.ts'
import { countOverwrite, type EntryRow, findEntry, type NewEntry, saveEntry, savePayload } from '#server/store/entry.ts'
import type { Hold } from '#server/store/index-schema.ts'
import { findNode, isFeed, isRead, type NodeRow } from '#server/store/node.ts'
import { addOriginal } from '#server/store/original.ts'
import { savePerson } from '#server/store/person.ts'
import { findItemByAtomId } from '#server/store/reply-ref.ts'
import { deleteTombstone, findTombstone } from '#server/store/tombstone.ts'
import type { ItemAddress } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { mayReplace, ownerOfThread, toEntryRow } from './entry-row.ts'
import type { IngestDeps, IngestOutcome } from './ingest.ts'
import { type LateParent, takeReplies } from './late-parent.ts'
import { saveMetadata } from './metadata.ts'
import { isSince } from './missing.ts'
import { storeReactions } from './reactions/store-reactions.ts'
import type { ReadEntryItem, ReadItem } from './read-item.ts'
import { followThread, type ThreadChanges } from './thread.ts'

export interface Storing {
  readonly address: ItemAddress
  readonly item: ReadItem
  /** Why it is not shown, as was judged. */
  readonly hold?: Hold | null
  readonly readAt?: Date
  readonly isHistory?: boolean
}

export interface Stored {
  readonly outcome: IngestOutcome
  readonly isNew: boolean
  readonly thread: ThreadChanges
  readonly lateParent?: LateParent | undefined
}

const NOTHING = { isNew: false, thread: {} } as const

/** Writes an item that was read. `deps.index` is a transaction: what it finds stays so until it has written. */
export async function storeItem(deps: IngestDeps, storing: Storing): Promise<Stored> {
  const { address, item, hold = null, readAt, isHistory = false } = storing
  const node = await findNode(deps.index, address)
  if (node === undefined || !isRead(node)) return { ...NOTHING, outcome: 'ignored' }
  if (item.kind === 'metadata') return { ...NOTHING, outcome: await saveMetadata(deps, node, item) }
  const existing = await findEntry(deps.index, node.id, address.item)
  if (readAt !== undefined && (await isOlderThanOurs(deps, { address, existing, readAt }))) {
    return { ...NOTHING, outcome: 'ignored' }
  }
  const isRepeated = readAt !== undefined && (existing?.overwrites ?? 0) > 0
  return storeEntry(deps, { node, address, existing, item, hold, isHistory, isRepeated })
}

export interface Saving {
  readonly node: NodeRow
  readonly address: ItemAddress
  /** What the index has of the item. */
  readonly existing: EntryRow | undefined
  readonly item: ReadEntryItem
  readonly hold: Hold | null
  /** It was there before anybody here followed the node. */
  readonly isHistory: boolean
  /** An overwrite that is still there when the node is read again was counted. */
  readonly isRepeated: boolean
}

async function storeEntry(deps: IngestDeps, saving: Saving): Promise<Stored> {
  const { node, address, existing, item } = saving
  if (existing !== undefined && !mayReplace(existing, item)) {
    if (existing.payload === item.payload) return { ...NOTHING, outcome: 'unchanged' }
    if (!saving.isRepeated) {
      await countOverwrite(deps.index, existing.id)
      deps.meters.count('overwrites')
    }
    return { ...NOTHING, outcome: 'ignored' }
  }
  const row = await findParent(deps, address, toEntryRow(deps, saving))
  if (existing !== undefined && isShownAlike(existing, row)) {
    // As when the service sends our own post back, written in another way.
    await savePayload(deps.index, existing.id, item.payload)
    return { ...NOTHING, outcome: 'unchanged' }
  }
  const id = await saveEntry(deps.index, { ...row, id: existing?.id }, item.entry.tags)
  const lateParent = await takeReplies(deps.index, { address, row, former: existing })
  const reactions = item.entry.reactions ?? []
  await storeReactions(deps.index, { id, node, address, row, former: existing, reactions })
  if (item.entry.via !== undefined) await addOriginal(deps.index, item.entry.via.address)
  await deleteTombstone(deps.index, address)
  await learnName(deps.index, item, row.updatedAt)
  const thread = await followThread(deps.index, {
    ...{ address, row, former: existing },
    owner: ownerOfThread(node, row.author ?? null),
    attachments: (await readsAttachments(deps, saving)) ? attachmentsOf(address) : undefined,
    now: deps.clock(),
  })
  return { outcome: 'stored', isNew: existing === undefined, thread, lateParent }
}

/** A reply that names only the `atom:id` of its parent gets that one's address, if it is a comment of the same thread. */
export async function findParent(
  { index }: Pick<IngestDeps, 'index'>,
  address: ItemAddress,
  row: NewEntry,
): Promise<NewEntry> {
  if (row.isPost === 1 || row.replyRef == null || row.replyItem != null) return row
  const parent = await findItemByAtomId(index, row.nodeId, row.replyRef)
  if (parent === undefined || parent === address.item) return row
  return { ...row, replyService: address.service, replyNode: address.node, replyItem: parent }
}

/** Of the site's own posts. Most others have none, which nobody needs to know before somebody looks at the post. */
async function readsAttachments({ state }: IngestDeps, { node, address, item }: Saving): Promise<boolean> {
  if (!isFeed(node) || item.entry.via !== undefined) return false
  if (node.kind === 'community') return (await findCommunity(state, address)) !== undefined
  return node.owner !== undefined && (await findAuthor(state, node.owner)) !== undefined
}

function isShownAlike(existing: EntryRow, row: NewEntry): boolean {
  const kept: Partial<EntryRow> = { ...existing, payload: row.payload, changedAt: row.changedAt, reader: row.reader }
  return Object.entries(row).every(([column, value]) => kept[column as keyof EntryRow] === value)
}

/** Saves the name that a credited author goes by. */
export async function learnName(
  index: IndexDb,
  { credit, entry, room }: ReadEntryItem,
  updatedAt: number,
): Promise<void> {
  const name = entry.author.name
  // What somebody calls themselves in a room is for the room.
  if (credit.kind !== 'credited' || name === undefined || name === '' || room !== undefined) return
  await savePerson(index, { jid: credit.author, name, namedAt: new Date(updatedAt) })
}

/** A page of a node that was asked for before the last change here knows less than we do. */
async function isOlderThanOurs(
  deps: IngestDeps,
  { address, existing, readAt }: { address: ItemAddress; existing: EntryRow | undefined; readAt: Date },
): Promise<boolean> {
  if (existing !== undefined) return isSince(deps, existing.changedAt, readAt)
  const removedAt = await findTombstone(deps.index, address)
  return removedAt !== undefined && isSince(deps, removedAt.getTime(), readAt)
}
