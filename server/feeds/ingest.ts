import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { Meters } from '#server/meters.ts'
import { findBlock } from '#server/store/community.ts'
import type { IndexDb, StateDb } from '#server/store/database.ts'
import { findEntry } from '#server/store/entry.ts'
import type { Hold } from '#server/store/index-schema.ts'
import { findNode, isFeed, isRead, type NodeRow } from '#server/store/node.ts'
import type { PubsubEvent } from '#server/xmpp/ports.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { METADATA_ITEM } from '#shared/feed-metadata.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { isRemovedEntry } from '#shared/removed-entry.ts'
import { isWithinBounds, writeSortedXml } from '#shared/xml.ts'
import { announceSaved } from './announce.ts'
import type { ServicesDeps } from './belief.ts'
import { dropLeftThread } from './empty-node.ts'
import { mayReplace } from './entry-row.ts'
import { takeOtherReplies } from './late-parent.ts'
import { BLOCKED_TOPIC, type Live } from './live.ts'
import { judge } from './moderation/judge.ts'
import { creditKept } from './moderation/kept-copy.ts'
import { isMarked, type Marking } from './proofs/mark.ts'
import { finishMove } from './reactions/move-hearts.ts'
import { type ReadItem, type RoomReading, readItem, type SentItem } from './read-item.ts'
import { clearEntries, removeItem } from './remove.ts'
import { storeItem } from './store-item.ts'
import { announceThread } from './thread.ts'

export interface IngestDeps extends ServicesDeps {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly clock: () => Date
  readonly log: Logger
  readonly meters: Meters
  /** The domain of the site account. */
  readonly siteDomain: BareJid
  /** The site account: nobody else is believed about whose words it published. */
  readonly siteJid?: BareJid
  readonly secret?: Marking['secret']
  /** Aborted when the process ends. */
  readonly signal?: AbortSignal
}

export type IngestOutcome = 'stored' | 'unchanged' | 'removed' | 'ignored' | 'rejected'

export interface IngestOptions {
  /** When the event was read off the node: what changed here since then is newer than it. */
  readonly readAt?: Date
  /** It is no news: nobody is told. */
  readonly isHistory?: boolean
  /** Of a message in a room: without it nothing on such a node is read. */
  readonly room?: RoomReading
}

type PublishedEvent = Extract<PubsubEvent, { kind: 'published' }>

// Movim asks a node whether it may write there by publishing these (peers.md).
export const PROBES: ReadonlySet<string> = new Set(['test_post', 'urn:xmpp:avatar:metadata', 'urn:xmpp:avatar:data'])

/** Characters: ids are parts of addresses, in links and in what servers keep. */
const LONGEST_ID = 3_000

/** The only writer of entries. Idempotent by service, node and item; bad data is an outcome, never an exception. */
export async function ingest(
  deps: IngestDeps,
  event: PubsubEvent,
  options: IngestOptions = {},
): Promise<IngestOutcome> {
  const outcome = await take(deps, event, options)
  deps.meters.count('ingest', { outcome })
  return outcome
}

