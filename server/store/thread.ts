import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { ItemAddress, ItemId, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { isAmong } from './json-list.ts'
import { listRoomLines } from './room-line.ts'
import { isShownTo, isWrittenBy } from './shown-entry.ts'

/** Where the comments of a post are: on their node, and in rooms. A post itself fits. */
export interface ThreadPlace {
  readonly address: ItemAddress
  readonly comments?: NodeAddress | undefined
}

/** A reader of a thread is shown what everybody is, their own words, and what is on `readable` nodes where those are restricted. */
export interface ThreadReader {
  readonly jid: BareJid
  readonly readable: readonly NodeAddress[]
}

/** A comment without its words: a whole thread of them is arranged before a page of it is read. */
export interface ThreadLine {
  readonly id: number
  readonly nodeId: number
  readonly item: ItemId
  readonly publishedAt: number
  readonly isCredited: boolean
  readonly isFromRoom: boolean
  /** Its address as a text that no other has. */
  readonly key: string
  /** The same of what it answers. */
  readonly parentKey?: string
}

/** Older ones of a longer thread are on no page. */
const MOST = 20_000
/** Rows that one statement reads. */
const SLICE = 1_000

const COLUMNS = [
  'entry.id',
  'entry.nodeId',
  'entry.item',
  'entry.publishedAt',
  'entry.credit',
  'entry.replyService',
  'entry.replyNode',
  'entry.replyItem',
] as const

/** Of some lines: their number, the sum of their ids, and when any of them was changed last. */
type Stamp = readonly [count: number, sum: number, newest: number]

/** What is shown of a thread, oldest first; a reader also sees what of their own waits for approval. */
export async function listThread(index: IndexDb, place: ThreadPlace, reader?: ThreadReader): Promise<ThreadLine[]> {
  const [comments, answers] = [
    await listCommentLines(index, place, reader),
    await listAnswers(index, place, reader?.jid),
  ]
  if (answers.length === 0) return comments
  return [...comments, ...answers].sort(byDate).slice(-MOST)
}

/** Another text where anything in the thread is new, gone or changed, for everybody who is shown the same nodes. */
export async function readThreadStamp(
  index: IndexDb,
  { address, comments }: ThreadPlace,
  reader?: ThreadReader,
): Promise<string> {
  const node = await findThreadNode(index, comments, reader)
  const onNode = node?.isShown ? await stampLines(index, node.id) : undefined
  return JSON.stringify([onNode, await stampAnswers(index, address)])
}

/** What is changed while it is read brings another event, and is read again. */
async function stampLines(index: IndexDb, nodeId: number): Promise<Stamp> {
  const rows = await readInSlices<StampedLine>((last) =>
    selectLines(index, nodeId)
      .select(['entry.id', 'entry.publishedAt', 'entry.item', 'entry.changedAt'])
      .where(isBefore(last))
      .orderBy('entry.publishedAt', 'desc')
      .orderBy('entry.item', 'desc')
      .limit(SLICE)
      .execute(),
  )
  return addTo([0, 0, 0], rows)
}

async function stampAnswers(index: IndexDb, post: ItemAddress): Promise<Stamp> {
  let stamp: Stamp = [0, 0, 0]
  for await (const rows of listRoomLines(index, post)) stamp = addTo(stamp, rows)
  return stamp
}

function addTo(
  [count, sum, newest]: Stamp,
  rows: readonly { readonly id: number; readonly changedAt: number }[],
): Stamp {
  return rows.reduce<Stamp>(
    ([, sum, newest], { id, changedAt }) => [count + rows.length, sum + id, Math.max(newest, changedAt)],
    [count, sum, newest],
  )
}

/** What an item is called in its payload and whether anybody is shown it: `undefined` where the index has none. */
export async function findAnswerable(index: IndexDb, { service, node, item }: ItemAddress) {
  return index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(['entry.hold', 'entry.atomId'])
    .where('node.service', '=', service)
    .where('node.node', '=', node)
    .where('entry.item', '=', item)
    .executeTakeFirst()
}

async function listCommentLines(
  index: IndexDb,
  { comments }: ThreadPlace,
  reader?: ThreadReader,
): Promise<ThreadLine[]> {
  const node = await findThreadNode(index, comments, reader)
  if (comments === undefined || node === undefined || (!node.isShown && reader === undefined)) return []
  const rows = await readInSlices<SelectedLine>((last) => {
    let query = selectLines(index, node.id, reader?.jid).select(COLUMNS)
    if (!node.isShown && reader !== undefined) query = query.where(isWrittenBy(reader.jid))
    query = query.where(isBefore(last))
    return query.orderBy('entry.publishedAt', 'desc').orderBy('entry.item', 'desc').limit(SLICE).execute()
  })
  return rows.map((row) => readLine(row, { ...comments, isFromRoom: false })).reverse()
}

async function listAnswers(index: IndexDb, { address }: ThreadPlace, reader?: BareJid): Promise<ThreadLine[]> {
  let lines: ThreadLine[] = []
  for await (const rows of listRoomLines(index, address, reader)) {
    lines.push(...rows.map((row) => readLine(row, { ...row, isFromRoom: true })))
    if (lines.length > 2 * MOST) lines = lines.sort(byDate).slice(-MOST)
  }
  return lines
}

/** The newest `MOST` rows, read `SLICE` at a time so that a long thread lets other requests in between. */
async function readInSlices<Row extends object>(read: (last: Row | undefined) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  const pause = createSlices()
  while (rows.length < MOST) {
    const slice = await read(rows.at(-1))
    rows.push(...slice)
    if (slice.length < SLICE) break
    await pause()
  }
  return rows
}

/** Whether there are comments that this reader is not shown, as they may not read the node: those of others than themselves. */
export async function hasUnshown(index: IndexDb, { comments }: ThreadPlace, reader?: ThreadReader): Promise<boolean> {
  const node = await findThreadNode(index, comments, reader)
  if (node === undefined || node.isShown) return false
  let query = selectLines(index, node.id).select('entry.id')
  if (reader !== undefined) query = query.where(({ not }) => not(isWrittenBy(reader.jid)))
  return (await query.limit(1).executeTakeFirst()) !== undefined
}

interface ThreadNode {
  readonly id: number
  /** To this reader, all of it. */
  readonly isShown: boolean
}

async function findThreadNode(
  index: IndexDb,
  comments: NodeAddress | undefined,
  reader?: ThreadReader,
): Promise<ThreadNode | undefined> {
  if (comments === undefined) return undefined
  const row = await index
    .selectFrom('node')
    .select(['id', 'status'])
    .where('service', '=', comments.service)
    .where('node', '=', comments.node)
    .where('status', 'in', ['open', 'restricted'])
    .executeTakeFirst()
  return row && { id: row.id, isShown: row.status === 'open' || mayRead(comments, reader) }
}

function mayRead({ service, node }: NodeAddress, reader: ThreadReader | undefined): boolean {
  return reader?.readable.some((address) => address.service === service && address.node === node) === true
}

/** Likes are no comments. The node is not joined: a long thread would look it up for each of its comments. */
function selectLines(index: IndexDb, nodeId: number, reader?: BareJid) {
  return (
    index
      .selectFrom('entry')
      .where('entry.nodeId', '=', nodeId)
      // By the index of the node: that of all comments by their dates would do as well, and reads those of every thread.
      .where(sql<boolean>`+entry.is_post = 0`)
      .where('entry.isLike', '=', 0)
      .where(isShownTo(reader))
  )
}

/** The condition that the node of an entry is open, or may be read by this reader all the same, or the words are their own. */
export function isOnNodeFor(reader: ThreadReader | undefined) {
  if (reader === undefined) return sql<boolean>`node.status = 'open'`
  const isReadable = isAmong(['node.service', 'node.node'], reader.readable)
  return sql<boolean>`(node.status = 'open' OR (node.status = 'restricted' AND (${isReadable} OR ${isWrittenBy(reader.jid)})))`
}

/** The condition that a line comes after `last` where the newest are first. */
function isBefore(last?: Pick<SelectedLine, 'publishedAt' | 'item'>) {
  if (last === undefined) return sql<boolean>`true`
  return sql<boolean>`(entry.published_at, entry.item) < (${last.publishedAt}, ${last.item})`
}

interface StampedLine {
  readonly id: number
  readonly publishedAt: number
  readonly item: ItemId
  readonly changedAt: number
}

interface SelectedLine {
  readonly id: number
  readonly nodeId: number
  readonly item: ItemId
  readonly publishedAt: number
  readonly credit: string
  readonly replyService: BareJid | null
  readonly replyNode: string | null
  readonly replyItem: ItemId | null
}

function readLine(row: SelectedLine, place: NodeAddress & { readonly isFromRoom: boolean }): ThreadLine {
  const { id, nodeId, item, publishedAt, replyService, replyNode, replyItem } = row
  const { service, node, isFromRoom } = place
  const isReply = replyService !== null && replyNode !== null && replyItem !== null
  return {
    ...{ id, nodeId, item, publishedAt, isFromRoom, isCredited: row.credit === 'credited' },
    key: keyOf(service, node, item),
    ...(isReply && { parentKey: keyOf(replyService, replyNode, replyItem) }),
  }
}

// Of thousands at once: cheaper than their URIs.
function keyOf(service: BareJid, node: string, item: ItemId): string {
  return `${service}\0${node}\0${item}`
}

function byDate(a: ThreadLine, b: ThreadLine): number {
  return a.publishedAt - b.publishedAt || (a.item < b.item ? -1 : Number(a.item > b.item)) || a.nodeId - b.nodeId
}
