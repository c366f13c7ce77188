import { type ArrangedLine, flattenThread } from '#server/store/arrange-thread.ts'
import { type CommentRow, listCommentRows } from '#server/store/comment.ts'
import { type Cursor, readCursor, writeCursor } from '#server/store/cursor.ts'
import type { IndexDb } from '#server/store/database.ts'
import type { Page } from '#server/store/post.ts'
import type { PostRow } from '#server/store/post-row.ts'
import { listThread, type ThreadLine, type ThreadPlace } from '#server/store/thread.ts'
import { writeXmppUri } from '#shared/address.ts'
import type { Feed, FeedEntry } from '#shared/atom.ts'
import { feedEntryId } from '#shared/atom.ts'
import { commentPath, postPath } from '#shared/paths.ts'
import type { AppContext } from './context.ts'
import { describeSource, type FeedQuery, type FeedSource, newest, writeAddress } from './feed-data.ts'
import type { ThreadNames } from './thread-names.ts'

type Deps = Pick<AppContext, 'config' | 'siteDomain'>

/** A comment, and the one that it answers. */
export interface FeedComment {
  readonly row: CommentRow
  readonly parent?: CommentRow | undefined
}

/** Comments on one page of their feed. */
const PAGE = 50

/** One page of what everybody may read of a thread, newest first; of what only a service says, nothing. */
export async function listFeedComments(
  index: IndexDb,
  place: ThreadPlace,
  { before, after }: FeedQuery,
): Promise<Page<FeedComment>> {
  const lines = flattenThread(await listThread(index, place)).filter(({ line }) => line.isCredited)
  const end = findEnd(lines, { before, after })
  const shown = lines.slice(Math.max(0, end - PAGE), end)
  const ids = shown.flatMap(({ line, parent }) => (parent === undefined ? [line.id] : [line.id, parent.id]))
  const rows = await listCommentRows(index, [...new Set(ids)])
  const [first, last] = [shown[0]?.line, shown.at(-1)?.line]
  return {
    rows: shown.reverse().flatMap(({ line, parent }): FeedComment[] => {
      const row = rows.get(line.id)
      return row === undefined ? [] : [{ row, parent: parent && rows.get(parent.id) }]
    }),
    older: end > PAGE && first !== undefined ? writeCursor(first) : undefined,
    newer: end < lines.length && last !== undefined ? writeCursor(last) : undefined,
  }
}

/** Behind the last one of the page. A cursor that is none of ours gives an empty page. */
function findEnd(lines: readonly ArrangedLine[], { before, after }: FeedQuery): number {
  const cursor: Cursor | undefined = before ?? after
  if (cursor === undefined) return lines.length
  const place = readCursor(cursor)
  if (place === undefined) return 0
  const isBefore = ({ publishedAt, item }: ThreadLine) =>
    publishedAt < place.publishedAt || (publishedAt === place.publishedAt && item < place.item)
  const at = lines.findIndex(({ line }) => !isBefore(line))
  const start = at < 0 ? lines.length : at
  if (before !== undefined) return start
  return Math.min(lines.length, start + Number(lines[start]?.line.item === place.item) + PAGE)
}

export function createCommentFeed(
  deps: Deps,
  source: FeedSource,
  { post, query, page, names }: { post: PostRow; query: FeedQuery; page: Page<FeedComment>; names: ThreadNames },
): Feed {
  const entries = page.rows.map((comment) => createCommentEntry(deps, { post, names }, comment))
  const absolute = (found: FeedQuery) => writeAddress(deps, source.feedPath, found)
  return {
    ...describeSource(deps, source),
    self: absolute(query),
    first: absolute({}),
    previous: page.newer === undefined ? undefined : absolute({ after: page.newer }),
    next: page.older === undefined ? undefined : absolute({ before: page.older }),
    updated: newest(entries) ?? source.since,
    entries,
  }
}

function createCommentEntry(
  deps: Deps,
  { post, names }: { post: PostRow; names: ThreadNames },
  { row, parent }: FeedComment,
): FeedEntry {
  const site = { domain: deps.siteDomain }
  const author = row.contributor ?? row.author
  return {
    id: idOf(row),
    title: `${names.sayWriter(row)}: ${row.text}`,
    html: row.html,
    ...{ published: row.published, updated: row.updated, tags: [], language: row.language },
    // In a room everybody has a name only.
    author: { name: names.sayWriter(row), ...(author !== undefined && !row.isFromRoom && { jid: author.jid }) },
    alternate: writeAddress(deps, commentPath(site, post.address, row.address)),
    xmppUri: writeXmppUri(row.address),
    inReplyTo:
      parent === undefined
        ? {
            ref: feedEntryId(post.address, post.credit === 'credited' ? post.author?.jid : undefined, post.atomId),
            href: writeAddress(deps, postPath(site, post.address)),
          }
        : { ref: idOf(parent), href: writeAddress(deps, commentPath(site, post.address, parent.address)) },
  }
}

function idOf({ address, author, atomId, isFromRoom }: CommentRow): string {
  return feedEntryId(address, isFromRoom ? undefined : author?.jid, atomId)
}