async function take(deps: IngestDeps, event: PubsubEvent, options: IngestOptions): Promise<IngestOutcome> {
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

async function ingestItem(deps: IngestDeps, { node, event, options }: Arrival): Promise<IngestOutcome> {
  const { address, item } = event
  if (!isRead(node) || PROBES.has(address.item) || item?.payload === undefined) return 'ignored'
  let sent = { ...item, payload: item.payload }
  if (address.item.length > LONGEST_ID) return reject(deps, address, 'its id is too long')
  if (!isWithinBounds(sent.payload)) return reject(deps, address, 'it is too deep or too large')
  const text = writeSortedXml(sent.payload)
  if (!isFeed(node)) sent = await creditKept(deps, { address, item: sent, text })
  if (await isKnown(deps, { node, item: sent, text })) return 'unchanged'
  if (isFeed(node) && (await isBlocked(deps, { node, event, options }, text))) return 'rejected'
  const isOurs = node.kind === 'comments' && (await isMarked(deps, address, sent.payload))
  const read = await readSafely(deps, { node, item: sent, text, room: options.room, isMarked: isOurs })
  if (typeof read === 'string') return reject(deps, address, read)
  if (node.kind === 'comments' && isRemovedEntry(sent.payload)) return takeRemoved(deps, { node, event, options }, read)
  const judged = await judgeItem(deps, { node, event, options }, read)
  if (judged === 'rejected') return 'rejected'
  const { hold } = judged
  const stored = await deps.index
    .transaction()
    .execute((index) => storeItem({ ...deps, index }, { address, item: read, hold, ...options }))
  announceThread(deps, stored.thread)
  if (stored.thread.left !== undefined) await dropLeftThread(deps, stored.thread.left)
  if (stored.lateParent !== undefined) await takeOtherReplies(deps.index, stored.lateParent)
  if (stored.thread.hearts !== undefined) await finishMove(deps.index, stored.thread.hearts)
  if (stored.outcome === 'stored' && options.isHistory !== true) {
    await announceSaved(deps, node, { address, isNew: stored.isNew, isHeld: hold !== null })
  }
  return stored.outcome
}

/** Its writer took back the words of a comment that they may not retract: that is a retraction, by them alone. */
async function takeRemoved(deps: IngestDeps, { node, event }: Arrival, read: ReadItem): Promise<IngestOutcome> {
  const { item } = event.address
  const existing = await findEntry(deps.index, node.id, item)
  const isTheirs = existing !== undefined && read.kind === 'entry' && mayReplace(existing, read)
  return isTheirs ? removeItem(deps, node, item) : 'ignored'
}

function isCaughtUp({ readAt, room }: IngestOptions): boolean {
  return readAt !== undefined || room?.isCaughtUp === true
}

/** What is news of somebody who is shut out of a blog goes off the node again, and is not stored. */
async function judgeItem(
  deps: IngestDeps,
  { node, event, options }: Arrival,
  read: ReadItem,
): Promise<{ readonly hold: Hold | null } | 'rejected'> {
  if (read.kind === 'metadata') return { hold: null }
  const { address } = event
  // Of a post it makes no difference.
  const existing = isFeed(node) ? undefined : await findEntry(deps.index, node.id, address.item)
  // Written over what another said, as some services let anybody: it is not stored, so nothing is decided by it.
  if (existing !== undefined && !mayReplace(existing, read)) return { hold: existing.hold }
  const verdict = await judge(deps, {
    ...{ node, address, item: read, isKnown: existing !== undefined && existing.hold === null },
    ...{ isHistory: options.isHistory === true, isCaughtUp: isCaughtUp(options), root: read.root },
  })
  if (verdict.blocker === undefined || options.isHistory === true) return verdict
  deps.live.publish(BLOCKED_TOPIC, { kind: 'blocked', address, by: verdict.blocker, payload: read.payload })
  return 'rejected'
}

/** What came before the block and is known stays; anything else of who is shut out is never shown. */
async function isBlocked(deps: IngestDeps, { event, options }: Arrival, payload: string): Promise<boolean> {
  const { address, item } = event
  const publisher = item?.publisher === undefined ? undefined : readBareJid(item.publisher)
  const by = publisher && (await findBlock(deps.state, address, publisher))
  if (by === undefined) return false
  if (options.isHistory !== true) {
    deps.live.publish(BLOCKED_TOPIC, { kind: 'blocked', address, by, payload })
  }
  return true
}

function reject({ log }: IngestDeps, address: ItemAddress, why: string): 'rejected' {
  log.warn(`Rejected item ${addressKey(address).slice(0, 300)}: ${why}`)
  return 'rejected'
}

/** Most of what is read again is as it was, which costs no rendering to see. */
async function isKnown({ index }: IngestDeps, { node, item, text }: SentItem): Promise<boolean> {
  if (item.id === METADATA_ITEM && node.metadataPayload === text) return true
  const existing = await findEntry(index, node.id, item.id)
  if (existing?.payload !== text) return false
  return item.publisher === undefined || readBareJid(item.publisher) === existing.publisher
}

async function readSafely(deps: IngestDeps, sent: SentItem): Promise<ReadItem | string> {
  try {
    return await readItem(deps, sent)
  } catch (error) {
    // The network decides whom to believe: the item comes again when it answers.
    if (isAppError(error)) throw error
    return describeError(error)
  }
}
