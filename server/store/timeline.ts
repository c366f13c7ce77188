import { type SelectQueryBuilder, sql } from 'kysely'
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

/** The same in the order of the whole index: for what is rare on the nodes, as a tag. */
export async function listNearestOfAll(index: IndexDb, nearness: Nearness): Promise<number[]> {
  const order = nearness.side === '<' ? 'desc' : 'asc'
  const rows = await selectNearby(index, nearness)
    .where('entry.nodeId', 'in', sql<number>`(SELECT value FROM json_each(${JSON.stringify(nearness.nodeIds)}))`)
    .select('entry.id')
    .orderBy('entry.publishedAt', order)
    .orderBy('entry.item', order)
    .orderBy('entry.nodeId', order)
    .limit(nearness.limit)
    .execute()
  return rows.map(({ id }) => id)
}

function selectNearby(index: IndexDb, { restrict, place, side }: Nearness): Candidates {
  const entries = restrict(selectCandidates(index))
  if (place === undefined) return entries
  return entries.where(({ eb, refTuple, tuple }) =>
    eb(
      refTuple('entry.publishedAt', 'entry.item', 'entry.nodeId'),
      side,
      tuple(place.publishedAt, place.item, place.nodeId),
    ),
  )
}
