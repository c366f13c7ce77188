import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import { IS_SHOWN } from './reaction-hold.ts'

/** What somebody wrote, as far as others may have to be told of it. */
export type NewsEntry = Awaited<ReturnType<ReturnType<typeof selectNews>['executeTakeFirstOrThrow']>>

/** Entries that one statement looks at. */
const SLICE = 1_000

/** Entries in the order in which the index first had them: those of before `since` are left out. */
export async function listNewsEntries(
  index: IndexDb,
  { afterId, since, limit }: { afterId: number; since: Date; limit: number },
): Promise<NewsEntry[]> {
  const pause = createSlices()
  const last = await findLastEntryId(index)
  const found: NewsEntry[] = []
  // Whatever was read as history is older: each statement looks at so many of them.
  for (let after = afterId; after < last && found.length < limit; after += SLICE) {
    const slice = selectNews(index)
      .where('entry.id', '>', after)
      .where('entry.id', '<=', after + SLICE)
    const rows = await slice.where('entry.arrivedAt', '>=', since.getTime()).orderBy('entry.id').execute()
    found.push(...rows)
    await pause()
  }
  return found.slice(0, limit)
}

/** Those that were known before and became news again since, as what was held back until it was approved. */
export async function listNewsAgain(
  index: IndexDb,
  { untilId, since, limit }: { untilId: number; since: Date; limit: number },
): Promise<NewsEntry[]> {
  return selectNews(index)
    .where('entry.arrivedAt', '>=', since.getTime())
    .where('entry.id', '<=', untilId)
    .orderBy('entry.arrivedAt', 'desc')
    .limit(limit)
    .execute()
}

export async function findNewsEntry(
  index: IndexDb,
  { service, node, item }: ItemAddress,
): Promise<NewsEntry | undefined> {
  return selectNews(index)
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where('entry.item', '=', item)
    .executeTakeFirst()
}

function selectNews(index: IndexDb) {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .leftJoin('person', (join) =>
      join.on('person.jid', '=', (eb) => eb.fn.coalesce('entry.contributor', 'entry.author')),
    )
    .select([
      ...(['entry.id', 'entry.item', 'entry.isPost', 'entry.isLike', 'entry.author', 'entry.contributor'] as const),
      ...(['entry.claimedName', 'entry.title', 'entry.excerpt', 'entry.more', 'entry.hold'] as const),
      ...(['entry.commentsService', 'entry.commentsNode', 'entry.arrivedAt'] as const),
      ...(['entry.replyService', 'entry.replyNode', 'entry.replyItem'] as const),
      ...(['entry.rootService', 'entry.rootNode', 'entry.rootItem'] as const),
      ...(['entry.viaService', 'entry.viaNode', 'entry.viaItem'] as const),
      ...(['node.service', 'node.node', 'node.kind', 'node.owner', 'person.name as personName'] as const),
    ])
}

/** The newest number that an entry has had. */
export async function findLastEntryId(index: IndexDb): Promise<number> {
  const row = await index.selectFrom('entry').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return row?.id ?? 0
}

/** One emoji of one person under a post, however many items say so. */
export interface NewsReaction {
  readonly post: ItemAddress
  readonly reactor: BareJid
  readonly emoji: string
  readonly arrivedAt: number
  /** Its place in the order of these. */
  readonly place: number
}

/** Reactions in the order in which they became news, after a place in it. */
export async function listNewsReactions(
  index: IndexDb,
  { after, limit }: { after: { readonly arrivedAt: number; readonly place: number }; limit: number },
): Promise<NewsReaction[]> {
  const rows = await index
    .selectFrom('reaction')
    .select(['service', 'node', 'item', 'reactor', 'emoji', 'arrivedAt', sql<number>`rowid`.as('place')])
    .where(sql<boolean>`(arrived_at, rowid) > (${after.arrivedAt}, ${after.place})`)
    .where('arrivedAt', '>=', after.arrivedAt)
    .where(IS_SHOWN)
    .orderBy('arrivedAt')
    .orderBy(sql`rowid`)
    .limit(limit)
    .execute()
  return rows.map(({ service, node, item, ...rest }) => ({ post: { service, node, item }, ...rest }))
}

/** What people call themselves, as far as the index has heard. */
export async function listPersonNames(index: IndexDb, jids: readonly BareJid[]): Promise<Map<BareJid, string>> {
  const rows = await index.selectFrom('person').select(['jid', 'name']).where(isOneOf('jid', jids)).execute()
  return new Map(rows.map(({ jid, name }) => [jid, name]))
}

/** The titles of posts that are shown, by `addressKey`. */
export async function listNewsTitles(index: IndexDb, posts: readonly ItemAddress[]): Promise<Map<string, string>> {
  const wanted = JSON.stringify(posts.map(({ service, node, item }) => [service, node, item]))
  const rows = await index
    .selectFrom(sql<{ value: string }>`json_each(${wanted})`.as('wanted'))
    .innerJoin('node', (join) =>
      join
        .on('node.service', '=', sql<BareJid>`wanted.value ->> 0`)
        .on('node.node', '=', sql<string>`wanted.value ->> 1`),
    )
    .innerJoin('entry', (join) =>
      join.onRef('entry.nodeId', '=', 'node.id').on('entry.item', '=', sql<ItemAddress['item']>`wanted.value ->> 2`),
    )
    .select(['node.service', 'node.node', 'entry.item', 'entry.title'])
    .where('node.status', '=', 'open')
    .where('entry.hold', 'is', null)
    .execute()
  return new Map(rows.map(({ title, ...address }) => [addressKey(address), title]))
}
