import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { asItemId, type ItemId } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import type { Hold, NodeStatus } from './index-schema.ts'
import { isOneOf } from './json-list.ts'
import type { NodeRow } from './node.ts'

/** Reactions that one statement looks at. */
const SLICE = 500

/** Reactions are read by their post, whatever node they came from: those from a node that is not open are held back. */
export const HOLD_OF_NODE = sql<Hold | null>`CASE WHEN node.status = 'open' THEN NULL ELSE 'closed' END`

const HOLD_OF_SOURCE = sql<Hold | null>`(SELECT coalesce(entry.hold, ${HOLD_OF_NODE})
  FROM entry JOIN node ON node.id = entry.node_id WHERE entry.id = reaction.source_id)`

/**
 * The condition that a reaction is shown to everybody. Those of a node that was just closed are not, though their holds
 * are still being written; nodes are looked up only while something goes on with any of them.
 */
export const IS_SHOWN = sql<boolean>`(reaction.hold IS NULL AND (
  NOT EXISTS (SELECT 1 FROM node AS changing WHERE changing.emptying IS NOT NULL)
  OR EXISTS (SELECT 1 FROM node AS source WHERE source.service = reaction.source_service
    AND source.node = reaction.source_node AND source.status = 'open')))`

/** Everything that was said by way of an item that is an entry is held back, or shown to those who may read its node. */
export async function holdReactions(index: IndexDb, sourceId: number, hold: Hold | null): Promise<void> {
  const row = await index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(sql<Hold | null>`coalesce(${hold}, ${HOLD_OF_NODE})`.as('held'))
    .where('entry.id', '=', sourceId)
    .executeTakeFirst()
  // It went meanwhile, with what it said.
  if (row === undefined) return
  const { held } = row
  const query = index.updateTable('reaction').set({ hold: held }).where('sourceId', '=', sourceId)
  await query.where('hold', 'is not', held).execute()
}

/** Holds back what was said by way of a node of comments or attachments, or shows it, as its status says. In slices. */
export async function finishHolds(index: IndexDb, { id, address }: Pick<NodeRow, 'id' | 'address'>): Promise<void> {
  const pause = createSlices()
  const status = await findStatus(index, id)
  for (let last: Place | undefined = FIRST; last !== undefined; ) {
    const rows = await listAfter(index, address, last)
    const places = rows.map(({ place }) => place)
    const query = index.updateTable('reaction').set({ hold: HOLD_OF_SOURCE }).where(isOneOf('rowid', places))
    await query.where(sql<boolean>`hold IS NOT ${HOLD_OF_SOURCE}`).execute()
    last = rows.at(-1)
    await pause()
    // Whatever changed it again goes through all of them itself.
    if ((await findStatus(index, id)) !== status) return
  }
  const query = index.updateTable('node').set({ emptying: null }).where('id', '=', id)
  await query
    .where('emptying', '=', 'holds')
    .where('status', '=', status ?? 'open')
    .execute()
}

interface Place {
  readonly sourceItem: ItemId
  readonly place: number
}

const FIRST: Place = { sourceItem: asItemId(''), place: 0 }

/** In the order of the index of sources, which ends with the number of the row. */
async function listAfter(index: IndexDb, { service, node }: NodeRow['address'], last: Place): Promise<Place[]> {
  const query = index
    .selectFrom('reaction')
    .select(['sourceItem', sql<number>`rowid`.as('place')])
    .where('sourceService', '=', service)
    .where('sourceNode', '=', node)
    .where(sql<boolean>`(source_item, rowid) > (${last.sourceItem}, ${last.place})`)
  return query.orderBy('sourceItem').orderBy(sql`rowid`).limit(SLICE).execute()
}

async function findStatus(index: IndexDb, id: number): Promise<NodeStatus | undefined> {
  const query = index.selectFrom('node').select('status').where('id', '=', id)
  return (await query.executeTakeFirst())?.status
}
