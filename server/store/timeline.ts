import { type SelectQueryBuilder, sql } from 'kysely'
import type { ItemId, NodeAddress } from '#shared/address.ts'
import type { Place } from './cursor.ts'
import type { IndexDb } from './database.ts'
import type { IndexSchema } from './index-schema.ts'

/** Entries on their nodes, before they are chosen from. */
export type Candidates = SelectQueryBuilder<IndexSchema, 'entry' | 'node', object>

export interface Nearness {
  readonly nodeIds: readonly number[]
  /** Only entries with this tag, as it is looked up. */
  readonly tag?: string | undefined
  /** Only what its author put on the web. */
  readonly isPublicOnly?: boolean | undefined
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
  const ofNode = (node: string, most: number) => selectNearby(index, nearness, node, most)
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

/** The nearest entries of one node, in the order of an index: of its entries, or of those with the tag. */
function selectNearby(index: IndexDb, nearness: Nearness, node: string, most: number): Candidates {
  const { restrict, place, side, tag, isPublicOnly = false } = nearness
  const order = side === '<' ? 'desc' : 'asc'
  const source = tag === undefined ? 'entry' : 'tag'
  const column = (name: string) => sql.ref(`${source}.${name}`)
  let entries = restrict(selectCandidates(index)).where('entry.hold', 'is', null)
  if (tag !== undefined) {
    const tagged = entries.innerJoin('tag', 'tag.entryId', 'entry.id').where('tag.tag', '=', tag)
    entries = tagged as unknown as Candidates
  }
  // The very conditions of the partial indexes.
  if (isPublicOnly && tag === undefined) entries = entries.where('entry.alternate', 'is not', null)
  else if (isPublicOnly) entries = entries.where(sql<boolean>`tag.is_public = 1`)
  if (place !== undefined) {
    const places = sql`(${column('publishedAt')}, ${column('item')}, ${column('nodeId')})`
    const { publishedAt, item, nodeId } = place
    entries = entries.where(sql<boolean>`${places} ${sql.raw(side)} (${publishedAt}, ${item}, ${nodeId})`)
  }
  return entries
    .where(sql<boolean>`${column('nodeId')} = ${sql.ref(node)}`)
    .orderBy(column('publishedAt'), order)
    .orderBy(column('item'), order)
    .limit(most)
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
