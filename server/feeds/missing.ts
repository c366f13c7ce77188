import { createSlices } from '#server/slices.ts'
import { findAuthor } from '#server/store/author.ts'
import type { StateDb } from '#server/store/database.ts'
import { listEntryDates } from '#server/store/entry.ts'
import { findNode, type NodeRow, raiseMostItems } from '#server/store/node.ts'
import type { Disco } from '#server/xmpp/ports.ts'
import type { ItemId } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { AccessDeps } from './access.ts'
import { type IngestDeps, ingest } from './ingest.ts'
import { loseNode } from './lose-node.ts'
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

/** Takes away what a node no longer has, but for what its server trimmed. Must run between the events of the node. */
export async function removeMissing(
  deps: MissingDeps,
  { address }: NodeRow,
  { seen, readAt }: Inventory,
): Promise<void> {
  const node = await findNode(deps.index, address)
  if (node === undefined) return
  const known = await listEntryDates(deps.index, node.id)
  const missing = known.filter(({ item, changedAt }) => !seen.has(item) && !isSince(deps, changedAt, readAt))
  // All at once, and nothing left: a service that has lost its store answers like that too.
  if (seen.size === 0 && known.length > 0 && missing.length === known.length) {
    await loseNode(deps, address, 'emptied')
    return
  }
  if (node.metadataPayload !== undefined && !seen.has(METADATA_ITEM as ItemId)) await retract(deps, node, METADATA_ITEM)
  if (missing.length > 0) {
    const isTrimming = isFull({
      count: seen.size,
      maxItems: await readMaxItems(deps, node),
      mostItems: node.mostItems,
    })
    const trimmed = isTrimming ? listTrimmed(known, seen) : new Set<ItemId>()
    const pause = createSlices()
    for (const { item } of missing) {
      if (!trimmed.has(item)) await retract(deps, node, item)
      await pause()
    }
  }
  await raiseMostItems(deps.index, node.id, seen.size)
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
