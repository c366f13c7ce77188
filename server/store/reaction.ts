import { sql } from 'kysely'
import { type ItemAddress, type NodeAddress, sameAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { localPart } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { HEART } from '#shared/reactions.ts'
import type { IndexDb } from './database.ts'
import type { Hold, IndexSchema } from './index-schema.ts'
import { isAmong, isOneOf } from './json-list.ts'
import { holdReactions, IS_SHOWN } from './reaction-hold.ts'
import type { ThreadReader } from './thread.ts'

const ROW_ID = sql<number>`rowid`

// SQLite takes 32,766 values in one statement.
const AT_ONCE = 1_000

/** What one item says about the posts it is attached to. */
export interface NewReactions {
  readonly posts: readonly ItemAddress[]
  readonly reactor: BareJid
  readonly source: ItemAddress
  /** Of its entry. */
  readonly sourceId: number
  readonly emoji: readonly string[]
  /** Milliseconds. */
  readonly at: number
  readonly arrivedAt: number
  readonly hold: Hold | null
}

/** Writes them in place of what the item said before; what it still says keeps its date. */
export async function saveReactions(index: IndexDb, reactions: NewReactions): Promise<void> {
  const { posts, reactor, source, sourceId, emoji, at, arrivedAt, hold } = reactions
  const former = await index.selectFrom('reaction').selectAll().where('sourceId', '=', sourceId).execute()
  for (const row of former) {
    const isKept =
      row.reactor === reactor && emoji.includes(row.emoji) && posts.some((post) => sameAddress(post, keyOf(row)))
    if (!isKept) {
      const query = atPost(index.deleteFrom('reaction'), row).where('sourceId', '=', sourceId)
      await query.where('emoji', '=', row.emoji).where('reactor', '=', row.reactor).execute()
    }
  }
  const where = { sourceService: source.service, sourceNode: source.node, sourceItem: source.item }
  const rows = posts.flatMap(({ service, node, item }) =>
    emoji.map((each) => ({ service, node, item, reactor, emoji: each, ...where, at, arrivedAt, hold, sourceId })),
  )
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    await index
      .insertInto('reaction')
      .values(rows.slice(from, from + AT_ONCE))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  if (rows.length === 0) return
  await holdReactions(index, sourceId, hold)
}

/** Forgets the reactions to a post. */
export async function deleteReactions(index: IndexDb, post: ItemAddress): Promise<void> {
  await atPost(index.deleteFrom('reaction'), post).execute()
}

/** Forgets so many of the reactions to a post, or to all posts of a node. Returns whether there were any. */
export async function deleteSomeReactions(
  index: IndexDb,
  { service, node, item }: NodeAddress & Partial<ItemAddress>,
  limit: number,
): Promise<boolean> {
  let some = index
    .selectFrom('reaction')
    .select(ROW_ID.as('rowid'))
    .where('service', '=', service)
    .where('node', '=', node)
  if (item !== undefined) some = some.where('item', '=', item)
  const query = index.deleteFrom('reaction').where(ROW_ID, 'in', some.limit(limit))
  return (await query.executeTakeFirst()).numDeletedRows > 0n
}

export interface ReactionCount {
  readonly emoji: string
  /** People, however often and by whatever way each of them said so. */
  readonly count: number
  /** Whether the reader is one of them. */
  readonly isOwn: boolean
}

/** Hearts first, then what most people chose. */
export async function countReactions(
  index: IndexDb,
  post: ItemAddress,
  reader?: ThreadReader,
): Promise<ReactionCount[]> {
  const rows = await atPost(index.selectFrom('reaction'), post)
    .where(isReactionFor(reader))
    .select(({ fn, eb }) => [
      'emoji',
      fn.count<number>('reactor').distinct().as('count'),
      fn.max<number>(eb('reactor', '=', reader?.jid ?? ('' as BareJid))).as('isOwn'),
    ])
    .groupBy('emoji')
    .orderBy(({ eb }) => eb('emoji', '=', HEART), 'desc')
    .orderBy('count', 'desc')
    .orderBy('emoji')
    .execute()
  return rows.map(({ emoji, count, isOwn }) => ({ emoji, count, isOwn: Number(isOwn) === 1 }))
}

/** The items by which somebody said one thing about a post. */
export async function listSources(
  index: IndexDb,
  { post, reactor, emoji }: { post: ItemAddress; reactor: BareJid; emoji: string },
): Promise<ItemAddress[]> {
  const query = atPost(index.selectFrom('reaction'), post).where('reactor', '=', reactor).where('emoji', '=', emoji)
  const rows = await query.select(['sourceService', 'sourceNode', 'sourceItem']).execute()
  return rows.map((row) => ({ service: row.sourceService, node: row.sourceNode, item: row.sourceItem }))
}

export interface Reactor {
  readonly jid: BareJid
  readonly name: string
  readonly emoji: readonly string[]
  readonly at: Date
  /** Whether their blog is shown here. */
  readonly hasBlog: boolean
}

/** Who reacted to a post, whoever did last first. */
export async function listReactors(
  index: IndexDb,
  post: ItemAddress,
  {
    limit,
    offset,
    reader,
  }: { readonly limit: number; readonly offset: number; readonly reader?: ThreadReader | undefined },
): Promise<Reactor[]> {
  const rows = await atPost(index.selectFrom('reaction'), post)
    .where(isReactionFor(reader))
    .select(({ fn }) => ['reactor', fn.max('at').as('last'), sql<string>`json_group_array(DISTINCT emoji)`.as('emoji')])
    .groupBy('reactor')
    .orderBy('last', 'desc')
    .orderBy('reactor')
    .limit(limit)
    .offset(offset)
    .execute()
  if (rows.length === 0) return []
  const jids = rows.map(({ reactor }) => reactor)
  const people = await index.selectFrom('person').select(['jid', 'name']).where(isOneOf('jid', jids)).execute()
  const names = new Map(people.map(({ jid, name }) => [jid, name]))
  const blogs = await index
    .selectFrom('node')
    .select('service')
    .where(isOneOf('service', jids))
    .where('node', '=', NS.MICROBLOG)
    .where('status', '=', 'open')
    .execute()
  const known = new Set(blogs.map(({ service }) => service))
  return rows.map(({ reactor, last, emoji }) => ({
    jid: reactor,
    name: names.get(reactor) ?? localPart(reactor) ?? reactor,
    emoji: (JSON.parse(emoji) as string[]).sort((a, b) => Number(b === HEART) - Number(a === HEART)),
    at: new Date(last),
    hasBlog: known.has(reactor),
  }))
}

/** The condition that a reaction is shown to everybody, or to this reader as they may read its node or it is their own. */
function isReactionFor(reader: ThreadReader | undefined) {
  if (reader === undefined) return IS_SHOWN
  const isReadable = isAmong(['reaction.sourceService', 'reaction.sourceNode'], reader.readable)
  return sql<boolean>`(${IS_SHOWN} OR (reaction.hold = 'closed'
    AND (${isReadable} OR reaction.reactor = ${reader.jid})
    AND EXISTS (SELECT 1 FROM entry JOIN node ON node.id = entry.node_id
      WHERE entry.id = reaction.source_id AND entry.hold IS NULL AND node.status = 'restricted')))`
}

type Key = { readonly service: BareJid; readonly node: string; readonly item: IndexSchema['reaction']['item'] }

function keyOf({ service, node, item }: Key): ItemAddress {
  return { service, node, item }
}

// biome-ignore lint/suspicious/noExplicitAny: one condition for queries of every kind
function atPost<Query extends { where(...args: any[]): any }>(query: Query, { service, node, item }: Key): Query {
  return query.where('service', '=', service).where('node', '=', node).where('item', '=', item)
}
