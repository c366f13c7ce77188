import { findDecision } from '#server/store/decision.ts'
import { type EntryRow, findEntry } from '#server/store/entry.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { findParticipant } from '#server/store/participant.ts'
import type { RoomRow } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { findTombstone } from '#server/store/tombstone.ts'
import type { RoomMessage } from '#server/xmpp/ports.ts'
import { asItemId, type ItemAddress, type ItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type RoomWords, readRoomWords } from '#shared/room-message.ts'
import { parseXml } from '#shared/xml.ts'
import { type IngestDeps, type IngestOutcome, ingest } from '../ingest.ts'
import { postTopic, roomTopic } from '../live.ts'
import type { RoomReading } from '../read-item.ts'
import { countIn, isDayFull } from './day-bound.ts'
import { findPlace, type Place, rootOf } from './place.ts'

export interface TakeOptions {
  readonly isHistory?: boolean
  readonly isCaughtUp?: boolean
}

interface Taking {
  readonly room: RoomRow
  readonly node: NodeRow
  readonly message: RoomMessage
  readonly words: RoomWords
  readonly who: { readonly jid?: BareJid; readonly nick?: string }
  readonly options: TakeOptions
}

/** Takes in a message of a room, live or of its archive, any number of times. The channel alone says who spoke. */
export async function takeMessage(
  deps: IngestDeps,
  { room, message, options = {} }: { room: RoomRow; message: RoomMessage; options?: TakeOptions },
): Promise<IngestOutcome> {
  const node = await findNode(deps.index, talkNode(room.channel))
  if (node === undefined || message.channel !== room.channel) return 'ignored'
  const words = readRoomWords(message.payload)
  // COMPAT(ejabberd 24.12): its list has only who is there; of who left what it stamps is all that there is.
  const who = (await findParticipant(deps.index, room.channel, message.participant)) ?? message.stamped ?? {}
  const taking: Taking = { room, node, message, words, who, options }
  if (words.retracts !== undefined) return takeRetraction(deps, taking, words.retracts)
  if (words.replaces !== undefined) return takeCorrection(deps, taking, words.replaces)
  return takeNew(deps, taking)
}

async function takeNew(deps: IngestDeps, taking: Taking): Promise<IngestOutcome> {
  const { node, message, words, room, who } = taking
  const item = asItemId(message.id)
  const said = { index: deps.index, nodeId: node.id, at: message.at }
  const existing = await findEntry(deps.index, node.id, item)
  // It was corrected since, or taken back.
  if (existing !== undefined && sourceOf(existing)?.id !== item) return 'unchanged'
  if (existing === undefined) {
    if ((await findTombstone(deps.index, { ...node.address, item })) !== undefined) return 'ignored'
    if (await isDayFull(said)) {
      deps.log.debug({ channel: room.channel }, 'More was said in a room on one day than is taken in')
      return 'rejected'
    }
  }
  const { siteJid } = deps
  const place = await findPlace(deps.index, { room, node, words, publisher: who.jid, siteJid })
  const outcome = await store(deps, taking, { item, place, at: message.at, isNew: existing === undefined })
  if (outcome === 'stored' && existing === undefined) countIn(said)
  return outcome
}

/** Only who wrote a message may correct it (XEP-0308); it keeps its place. */
async function takeCorrection(deps: IngestDeps, taking: Taking, item: ItemId): Promise<IngestOutcome> {
  const { node, message, words } = taking
  const existing = await findEntry(deps.index, node.id, item)
  const source = existing && sourceOf(existing)
  if (existing === undefined || source?.participant !== message.participant) return 'ignored'
  if (source.id !== existing.item && existing.updatedAt > message.at.getTime()) return 'unchanged'
  const former = JSON.parse(existing.more) as { kind?: Place['kind']; version?: string }
  const { replyService: service, replyNode, replyItem } = existing
  const inReplyTo =
    service === null || replyNode === null || replyItem === null
      ? undefined
      : { service, node: replyNode, item: replyItem }
  const kind = former.kind ?? 'talk'
  const { siteJid } = deps
  const renewed =
    kind === 'announcement'
      ? await findPlace(deps.index, { room: taking.room, node, words, publisher: taking.who.jid, siteJid })
      : undefined
  const version = renewed?.version ?? former.version
  const root = rootOf(existing)
  const place: Place = { kind, ...(root && { root }), ...(inReplyTo && { inReplyTo }), ...(version && { version }) }
  return store(deps, taking, { item, place, at: new Date(existing.publishedAt), updated: message.at, isNew: false })
}

/** Only who wrote a message may take it back (XEP-0424), and the owner of the blog. */
async function takeRetraction(deps: IngestDeps, taking: Taking, item: ItemId): Promise<IngestOutcome> {
  const { node, room, message, who } = taking
  const existing = await findEntry(deps.index, node.id, item)
  if (existing === undefined) return 'ignored'
  const address = { ...node.address, item }
  if (sourceOf(existing)?.participant !== message.participant) {
    if (who.jid !== room.owner) return 'ignored'
    // What the owner decided here is kept, so that it can be undone.
    if ((await findDecision(deps.state, address)) !== undefined) return 'unchanged'
  }
  const outcome = await ingest(deps, { kind: 'retracted', address })
  if (outcome === 'removed') tell(deps, room, { kind: 'comment-removed', address, root: rootOf(existing) })
  return outcome
}

interface Storing {
  readonly item: ItemId
  readonly place: Place
  readonly at: Date
  readonly updated?: Date
  readonly isNew: boolean
}

async function store(deps: IngestDeps, taking: Taking, storing: Storing): Promise<IngestOutcome> {
  const { node, message, who, room, options } = taking
  const { item, place, at, updated, isNew } = storing
  const address = { ...node.address, item }
  const { isHistory = false, isCaughtUp = false } = options
  const reading: RoomReading = {
    ...place,
    at,
    isCaughtUp,
    ...(who.nick && { nick: who.nick }),
    ...(updated && { updated }),
  }
  const sent = { id: item, payload: message.payload, ...(who.jid && { publisher: who.jid }) }
  const outcome = await ingest(deps, { kind: 'published', address, item: sent }, { isHistory, room: reading })
  const stored = outcome === 'stored' ? await findEntry(deps.index, node.id, item) : undefined
  if (stored?.hold === null) {
    tell(deps, room, { kind: isNew ? 'comment-added' : 'comment-changed', address, root: place.root })
  }
  return outcome
}

interface Change {
  readonly kind: 'comment-added' | 'comment-changed' | 'comment-removed'
  readonly address: ItemAddress
  readonly root: ItemAddress | undefined
}

function tell({ live }: IngestDeps, { channel }: RoomRow, { kind, address, root }: Change): void {
  live.publish(roomTopic(channel), { kind, address })
  if (root !== undefined) live.publish(postTopic(root), { kind, address })
}

/** Which message an entry was read from, and who sent that. */
function sourceOf({ payload }: EntryRow): { readonly id: string; readonly participant: string } | undefined {
  const message = parseXml(payload)
  if (message === undefined) return undefined
  const from = String(message.attrs.from ?? '')
  return { id: String(message.attrs.id ?? ''), participant: from.slice(from.indexOf('/') + 1) }
}
