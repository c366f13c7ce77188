import type { StateDb } from '#server/store/database.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { listDone, listOutboxOf, type OutboxRow } from '#server/store/outbox.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import { addressKey, type ItemAddress, type ItemId, type NodeAddress } from '#shared/address.ts'
import type { CompareDeps, Difference } from './compare.ts'

const PUBLISHING: ReadonlySet<OutboxRow['kind']> = new Set(['post', 'comment'])
const REMOVING: ReadonlySet<OutboxRow['kind']> = new Set(['delete', 'remove-comment'])

/** Tasks that the outbox says are done, and which of them were seen on the nodes. */
export interface DoneOutbox {
  /** The last of each item. */
  readonly rows: readonly OutboxRow[]
  /** A node was read, and has these items. */
  note(address: NodeAddress, ids: ReadonlySet<ItemId>): void
  /** Whether the item is on its node; undefined where that was not read. */
  isSeen(address: ItemAddress): boolean | undefined
}

export async function readDone(state: StateDb): Promise<DoneOutbox> {
  const last = new Map<string, OutboxRow>()
  for await (const rows of listDone(state)) {
    for (const row of rows)
      if (PUBLISHING.has(row.kind) || REMOVING.has(row.kind)) last.set(addressKey(row.address), row)
  }
  const rows = [...last.values()]
  const wanted = Map.groupBy(rows, ({ address: { service, node } }) => addressKey({ service, node }))
  const read = new Set<string>()
  const seen = new Set<string>()
  return {
    rows,
    note(address, ids) {
      const key = addressKey(address)
      read.add(key)
      for (const row of wanted.get(key) ?? []) if (ids.has(row.address.item)) seen.add(addressKey(row.address))
    },
    isSeen: (address) => {
      const { service, node } = address
      return read.has(addressKey({ service, node })) ? seen.has(addressKey(address)) : undefined
    },
  }
}

/** Whether what the outbox says is done shows on the nodes. */
export async function* compareOutbox(deps: CompareDeps, { rows, isSeen }: DoneOutbox): AsyncGenerator<Difference> {
  for (const { kind, address } of rows) {
    // What waits still may undo it.
    if ((await listOutboxOf(deps.state, address)).some(({ status }) => status === 'waiting')) continue
    const isThere = isSeen(address) ?? (await isOnNode(deps, address))
    if (PUBLISHING.has(kind) && !isThere && !(await isExplained(deps, address))) {
      yield { kind: 'not-done', address, words: 'The outbox says that it was published, and the node does not have it' }
    } else if (REMOVING.has(kind) && isThere) {
      yield { kind: 'not-done', address, words: 'The outbox says that it was removed, and the node still has it' }
    }
  }
}

async function isOnNode({ site }: CompareDeps, address: ItemAddress): Promise<boolean> {
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
