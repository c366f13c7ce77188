import { sql } from 'kysely'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { SafeHtml } from '#shared/markup.ts'
import type { MentionMark } from '#shared/mentions.ts'
import { NS } from '#shared/ns.ts'
import type { IndexDb } from './database.ts'
import type { Hold } from './index-schema.ts'

/** A message in a room, as its page shows it. */
export interface TalkRow {
  readonly address: ItemAddress
  readonly kind: 'announcement' | 'answer' | 'talk'
  /** Never shown: names are. */
  readonly author?: BareJid
  readonly nick?: string
  readonly html: SafeHtml
  readonly marks: readonly MentionMark[]
  /** The beginning of its text. */
  readonly text: string
  readonly published: Date
  readonly changed: Date
  readonly isEdited: boolean
  /** The post that it announces or answers. */
  readonly root?: ItemAddress
  readonly inReplyTo?: ItemAddress
  readonly hold?: Hold
}

/** A place in a room's talk: before or after a message. */
export interface TalkPlace {
  readonly publishedAt: number
  readonly item: ItemId
}

export interface TalkQuery {
  readonly from: Date
  /** Not included. */
  readonly to: Date
  readonly limit: number
  readonly before?: TalkPlace | undefined
  readonly after?: TalkPlace | undefined
  /** Who sees what of their own is held back. */
  readonly reader?: BareJid | undefined
}

export interface TalkPage {
  /** Oldest first. */
  readonly rows: readonly TalkRow[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
}

/** The node under which the index keeps what was said in a channel. */
export function talkNode(channel: BareJid): NodeAddress {
  return { service: channel, node: NS.MIX_MESSAGES }
}

/** What was said within a time: the first of it `after` a place, the last of it `before` one; the last unless told. */
export async function listTalk(index: IndexDb, channel: BareJid, query: TalkQuery): Promise<TalkPage> {
  const { from, to, limit, before, after } = query
  const isForward = after !== undefined
  let selected = selectTalk(index, channel, query.reader)
    // By its bounds alone the index is entered where the page begins.
    .where('entry.publishedAt', '>=', Math.max(from.getTime(), after?.publishedAt ?? 0))
    .where('entry.publishedAt', '<', Math.min(to.getTime(), (before?.publishedAt ?? to.getTime()) + 1))
    .orderBy('entry.publishedAt', isForward ? 'asc' : 'desc')
    .orderBy('entry.item', isForward ? 'asc' : 'desc')
    .limit(limit + 1)
  if (after !== undefined)
    selected = selected.where(sql<boolean>`(entry.published_at, entry.item) > (${after.publishedAt}, ${after.item})`)
  else if (before !== undefined)
    selected = selected.where(sql<boolean>`(entry.published_at, entry.item) < (${before.publishedAt}, ${before.item})`)
  const found = (await selected.execute()).map(readTalk)
  const rows = found.slice(0, limit)
  const isCut = found.length > limit
  return isForward
    ? { rows, hasOlder: true, hasNewer: isCut }
    : { rows: rows.reverse(), hasOlder: isCut, hasNewer: before !== undefined }
}

/** One message, for who may see it. */
export async function findTalk(index: IndexDb, address: ItemAddress, reader?: BareJid): Promise<TalkRow | undefined> {
  const row = await selectTalk(index, address.service, reader)
    .where('entry.item', '=', address.item)
    .where('node.node', '=', address.node)
    .executeTakeFirst()
  return row && readTalk(row)
}

/** When something was said last before an instant, and first from an instant on. */
export async function findTalkAround(
  index: IndexDb,
  channel: BareJid,
  { before, from, reader }: { before: Date; from: Date; reader?: BareJid | undefined },
): Promise<{ readonly last?: Date; readonly next?: Date }> {
  const shown = () => selectTalk(index, channel, reader).clearSelect().select('entry.publishedAt')
  const last = await shown()
    .where('entry.publishedAt', '<', before.getTime())
    .orderBy('entry.publishedAt', 'desc')
    .limit(1)
    .executeTakeFirst()
  const next = await shown()
    .where('entry.publishedAt', '>=', from.getTime())
    .orderBy('entry.publishedAt')
    .limit(1)
    .executeTakeFirst()
  return {
    ...(last === undefined ? {} : { last: new Date(last.publishedAt) }),
    ...(next === undefined ? {} : { next: new Date(next.publishedAt) }),
  }
}

function selectTalk(index: IndexDb, channel: BareJid, reader?: BareJid) {
  return index
    .selectFrom('node')
    .innerJoin('entry', 'entry.nodeId', 'node.id')
    .select(['node.service', 'node.node', 'entry.item', 'entry.author', 'entry.claimedName', 'entry.html'])
    .select(['entry.excerpt', 'entry.publishedAt', 'entry.changedAt', 'entry.isEdited', 'entry.more', 'entry.hold'])
    .select(['entry.rootService', 'entry.rootNode', 'entry.rootItem'])
    .select(['entry.replyService', 'entry.replyNode', 'entry.replyItem'])
    .where('node.service', '=', channel)
    .where('node.node', '=', NS.MIX_MESSAGES)
    .where('node.status', '=', 'open')
    .where(({ eb, or }) =>
      or([
        eb('entry.hold', 'is', null),
        ...(reader === undefined ? [] : [eb.and([eb('entry.hold', '=', 'held'), eb('entry.author', '=', reader)])]),
      ]),
    )
}

type SelectedTalk = Awaited<ReturnType<ReturnType<typeof selectTalk>['executeTakeFirstOrThrow']>>

function readTalk(row: SelectedTalk): TalkRow {
  const { kind, nick, marks = [] } = JSON.parse(row.more) as Partial<Pick<TalkRow, 'kind' | 'nick' | 'marks'>>
  return {
    address: { service: row.service, node: row.node, item: row.item },
    kind: kind ?? 'talk',
    author: row.author ?? undefined,
    nick: nick ?? row.claimedName ?? undefined,
    html: row.html,
    marks,
    text: row.excerpt,
    published: new Date(row.publishedAt),
    changed: new Date(row.changedAt),
    isEdited: row.isEdited === 1,
    root: readItem(row.rootService, row.rootNode, row.rootItem),
    inReplyTo: readItem(row.replyService, row.replyNode, row.replyItem),
    hold: row.hold ?? undefined,
  }
}

function readItem(service: BareJid | null, node: string | null, item: ItemId | null): ItemAddress | undefined {
  return service === null || node === null || item === null ? undefined : { service, node, item }
}
