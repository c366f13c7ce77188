import { createSlices } from '#server/slices.ts'
import type { IndexDb } from '#server/store/database.ts'
import { dropEntries, listOldestEntries, listSomeEntries, type SomeEntry } from '#server/store/entry.ts'
import { findNode, isFeed, type NodeRow, updateNode } from '#server/store/node.ts'
import { dropOrphanThread, listPostsOfThread } from '#server/store/thread-node.ts'
import { type ItemAddress, type NodeAddress, sameAddress } from '#shared/address.ts'
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

/** Entries that go in one transaction. */
const AT_ONCE = 25

/**
 * Takes everything on a node out of the index, with what belongs to its posts, in slices: others get their turn between
 * them, and may still see what is not gone yet. With `at`, each entry is remembered as removed then.
 */
export async function emptyNode(deps: EmptyNodeDeps, node: NodeRow, at?: Date): Promise<void> {
  const pause = createSlices()
  for (;;) {
    const entries = await listSomeEntries(deps.index, node.id, AT_ONCE)
    if (entries.length === 0) break
    await dropSome(deps, node, { entries, at })
    await pause()
    deps.signal?.throwIfAborted()
  }
  // Some may be about posts that the index never had.
  if (isFeed(node)) announceThread(deps, { dropped: await forgetReactions(deps.index, node.address) })
}

/** Takes the oldest entries of a node out of the index, until what is left has no more than so many bytes. */
export async function dropOldest(deps: EmptyNodeDeps, { address }: NodeRow, mostBytes: number): Promise<void> {
  const pause = createSlices()
  for (;;) {
    const node = await findNode(deps.index, address)
    if (node === undefined || node.bytes <= mostBytes) return
    await dropSome(deps, node, { entries: await listOldestEntries(deps.index, node.id, AT_ONCE) })
    await pause()
  }
}

async function dropSome(
  deps: EmptyNodeDeps,
  node: NodeRow,
  { entries, at }: { readonly entries: readonly SomeEntry[]; readonly at?: Date | undefined },
): Promise<void> {
  if (isFeed(node)) {
    for (const entry of entries) await emptyBeside(deps, { ...node.address, item: entry.item }, threadOf(entry))
  }
  const dropped = await deps.index.transaction().execute(async (index) => {
    await dropEntries(index, node.address, { entries, at })
    return isFeed(node) ? dropBeside(index, node, entries) : []
  })
  announceThread(deps, { dropped })
}

/** Empties the nodes of a post's comments and attachments, which go with it. Comments that other posts link to stay. */
export async function emptyBeside(
  deps: EmptyNodeDeps,
  post: ItemAddress,
  thread: NodeAddress | undefined,
): Promise<void> {
  const attachments = await findNode(deps.index, attachmentsOf(post))
  if (attachments !== undefined) await emptyNode(deps, attachments)
  const comments = thread && (await findNode(deps.index, thread))
  if (comments?.kind !== 'comments') return
  const posts = await listPostsOfThread(deps.index, comments.address)
  if (posts.every((other) => sameAddress(other, post))) await emptyNode(deps, comments)
}

/** Forgets comments that no post links to any more. */
export async function dropLeftThread(deps: EmptyNodeDeps, address: NodeAddress): Promise<void> {
  const comments = await findNode(deps.index, address)
  if (comments?.kind !== 'comments') return
  if ((await listPostsOfThread(deps.index, address)).length > 0)
    return updateNode(deps.index, address, { emptying: null })
  // Should a post link to it again meanwhile, all of it is read again.
  await updateNode(deps.index, address, { mark: EMPTY_MARK })
  await emptyNode(deps, comments)
  const isDropped = await dropOrphanThread(deps.index, address)
  if (!isDropped) await updateNode(deps.index, address, { emptying: null })
  announceThread(deps, isDropped ? { dropped: [address] } : { added: [address] })
}

async function dropBeside(index: IndexDb, node: NodeRow, entries: readonly SomeEntry[]): Promise<NodeAddress[]> {
  const dropped: NodeAddress[] = []
  for (const entry of entries) {
    dropped.push(...(await forgetReactions(index, { ...node.address, item: entry.item })))
    const thread = threadOf(entry)
    if (thread !== undefined && (await dropOrphanThread(index, thread))) dropped.push(thread)
  }
  return dropped
}
