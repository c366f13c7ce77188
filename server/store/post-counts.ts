import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { asItemId, type ItemAddress, type ItemId, type NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import { listRoomLines } from './room-line.ts'

/** Rows that the statement of a list counts for one post; where there are more they are counted in slices. */
const FEW = 200
/** Rows that one statement counts then. */
const SLICE = 10_000

/** How many comments everybody may read on the node that an entry of this name links to; null where that are many. */
export function selectCommentCount(entry: 'entry' | 'shown') {
  return sql<number | null>`(SELECT CASE WHEN count(*) <= ${FEW}
    THEN count(*) FILTER (WHERE is_like = 0 AND hold IS NULL) END
    FROM (SELECT said.is_like, said.hold FROM node AS thread JOIN entry AS said ON said.node_id = thread.id
      WHERE thread.service = ${sql.ref(`${entry}.commentsService`)} AND thread.node = ${sql.ref(`${entry}.commentsNode`)}
        AND thread.status = 'open' LIMIT ${FEW + 1}))`
}

/** How much is said in rooms about an entry; null where that is much. */
export const ANSWER_COUNT = sql<number | null>`(SELECT CASE WHEN count(*) <= ${FEW}
  THEN count(*) FILTER (WHERE is_like = 0 AND hold IS NULL AND is_open AND kind IS NOT 'announcement') END
  FROM (SELECT answer.is_like, answer.hold, answer.more ->> 'kind' AS kind,
      room.kind = 'room' AND room.status = 'open' AS is_open
    FROM entry AS answer JOIN node AS room ON room.id = answer.node_id
    WHERE answer.root_service = node.service AND answer.root_node = node.node AND answer.root_item = entry.item
    LIMIT ${FEW + 1}))`

/** Counts one after the other what a list did not, letting others have their turns. */
export interface Counting {
  readonly index: IndexDb
  readonly pause: () => Promise<void>
}

export function createCounting(index: IndexDb): Counting {
  return { index, pause: createSlices() }
}

/** Of everybody, on a node that everybody may read. */
export async function countComments({ index, pause }: Counting, { service, node }: NodeAddress): Promise<number> {
  const open = index.selectFrom('node').select('id').where('service', '=', service).where('node', '=', node)
  const thread = await open.where('status', '=', 'open').executeTakeFirst()
  let count = 0
  for (let last = thread && FIRST_LINE; thread !== undefined && last !== undefined; await pause()) {
    const { shown, end } = await countLines(index, thread.id, last)
    count += shown
    last = end
  }
  return count
}

interface Line {
  readonly publishedAt: number
  readonly item: ItemId
}

const FIRST_LINE: Line = { publishedAt: Number.MIN_SAFE_INTEGER, item: asItemId('') }

/** How many of a slice of comments are shown, and where it ends, unless it is the last. */
async function countLines(index: IndexDb, nodeId: number, last: Line) {
  const rest = index
    .selectFrom('entry')
    .where('nodeId', '=', nodeId)
    .where(sql<boolean>`(published_at, item) > (${last.publishedAt}, ${last.item})`)
  const places = rest.select(['publishedAt', 'item']).orderBy('publishedAt').orderBy('item').limit(1)
  const end: Line | undefined = await places.offset(SLICE - 1).executeTakeFirst()
  const isInside = end && sql<boolean>`(published_at, item) <= (${end.publishedAt}, ${end.item})`
  const slice = isInside === undefined ? rest : rest.where(isInside)
  const shown = slice.where('isLike', '=', 0).where('hold', 'is', null)
  const { count } = await shown.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
  return { shown: count, end }
}

/** Of what is said in rooms. */
export async function countAnswers({ index }: Counting, post: ItemAddress): Promise<number> {
  let count = 0
  for await (const lines of listRoomLines(index, post)) count += lines.length
  return count
}
