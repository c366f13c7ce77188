import { type ArrangedLine, arrangeThread, flattenThread } from '#server/store/arrange-thread.ts'
import { type CommentRow, listCommentRows } from '#server/store/comment.ts'
import { type Cursor, readCursor, writeCursor } from '#server/store/cursor.ts'
import type { IndexDb } from '#server/store/database.ts'
import { listThread, type ThreadLine, type ThreadPlace, type ThreadReader } from '#server/store/thread.ts'

/** The query of one page of a thread, in the address of its post. */
export interface ThreadQuery {
  /** The number of the page. */
  readonly comments?: string | undefined
  readonly view?: string | undefined
  readonly before?: string | undefined
  readonly after?: string | undefined
}

export interface ThreadComment {
  readonly row: CommentRow
  readonly depth: number
  readonly parent?: CommentRow
  /** On the same page, so that its place tells what it answers. */
  readonly isBelowParent: boolean
}

export interface ThreadPage {
  readonly isFlat: boolean
  /** Of the whole thread. */
  readonly count: number
  readonly comments: readonly ThreadComment[]
  /** Of a thread that is arranged. */
  readonly number: number
  readonly numbers: number
  /** Of a flat one, where there are more. */
  readonly older?: Cursor
  readonly newer?: Cursor
}

/** Comments on one page. */
const PAGE = 100

/** In the place of a cursor: before it are the newest. */
export const END = 'end'

/** One page of a thread, as the reader may see it. */
export async function readThreadPage(
  index: IndexDb,
  place: ThreadPlace,
  { query, reader }: { query: ThreadQuery; reader?: ThreadReader | undefined },
): Promise<ThreadPage> {
  const lines = await listThread(index, place, reader)
  const isFlat = query.view === 'flat'
  const numbers = Math.max(1, Math.ceil(lines.length / PAGE))
  const number = Math.min(Math.max(1, Math.trunc(Number(query.comments)) || 1), numbers)
  const start = isFlat ? findStart(lines, query) : (number - 1) * PAGE
  const arranged = (isFlat ? flattenThread(lines) : arrangeThread(lines)).slice(start, start + PAGE)
  const [first, last] = [arranged[0]?.line, arranged.at(-1)?.line]
  return {
    ...{ isFlat, count: lines.length, number, numbers },
    comments: await readComments(index, arranged, isFlat),
    ...(isFlat && start > 0 && first !== undefined && { older: writeCursor(first) }),
    ...(isFlat && start + PAGE < lines.length && last !== undefined && { newer: writeCursor(last) }),
  }
}

/** On which page of the arranged thread a comment is; `undefined` where the reader is shown none such. */
export async function findPageOf(
  index: IndexDb,
  place: ThreadPlace,
  { comment, reader }: { comment: Pick<ThreadLine, 'item' | 'isFromRoom'>; reader?: ThreadReader | undefined },
): Promise<number | undefined> {
  const lines = arrangeThread(await listThread(index, place, reader))
  const at = lines.findIndex(({ line }) => line.item === comment.item && line.isFromRoom === comment.isFromRoom)
  return at < 0 ? undefined : Math.floor(at / PAGE) + 1
}

/** Pages of a flat view stay where they are, whatever comes. */
function findStart(lines: readonly ThreadLine[], { before, after }: ThreadQuery): number {
  if (before === END) return Math.max(0, lines.length - PAGE)
  const place = readCursor(before ?? after ?? '')
  if (place === undefined) return 0
  const isBefore = ({ publishedAt, item }: ThreadLine) =>
    publishedAt < place.publishedAt || (publishedAt === place.publishedAt && item < place.item)
  const at = lines.findIndex((line) => !isBefore(line))
  const end = at < 0 ? lines.length : at
  if (before !== undefined) return Math.max(0, end - PAGE)
  return lines[end]?.item === place.item ? end + 1 : end
}

async function readComments(
  index: IndexDb,
  arranged: readonly ArrangedLine[],
  isFlat: boolean,
): Promise<ThreadComment[]> {
  const ids = new Set(arranged.flatMap(({ line, parent }) => [line.id, ...(parent === undefined ? [] : [parent.id])]))
  const rows = await listCommentRows(index, [...ids])
  const above = new Set<number>()
  return arranged.flatMap(({ line, parent, depth }) => {
    const row = rows.get(line.id)
    if (row === undefined) return []
    const isBelowParent = !isFlat && parent !== undefined && above.has(parent.id)
    above.add(line.id)
    return [{ row, depth, parent: parent && rows.get(parent.id), isBelowParent }]
  })
}
