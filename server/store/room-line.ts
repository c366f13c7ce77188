import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { SERVER } from './arrivals.ts'
import type { IndexDb } from './database.ts'
import { isShownTo } from './shown-entry.ts'

/** Rows that one statement reads. */
const SLICE = 1_000

/** What somebody says in a room about a post, without the words. */
export interface RoomLine extends NodeAddress {
  readonly id: number
  readonly nodeId: number
  readonly item: ItemId
  readonly publishedAt: number
  readonly changedAt: number
  readonly credit: string
  readonly replyService: BareJid | null
  readonly replyNode: string | null
  readonly replyItem: ItemId | null
}

/** A place in the index of what rooms say about a post: by server, and then as it arrived. */
interface Place {
  readonly server: string | null
  readonly arrivedAt: number
  readonly id: number
}

const SERVER_OF_WRITER = sql<string | null>`${sql.raw(SERVER)}`

/** What is said in rooms about a post and shown to a reader, without its announcement there. In parts, in no order of time. */
export async function* listRoomLines(
  index: IndexDb,
  post: ItemAddress,
  reader?: BareJid,
): AsyncGenerator<readonly RoomLine[]> {
  for await (const rows of listAll(index, post, reader)) {
    yield rows.filter(({ isShown, kind }) => isShown === 1 && kind !== 'announcement')
  }
}

/** The entries by which a room was told of a post, shown or not, the first one first. */
export async function listAnnouncements(index: IndexDb, nodeId: number, post: ItemAddress): Promise<number[]> {
  const ids: number[] = []
  for await (const rows of listAll(index, post, undefined)) {
    ids.push(...rows.filter((row) => row.nodeId === nodeId && row.kind === 'announcement').map(({ id }) => id))
  }
  return ids.sort((a, b) => a - b)
}

/** However much it is, each entry is looked at once. */
async function* listAll(index: IndexDb, post: ItemAddress, reader: BareJid | undefined) {
  const pause = createSlices()
  let last: Place = { server: null, arrivedAt: Number.MIN_SAFE_INTEGER, id: 0 }
  for (let next: Next | undefined = 'later'; next !== undefined; await pause()) {
    const rows = await readSlice(index, { post, reader, last, next })
    yield rows
    last = rows.at(-1) ?? last
    next = rows.length === SLICE ? 'at once' : THEN[next]
  }
}

/** From its last row on a slice goes on with what arrived at once with it, then later, then from servers that come after. */
type Next = 'at once' | 'later' | 'of others'

const THEN = { 'at once': 'later', later: 'of others', 'of others': undefined } as const

/** Each by a part of the index: a comparison of rows would use it only up to the instant. First come entries of nobody known. */
function isNext({ server, arrivedAt, id }: Place, next: Next) {
  if (next === 'of others') return sql<boolean>`${SERVER_OF_WRITER} > ${server ?? ''}`
  const isOfServer = sql<boolean>`${SERVER_OF_WRITER} IS ${server}`
  return next === 'later'
    ? sql<boolean>`${isOfServer} AND entry.arrived_at > ${arrivedAt}`
    : sql<boolean>`${isOfServer} AND entry.arrived_at = ${arrivedAt} AND entry.id > ${id}`
}

interface Slice {
  readonly post: ItemAddress
  readonly reader: BareJid | undefined
  readonly last: Place
  readonly next: Next
}

/** Also what is not shown: where the next slice begins is known by it. */
async function readSlice(index: IndexDb, { post, reader, last, next }: Slice): Promise<(RoomLine & Place & Told)[]> {
  const query = index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['node.service', 'node.node', 'entry.id', 'entry.nodeId', 'entry.item', 'entry.publishedAt'])
    .select(['entry.changedAt', 'entry.credit', 'entry.replyService', 'entry.replyNode', 'entry.replyItem'])
    .select(['entry.arrivedAt', SERVER_OF_WRITER.as('server')])
    .select(
      sql<number>`(entry.is_like = 0 AND ${isShownTo(reader)} AND node.kind = 'room' AND node.status = 'open')`.as(
        'isShown',
      ),
    )
    .select(sql<string | null>`entry.more ->> 'kind'`.as('kind'))
    .where('entry.rootService', '=', post.service)
    .where('entry.rootNode', '=', post.node)
    .where('entry.rootItem', '=', post.item)
    .where(isNext(last, next))
  // SQLite would sort by what is the same for all.
  const ordered = next === 'of others' ? query.orderBy(SERVER_OF_WRITER) : query
  return ordered.orderBy('entry.arrivedAt').orderBy('entry.id').limit(SLICE).execute()
}

interface Told {
  readonly isShown: number
  readonly kind: string | null
}
