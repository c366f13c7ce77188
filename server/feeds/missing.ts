import { createSlices } from '#server/slices.ts'
import { findAuthor } from '#server/store/author.ts'
import type { StateDb } from '#server/store/database.ts'
import { type DatedEntry, listEntryDates } from '#server/store/entry.ts'
import { findNode, type NodeRow, raiseMostItems } from '#server/store/node.ts'
import type { Disco } from '#server/xmpp/ports.ts'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { AccessDeps } from './access.ts'
import { type IngestDeps, ingest } from './ingest.ts'
import { forgetThinned, loseMost, loseNode } from './lose-node.ts'
import { isFull, listTrimmed } from './trimmed.ts'

export interface MissingDeps extends IngestDeps {
  readonly state: StateDb
  readonly site: AccessDeps['site'] & { readonly disco: Pick<Disco, 'readInfo'> }
}

/** All that a node had, and when it was asked: what changed here since is newer. */
export interface Inventory {
  readonly seen: ReadonlySet<ItemId>
  readonly readAt: Date
}

/** Of so many entries a tenth at least remains, or a service is taken to have lost the others. */
const MANY = 10

/** Takes away what a node no longer has, but for what its server trimmed. Must run between the events of the node. */
export async function removeMissing(
  deps: MissingDeps,
  { address }: NodeRow,
  { seen, readAt }: Inventory,
): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined) return
  const known = await listEntryDates(deps.index, node.id)
  const older = known.filter(({ changedAt }) => !isSince(deps, changedAt, readAt))
  const missing = older.filter(({ item }) => !seen.has(item)).map(({ item }) => item)
  // All at once, and nothing left: a service that has lost its store answers like that too.
  if (hasNoEntries(seen) && known.length > 0 && missing.length === known.length) {
    await loseNode(deps, address, 'emptied')
    return
  }
  const trimmed = missing.length > 0 ? await findTrimmed(deps, node, { known, seen }) : new Set<ItemId>()
  const gone = new Set(missing.filter((item) => !trimmed.has(item)))
  if (!(await removeGone(deps, address, { gone, known: older }))) return
  if (node.metadataPayload !== undefined && !seen.has(METADATA_ITEM as ItemId)) await retract(deps, node, METADATA_ITEM)
  await raiseMostItems(deps.index, node.id, seen.size)
}

/** Whether these ids of items are of no post: none, or that of the description alone. */
export function hasNoEntries(ids: ReadonlySet<ItemId>): boolean {
  return ids.size === 0 || (ids.size === 1 && ids.has(METADATA_ITEM as ItemId))
}

export interface Gone {
  readonly gone: ReadonlySet<ItemId>
  /** The entries that were looked for, those that are gone among them. */
  readonly known: readonly DatedEntry[]
}

/**
 * Takes away entries that a node does not have any more. Where that is nearly all of those that were looked for, a service
 * that has lost its store answers like that too: returns false, and nothing is taken, until the same is found a day later.
 * Must run between the events of the node.
 */
export async function removeGone(deps: MissingDeps, address: NodeAddress, { gone, known }: Gone): Promise<boolean> {
  const node = await findNode(deps.index, address)
  if (node === undefined) return false
  const isDoubted = node.hiddenFor === 'thinned' && gone.size > 0
  const isSudden = isDoubted || isNearlyAll(gone, known) || isNearlyAll(gone, listCompared(node, known))
  if (isSudden && !(await loseMost(deps, address))) return false
  if (node.hiddenFor === 'thinned') await forgetThinned(deps, address)
  const pause = createSlices()
  for (const item of gone) {
    await retract(deps, node, item)
    await pause()
  }
  return true
}

/** A single entry may have been replaced by another, as on every node with a `max_items` of 1. */
function isNearlyAll(gone: ReadonlySet<ItemId>, known: readonly DatedEntry[]): boolean {
  const left = known.filter(({ item }) => !gone.has(item)).length
  return known.length >= MANY ? left * 10 < known.length : known.length > 1 && left === 0
}

/** What has come since the node was last compared does not show that its service still has the entries before that. */
function listCompared({ deepReadAt }: NodeRow, known: readonly DatedEntry[]): readonly DatedEntry[] {
  return deepReadAt === undefined ? known : known.filter(({ changedAt }) => changedAt <= deepReadAt.getTime())
}

async function findTrimmed(
  deps: MissingDeps,
  node: NodeRow,
  { known, seen }: { readonly known: readonly DatedEntry[]; readonly seen: ReadonlySet<ItemId> },
): Promise<ReadonlySet<ItemId>> {
  const maxItems = await readMaxItems(deps, node)
  const isTrimming = isFull({ count: seen.size, maxItems, mostItems: node.mostItems })
  return isTrimming ? listTrimmed(known, seen) : new Set()
}

/** Whether something changed here after `readAt`. A change still to come is of a clock that was put back since. */
export function isSince({ clock }: Pick<IngestDeps, 'clock'>, changedAt: number, readAt: Date): boolean {
  return changedAt > readAt.getTime() && changedAt <= clock().getTime()
}

async function retract(deps: IngestDeps, node: NodeRow, item: string): Promise<void> {
  await ingest(deps, { kind: 'retracted', address: { ...node.address, item: item as ItemId } })
}

/** As its owner's session read it, or as the service tells everybody (XEP-0060 §5.4). */
async function readMaxItems(deps: MissingDeps, { address, owner }: NodeRow): Promise<number | undefined> {
  const isOwn = owner === address.service && address.node === NS.MICROBLOG
  const author = isOwn && owner !== undefined ? await findAuthor(deps.state, owner) : undefined
  if (author?.maxItems !== undefined) return author.maxItems
  // An account shows this to its contacts only. COMPAT(Prosody 13.0.1): some of its nodes never answer.
  if (localPart(address.service) !== undefined) return undefined
  try {
    const { forms } = await deps.site.disco.readInfo(address.service, address.node)
    const [text] = forms.get(NS.PUBSUB_META_DATA)?.get('pubsub#max_items') ?? []
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}
