import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { listDone, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import { addressKey, type ItemAddress, type ItemId } from '#shared/address.ts'
import type { CompareDeps, Difference } from './compare.ts'

const PUBLISHING: ReadonlySet<OutboxRow['kind']> = new Set(['post', 'comment'])
const REMOVING: ReadonlySet<OutboxRow['kind']> = new Set(['delete', 'remove-comment'])

/** Whether what the outbox says is done shows on the nodes; `seen` has the ids of those that were read. */
export async function* compareOutbox(
  deps: CompareDeps,
  seen: ReadonlyMap<string, ReadonlySet<ItemId>>,
): AsyncGenerator<Difference> {
  const last = new Map<string, OutboxRow>()
  for await (const row of eachDone(deps)) {
    if (PUBLISHING.has(row.kind) || REMOVING.has(row.kind)) last.set(addressKey(row.address), row)
  }
  for (const { kind, address } of last.values()) {
    // What waits still may undo it.
    if ((await listOutboxOf(deps.state, address)).some(({ status }) => status === 'waiting')) continue
    const isThere = await isOnNode(deps, address, seen)
    if (PUBLISHING.has(kind) && !isThere && !(await isExplained(deps, address))) {
      yield { kind: 'not-done', address, words: 'The outbox says that it was published, and the node does not have it' }
    } else if (REMOVING.has(kind) && isThere) {
      yield { kind: 'not-done', address, words: 'The outbox says that it was removed, and the node still has it' }
    }
  }
}

async function isOnNode(
  { site }: CompareDeps,
  address: ItemAddress,
  seen: ReadonlyMap<string, ReadonlySet<ItemId>>,
): Promise<boolean> {
  const { service, node, item } = address
  const ids = seen.get(addressKey({ service, node }))
  if (ids !== undefined) return ids.has(item)
  return site.pubsub.findItem(address).then(
    (found) => found !== undefined,
    // A node that nobody here can read says nothing.
    () => true,
  )
}

/** Removed since by another client, or trimmed by its server: then the index still has it, and was compared itself. */
async function isExplained({ index }: CompareDeps, address: ItemAddress): Promise<boolean> {
  if ((await findTombstone(index, address)) !== undefined) return true
  const node = await findNode(index, address)
  return node === undefined || (await findEntry(index, node.id, address.item)) !== undefined
}

async function* eachDone({ state }: Pick<CompareDeps, 'state'>): AsyncGenerator<OutboxRow> {
  for await (const rows of listDone(state)) yield* rows
}
