import { findAuthor } from '#server/store/author.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { sumHeldBytes } from '#server/store/held-bytes.ts'
import type { NodeRow } from '#server/store/node.ts'
import { type BareJid, localPart } from '#shared/jid.ts'

export interface BoundsDeps {
  readonly index: IndexDb
  readonly state: StateDb
}

/** Limits of one reading of a node: that of a hostile server has no end of its own. */
export interface ReadingBounds {
  readonly items: number
  readonly pages: number
  readonly bytes: number
  /** Milliseconds that are spent on it, not between its parts. */
  readonly time: number
}

// Bounds for strangers: none that anybody reads has more; of one who has, the newest items are kept. The bytes are those of
// all nodes of one stranger. A single answer is bounded while it is parsed (`xmpp/stanza-bounds.ts`).
export const BOUNDS: ReadingBounds = { items: 50_000, pages: 5_000, bytes: 64 * 1024 * 1024, time: 20 * 60_000 }
/** The newest items of a node are read, so many bytes, whatever else is here of its stranger. */
export const LEAST_BYTES = 64 * 1024

/** So many times what is kept is read of a thread, so that a flood does not hide what was said before it. */
const READ_THROUGH = 4

const { POSITIVE_INFINITY: ANY } = Number
/** Bounds for the blogs of our own authors, which are read whole. */
const OWN_BOUNDS: ReadingBounds = { items: 10_000_000, pages: ANY, bytes: ANY, time: ANY }

/** Whether the node has what others say about the posts of one of our own authors. */
export async function isOwnThread({ state }: Pick<BoundsDeps, 'state'>, node: NodeRow): Promise<boolean> {
  if (node.kind !== 'comments' && node.kind !== 'attachments') return false
  const account = accountOf(node)
  return account !== undefined && (await findAuthor(state, account)) !== undefined
}

/** The account that a node belongs to. */
export function accountOf({ address, owner }: Pick<NodeRow, 'address' | 'owner'>): BareJid | undefined {
  return localPart(address.service) === undefined ? owner : address.service
}

/**
 * The most that a reading of a node may cost; a blog of the site is read whole. One that goes on where an earlier one
 * stopped (`before`) may read what that has left. The threads of our own authors do not take from each other: where all
 * of them together are too large, `keepBounds` says what makes way.
 */
export async function boundsOf(
  { index, state }: BoundsDeps,
  node: NodeRow,
  { before }: { readonly before?: string | undefined } = {},
): Promise<ReadingBounds> {
  const isOwn = node.kind === 'blog' && (await findAuthor(state, node.address.service)) !== undefined
  if (isOwn) return OWN_BOUNDS
  if (await isOwnThread({ state }, node)) return { ...BOUNDS, bytes: BOUNDS.bytes * READ_THROUGH }
  const held = await sumHeldBytes(index, node)
  const left = BOUNDS.bytes - (before === undefined ? held - node.bytes : held)
  return { ...BOUNDS, bytes: Math.max(left, Math.min(LEAST_BYTES, BOUNDS.bytes)) }
}
