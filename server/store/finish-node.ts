import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { asItemId, type ItemId, type NodeAddress } from '#shared/address.ts'
import type { IndexDb } from './database.ts'
import { saveHearts } from './heart.ts'
import type { Hold } from './index-schema.ts'
import { isOneOf } from './json-list.ts'
import type { NodeRow } from './node.ts'
import { HOLD_OF_NODE, IS_LINKED } from './reaction-hold.ts'
import { linkAllReplies } from './reply-ref.ts'
import { listPostsOfThread } from './thread-node.ts'

/** Reactions that one statement looks at. */
const SLICE = 500

const HOLD_OF_SOURCE = sql<Hold | null>`(SELECT coalesce(entry.hold, ${HOLD_OF_NODE})
  FROM entry JOIN node ON node.id = entry.node_id WHERE entry.id = reaction.source_id)`

/** What the reactions by way of a node depend on: its status, and the posts that link to it, up to more than are counted. */
const STATE = sql<string>`json_array(node.status, (SELECT json_group_array(post.id) FROM (
  SELECT entry.id FROM entry WHERE entry.comments_service = node.service AND entry.comments_node = node.node
  ORDER BY entry.id LIMIT 250) AS post))`

/** A node that is marked, so that after a crash the next start finishes what goes on with it. */
export interface Marked extends Pick<NodeRow, 'id' | 'address'> {
  /** What its reactions are to follow; undefined where other work goes on with it, which finds out by itself. */
  readonly state: string | undefined
}

/** Marks a node of comments with which something goes on in slices; undefined where it is not known. */
export async function markUnfinished(index: IndexDb, address: NodeAddress): Promise<Marked | undefined> {
  const row = await index
    .selectFrom('node')
    .select(['id', 'emptying', STATE.as('state')])
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .where('kind', '=', 'comments')
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (row.emptying !== null) return { id: row.id, address, state: undefined }
  await index.updateTable('node').set({ emptying: 'holds' }).where('id', '=', row.id).execute()
  return { id: row.id, address, state: row.state }
}

/** What went on with a marked node is done. Where what its reactions depend on has changed meanwhile, all of it is done again. */
export async function endUnfinished(index: IndexDb, { id, address, state }: Marked): Promise<void> {
  if (state === undefined || (await isEnded(index, id, state))) return
  await finishNode(index, { id, address, kind: 'comments' })
}

/**
 * Makes what is known by way of a node of comments or attachments what it should be, in slices: reactions held back or
 * shown, as the node's status says, hearts counted for the posts that link to it, replies below what they answer.
 */
export async function finishNode(index: IndexDb, node: Pick<NodeRow, 'id' | 'address' | 'kind'>): Promise<void> {
  for (let isDone = false; !isDone; ) {
    const state = await readState(index, node.id)
    if (state === undefined) return
    if (!(await holdAll(index, node, state))) continue
    if (node.kind === 'comments') {
      for (const post of await listPostsOfThread(index, node.address)) await saveHearts(index, post, node)
      await linkAllReplies(index, node)
    }
    isDone = await isEnded(index, node.id, state)
  }
}

/** Returns false as soon as the state is another. */
async function holdAll(
  index: IndexDb,
  { id, address, kind }: Pick<NodeRow, 'id' | 'address' | 'kind'>,
  state: string,
): Promise<boolean> {
  const pause = createSlices()
  for (let last: Place | undefined = FIRST; last !== undefined; ) {
    const rows = await listAfter(index, address, last)
    const isOfSlice = isOneOf(
      'rowid',
      rows.map(({ place }) => place),
    )
    if (kind === 'comments') {
      await index.deleteFrom('reaction').where(isOfSlice).where(sql<boolean>`NOT ${IS_LINKED}`).execute()
    }
    const held = index.updateTable('reaction').set({ hold: HOLD_OF_SOURCE }).where(isOfSlice)
    await held.where(sql<boolean>`hold IS NOT ${HOLD_OF_SOURCE}`).execute()
    last = rows.at(-1)
    await pause()
    if ((await readState(index, id)) !== state) return false
  }
  return true
}

interface Place {
  readonly sourceItem: ItemId
  readonly place: number
}

const FIRST: Place = { sourceItem: asItemId(''), place: 0 }

/** In the order of the index of sources, which ends with the number of the row. */
async function listAfter(index: IndexDb, { service, node }: NodeAddress, last: Place): Promise<Place[]> {
  const query = index
    .selectFrom('reaction')
    .select(['sourceItem', sql<number>`rowid`.as('place')])
    .where('sourceService', '=', service)
    .where('sourceNode', '=', node)
    .where(sql<boolean>`(source_item, rowid) > (${last.sourceItem}, ${last.place})`)
  return query.orderBy('sourceItem').orderBy(sql`rowid`).limit(SLICE).execute()
}

async function readState(index: IndexDb, id: number): Promise<string | undefined> {
  return (await index.selectFrom('node').select(STATE.as('state')).where('id', '=', id).executeTakeFirst())?.state
}

/** Whether nothing is left to be finished. Removes the mark, if the state is still this one. */
async function isEnded(index: IndexDb, id: number, state: string): Promise<boolean> {
  const marked = index.updateTable('node').set({ emptying: null }).where('id', '=', id).where('emptying', '=', 'holds')
  if ((await marked.where(STATE, '=', state).executeTakeFirst()).numUpdatedRows > 0n) return true
  const row = await index.selectFrom('node').select('emptying').where('id', '=', id).executeTakeFirst()
  return row?.emptying !== 'holds'
}
