import { createSlices } from '#server/slices.ts'
import type { IndexDb } from '#server/store/database.ts'
import { markLeft } from '#server/store/emptying.ts'
import { dropEntries, listSomeEntries, type SomeEntry } from '#server/store/entry.ts'
import { finishNode } from '#server/store/finish-node.ts'
import { deleteNode, findNode, isFeed, type NodeRow, updateNode } from '#server/store/node.ts'
import { deleteSomeReactions } from '#server/store/reaction.ts'
import { dropOrphanThread, listAttachmentsNodes, listPostsOfThread } from '#server/store/thread-node.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import type { Live } from './live.ts'
import { EMPTY_MARK } from './mark.ts'
import { forgetReactions } from './reactions/forget-reactions.ts'
import { announceThread, threadOf } from './thread.ts'

export interface EmptyNodeDeps {
  readonly index: IndexDb
  readonly live: Live
  /** Aborted when the process ends: the next one goes on. */
  readonly signal?: AbortSignal
}

/** Long work, of which emptying one node may be a part: all of it waits for its turn alike. */
interface SlicedDeps extends EmptyNodeDeps {
  readonly pause: () => Promise<void>
}

/** Entries that go in one transaction, and nodes that are listed at once. */
const AT_ONCE = 25
/** Reactions that one statement deletes. */
const REACTIONS = 500

/**
 * Takes everything on a node out of the index, with what belongs to its posts, in slices: others get their turn between
 * them, and may still see what is not gone yet. With `at`, each entry is remembered as removed then.
 */
export async function emptyNode(deps: EmptyNodeDeps, node: NodeRow, at?: Date): Promise<void> {
  await empty(inSlices(deps), node, at)
}

export type ListToDrop = (index: IndexDb, nodeId: number, limit: number) => Promise<SomeEntry[]>

/** Takes the first entries of a list out of the index, a transaction full. Returns how many. */
export async function dropFirst(deps: EmptyNodeDeps, node: NodeRow, list: ListToDrop): Promise<number> {
  const entries = await list(deps.index, node.id, AT_ONCE)
  if (entries.length > 0) await drop(inSlices(deps), node, { entries })
  return entries.length
}

/** Takes an entry of a node out of the index, with what belongs to it, in slices; it is remembered as removed then. */
export async function dropEntry(deps: EmptyNodeDeps, node: NodeRow, { entry, at }: Removal): Promise<void> {
  await drop(inSlices(deps), node, { entries: [entry], at })
}

/** Forgets comments that no post links to any more. */
export async function dropLeftThread(deps: EmptyNodeDeps, address: NodeAddress): Promise<void> {
  await dropLeft(inSlices(deps), address)
}

interface Removal {
  readonly entry: SomeEntry
  readonly at: Date
}

interface Dropping {
  readonly entries: readonly SomeEntry[]
  readonly at?: Date | undefined
}

function inSlices({ index, live, signal }: EmptyNodeDeps): SlicedDeps {
  return { index, live, signal, pause: createSlices() }
}

async function empty(deps: SlicedDeps, node: NodeRow, at?: Date): Promise<void> {
  for (;;) {
    const entries = await listSomeEntries(deps.index, node.id, AT_ONCE)
    if (entries.length === 0) break
    await drop(deps, node, { entries, at })
    await deps.pause()
    deps.signal?.throwIfAborted()
  }
  if (isFeed(node)) await dropUnknown(deps, node.address)
}

async function drop(deps: SlicedDeps, node: NodeRow, { entries, at }: Dropping): Promise<void> {
  const posts = isFeed(node) ? entries : []
  for (const { item } of posts) await emptyReactions(deps, { ...node.address, item })
  const [dropped, left] = await deps.index.transaction().execute(async (index) => {
    await dropEntries(index, node.address, { entries, at })
    return [await forgetAll(index, node, posts), await markAll(index, posts)]
  })
  announceThread(deps, { dropped })
  // Others may have linked to them until now: which of them was the last is certain only after it went.
  for (const thread of left) await dropLeft(deps, thread)
}

async function forgetAll(index: IndexDb, { address }: NodeRow, posts: readonly SomeEntry[]): Promise<NodeAddress[]> {
  const dropped: NodeAddress[] = []
  for (const { item } of posts) dropped.push(...(await forgetReactions(index, { ...address, item })))
  return dropped
}

/** Returns the comments that nothing links to now. */
async function markAll(index: IndexDb, posts: readonly SomeEntry[]): Promise<NodeAddress[]> {
  const left: NodeAddress[] = []
  for (const post of posts) {
    const thread = threadOf(post)
    if (thread !== undefined && (await markLeft(index, thread))) left.push(thread)
  }
  return left
}

/** Forgets what was said about a post that goes, all but what comes meanwhile. */
async function emptyReactions(deps: SlicedDeps, post: ItemAddress): Promise<void> {
  const attachments = await findNode(deps.index, attachmentsOf(post))
  if (attachments?.kind === 'attachments') await empty(deps, attachments)
  await deleteReactions(deps, post)
}

/** Forgets what was said about posts of a feed that the index never had. */
async function dropUnknown(deps: SlicedDeps, feed: NodeAddress): Promise<void> {
  for (;;) {
    const nodes = await listAttachmentsNodes(deps.index, feed, AT_ONCE)
    if (nodes.length === 0) break
    for (const node of nodes) {
      await empty(deps, node)
      await deleteNode(deps.index, node.address)
      announceThread(deps, { dropped: [node.address] })
    }
    await deps.pause()
  }
  await deleteReactions(deps, feed)
}

async function deleteReactions(deps: SlicedDeps, about: NodeAddress & Partial<ItemAddress>): Promise<void> {
  while (await deleteSomeReactions(deps.index, about, REACTIONS)) await deps.pause()
}

async function dropLeft(deps: SlicedDeps, address: NodeAddress): Promise<void> {
  const comments = await findNode(deps.index, address)
  if (comments?.kind !== 'comments') return
  if ((await listPostsOfThread(deps.index, address)).length > 0) return keep(deps, comments)
  // Should a post link to it again meanwhile, all of it is read again.
  await updateNode(deps.index, address, { mark: EMPTY_MARK })
  await empty(deps, comments)
  const isDropped = await dropOrphanThread(deps.index, address)
  if (!isDropped) await keep(deps, comments)
  announceThread(deps, isDropped ? { dropped: [address] } : { added: [address] })
}

/** A post links to these comments again. They may have been hidden or shown meanwhile. */
async function keep({ index }: SlicedDeps, comments: NodeRow): Promise<void> {
  await updateNode(index, comments.address, { emptying: 'holds' })
  await finishNode(index, comments)
}
