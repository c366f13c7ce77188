import { type SelectQueryBuilder, sql } from 'kysely'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import type { Place } from './cursor.ts'
import type { IndexDb } from './database.ts'
import type { IndexSchema } from './index-schema.ts'

/** Entries on their nodes, before they are chosen from. */
export type Candidates = SelectQueryBuilder<IndexSchema, 'entry' | 'node', object>

export interface Nearness {
  readonly nodeIds: readonly number[]
  /** Which of their entries count. */
  readonly restrict: (entries: Candidates) => Candidates
  /** Without one, the newest. */
  readonly place?: Place | undefined
  /** Older than the place, or newer. */
  readonly side: '<' | '>'
  readonly limit: number
}

/** So many entries with one tag are not sorted any more. */
const COMMON = 10_000

export function selectCandidates(index: IndexDb): Candidates {
  return index.selectFrom('entry').innerJoin('node', 'node.id', 'entry.nodeId')
}

/**
 * The ids of the entries next to a place, the nearest first, by one look into the index for each node: the `limit`
 * nearest entries can only be on the `limit` nodes whose own nearest one is nearest.
 */
export async function listNearest(index: IndexDb, nearness: Nearness): Promise<number[]> {
  const { nodeIds, limit, side } = nearness
  const order = side === '<' ? 'desc' : 'asc'
  const ofNode = (node: string, most: number) =>
    selectNearby(index, nearness)
      .where('entry.nodeId', '=', sql.ref<number>(node))
      .orderBy('entry.publishedAt', order)
      .orderBy('entry.item', order)
      .limit(most)
  const rows = await index
    .with('first', (db) =>
      db
        .selectFrom(sql<{ value: number }>`json_each(${JSON.stringify(nodeIds)})`.as('source'))
        .innerJoin('entry as near', 'near.nodeId', 'source.value')
        .where(({ eb, refTuple }) =>
          eb(
            refTuple('near.publishedAt', 'near.item'),
            'in',
            ofNode('source.value', 1).select(['entry.publishedAt', 'entry.item']).$asTuple('publishedAt', 'item'),
          ),
        )
        .select('near.nodeId')
        .orderBy('near.publishedAt', order)
        .orderBy('near.item', order)
        .orderBy('near.nodeId', order)
        .limit(limit),
    )
    .selectFrom('first')
    .innerJoin('entry as near', (join) =>
      join.on((on) => on('near.id', 'in', ofNode('first.nodeId', limit).select('entry.id'))),
    )
    .select('near.id')
    .orderBy('near.publishedAt', order)
    .orderBy('near.item', order)
    .orderBy('near.nodeId', order)
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** The same of those with a tag, as it is looked up: all of them, or where they are many, in the order of the index. */
export async function listNearestTagged(index: IndexDb, nearness: Nearness, tag: string): Promise<number[]> {
  const order = nearness.side === '<' ? 'desc' : 'asc'
  const nodeIds = sql<number>`(SELECT value FROM json_each(${JSON.stringify(nearness.nodeIds)}))`
  const entries = selectNearby(index, nearness).where('entry.nodeId', 'in', nodeIds)
  const tagged = (await isCommon(index, tag))
    ? entries
        .where('entry.isPost', '=', 1)
        .where(({ exists, selectFrom }) =>
          exists(selectFrom('tag').select('tag').where('tag', '=', tag).whereRef('entryId', '=', 'entry.id')),
        )
    : entries.where('entry.id', 'in', ({ selectFrom }) => selectFrom('tag').select('entryId').where('tag', '=', tag))
  const rows = await tagged
    .select('entry.id')
    .orderBy('entry.publishedAt', order)
    .orderBy('entry.item', order)
    .orderBy('entry.nodeId', order)
    .limit(nearness.limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** What became news on a node after `since` and until `until`, the last ones first. */
export async function listArrived(
  index: IndexDb,
  { service, node }: NodeAddress,
  { since, until, limit }: { since: Date; until: Date; limit: number },
): Promise<ItemId[]> {
  const rows = await selectCandidates(index)
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where('entry.arrivedAt', '>', since.getTime())
    .where('entry.arrivedAt', '<=', until.getTime())
    .where('entry.hold', 'is', null)
    .select('entry.item')
    .orderBy('entry.arrivedAt', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ item }) => item)
}

async function isCommon(index: IndexDb, tag: string): Promise<boolean> {
  const query = index.selectFrom('tag').select('entryId').where('tag', '=', tag).offset(COMMON).limit(1)
  return (await query.executeTakeFirst()) !== undefined
}

function selectNearby(index: IndexDb, { restrict, place, side }: Nearness): Candidates {
  const entries = restrict(selectCandidates(index)).where('entry.hold', 'is', null)
  if (place === undefined) return entries
  return entries.where(({ eb, refTuple, tuple }) =>
    eb(
      refTuple('entry.publishedAt', 'entry.item', 'entry.nodeId'),
      side,
      tuple(place.publishedAt, place.item, place.nodeId),
    ),
  )
}
