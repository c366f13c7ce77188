import { forgetCommunity } from '#server/store/community.ts'
import { forgetDecision } from '#server/store/decision.ts'
import { findEntry } from '#server/store/entry.ts'
import { isFeed, type NodeRow, updateNode } from '#server/store/node.ts'
import type { ItemId } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { localPart } from '#shared/jid.ts'
import { announceChanged, announceRemoved } from './announce.ts'
import { dropEntry, emptyNode } from './empty-node.ts'
import type { IngestDeps, IngestOutcome } from './ingest.ts'
import { EMPTY_MARK } from './mark.ts'

/** A retraction: the entry leaves the pages, which say from then on that it was there. */
export async function removeItem(deps: IngestDeps, node: NodeRow, item: ItemId): Promise<IngestOutcome> {
  if (item === METADATA_ITEM && node.kind === 'blog') {
    if (node.metadataPayload === undefined) return 'ignored'
    await updateNode(deps.index, node.address, { title: null, description: null, metadataPayload: null })
    await announceChanged(deps, node)
    return 'removed'
  }
  const entry = await findEntry(deps.index, node.id, item)
  if (entry === undefined) return 'ignored'
  const address = { ...node.address, item }
  await dropEntry(deps, node, { entry, at: deps.clock() })
  if (!isFeed(node)) await forgetDecision(deps.state, address)
  await announceRemoved(deps, node, address)
  return 'removed'
}

const NO_METADATA = { title: null, description: null, metadataPayload: null }
const NOT_HIDDEN = { hiddenAt: null, hiddenFor: null }

/** `closed` leaves no trace: what was public once may be so again. */
export async function clearEntries(
  deps: IngestDeps,
  node: NodeRow,
  how: 'purged' | 'deleted' | 'closed',
): Promise<IngestOutcome> {
  if (how === 'deleted' && localPart(node.address.service) === undefined) {
    await forgetCommunity(deps.state, node.address)
  }
  const at = how === 'closed' ? undefined : deps.clock()
  // One that was hidden is known now; who may read it the next reading finds out.
  const emptied = node.status === 'hidden' ? 'restricted' : node.status
  const status = how === 'purged' ? emptied : how
  const purgedAt = how === 'purged' ? { purgedAt: deps.clock().getTime() } : {}
  const subscription = how === 'deleted' ? 'none' : node.subscription
  // A cleared mark makes items that are published again unchanged new to the index.
  // First, so that a node that is closed or deleted is shown to nobody while its entries go.
  await updateNode(deps.index, node.address, {
    ...NO_METADATA,
    ...NOT_HIDDEN,
    ...purgedAt,
    status,
    subscription,
    mark: EMPTY_MARK,
    emptying: how,
  })
  await emptyNode(deps, node, at)
  await updateNode(deps.index, node.address, { emptying: null })
  await announceChanged(deps, node)
  return 'removed'
}
