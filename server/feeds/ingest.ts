import type { Element } from 'ltx'
import { describeError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { IndexDb } from '#server/store/database.ts'
import { countOverwrite, type EntryRow, findEntry, saveEntry } from '#server/store/entry.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { savePerson } from '#server/store/person.ts'
import { deleteTombstone, findTombstone } from '#server/store/tombstone.ts'
import type { Item, PubsubEvent } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { announceSaved } from './announce.ts'
import { mayReplace, toEntryRow } from './entry-row.ts'
import type { Live } from './live.ts'
import { saveMetadata } from './metadata.ts'
import { type ReadEntryItem, type ReadItem, readItem } from './read-item.ts'
import { clearEntries, removeItem } from './remove.ts'
import { announceThread, followThread } from './thread.ts'

export interface IngestDeps {
  readonly index: IndexDb
  readonly live: Live
  readonly clock: () => Date
  readonly log: Logger
  /** The domain of the site account. */
  readonly siteDomain: BareJid
}

export type IngestOutcome = 'stored' | 'unchanged' | 'removed' | 'ignored' | 'rejected'

export interface IngestOptions {
  /** When the event was read off the node: what changed here since then is newer than it. */
  readonly readAt?: Date
  /** It is no news: nobody is told. */
  readonly isHistory?: boolean
}

type PublishedEvent = Extract<PubsubEvent, { kind: 'published' }>

// Movim asks a node whether it may write there by publishing these (peers.md).
const PROBES: ReadonlySet<string> = new Set(['test_post', 'urn:xmpp:avatar:metadata', 'urn:xmpp:avatar:data'])

/** The only writer of entries. Idempotent by service, node and item; bad data is an outcome, never an exception. */
export async function ingest(
  deps: IngestDeps,
  event: PubsubEvent,
  options: IngestOptions = {},
): Promise<IngestOutcome> {
  const node = await findNode(deps.index, event.address)
  if (node === undefined) return 'ignored'
  switch (event.kind) {
    case 'published':
      return ingestItem(deps, { node, event, options })
    case 'retracted':
      return removeItem(deps, node, event.address.item)
    case 'purged':
      return clearEntries(deps, node, 'purged')
    case 'deleted':
      return clearEntries(deps, node, 'deleted')
    default:
      return 'ignored'
  }
}

interface Arrival {
  readonly node: NodeRow
  readonly event: PublishedEvent
  readonly options: IngestOptions
}

export interface Saving {
  readonly node: NodeRow
  readonly address: ItemAddress
  /** What the index has of the item. */
  readonly existing: EntryRow | undefined
  readonly item: ReadEntryItem
}

async function ingestItem(deps: IngestDeps, { node, event, options }: Arrival): Promise<IngestOutcome> {
  const { address, item } = event
  if (node.status !== 'open' || PROBES.has(address.item) || item?.payload === undefined) return 'ignored'
  const existing = await findEntry(deps.index, node.id, address.item)
  if (options.readAt !== undefined && (await isOlderThanOurs(deps, { address, existing, readAt: options.readAt }))) {
    return 'ignored'
  }
  const read = readSafely(deps, node, { ...item, payload: item.payload })
  if (typeof read === 'string') {
    deps.log.warn(`Rejected item ${addressKey(address).slice(0, 300)}: ${read}`)
    return 'rejected'
  }
  const outcome =
    read.kind === 'metadata'
      ? await saveMetadata(deps, node, read)
      : await saveItem(deps, { address, node, existing, item: read })
  if (outcome === 'stored' && options.isHistory !== true) {
    await announceSaved(deps, node, { address, isNew: existing === undefined })
  }
  return outcome
}

async function saveItem(deps: IngestDeps, { node, address, existing, item }: Saving): Promise<IngestOutcome> {
  if (existing !== undefined) {
    const isSame = existing.payload === item.payload
    if (isSame && (item.publisher === undefined || item.publisher === existing.publisher)) return 'unchanged'
    if (!mayReplace(existing, item)) {
      await countOverwrite(deps.index, existing.id)
      return 'ignored'
    }
  }
  const row = toEntryRow(deps, { node, address, existing, item })
  const changes = await deps.index.transaction().execute(async (index) => {
    await saveEntry(index, row, item.entry.tags)
    await deleteTombstone(index, address)
    await learnName(index, item, row.updatedAt)
    return followThread(index, { row, former: existing, owner: node.owner, now: deps.clock() })
  })
  announceThread(deps, changes)
  return 'stored'
}

async function learnName(index: IndexDb, { credit, entry }: ReadEntryItem, updatedAt: number): Promise<void> {
  const name = entry.author.name
  if (credit.kind !== 'credited' || name === undefined || name === '') return
  await savePerson(index, { jid: credit.author, name, namedAt: new Date(updatedAt) })
}

/** A page of a node that was asked for before the last change here knows less than we do. */
async function isOlderThanOurs(
  deps: IngestDeps,
  { address, existing, readAt }: { address: ItemAddress; existing: EntryRow | undefined; readAt: Date },
): Promise<boolean> {
  if (existing !== undefined) return existing.changedAt > readAt.getTime()
  const removedAt = await findTombstone(deps.index, address)
  return removedAt !== undefined && removedAt > readAt
}

function readSafely(deps: IngestDeps, node: NodeRow, item: Item & { payload: Element }): ReadItem | string {
  try {
    return readItem(deps, node, item)
  } catch (error) {
    return describeError(error)
  }
}
