import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Cursor, type Place, readCursor, writeCursor } from './cursor.ts'
import type { IndexDb } from './database.ts'
import { normalizeTag } from './entry.ts'
import { type PostRow, readPost, type Shown, selectShown, withPostColumns } from './post-row.ts'
import { findTombstone } from './tombstone.ts'

export type { PersonName, PostRow } from './post-row.ts'

/** The site's own posts by these authors, or everything on one node. */
export type Scope =
  | { readonly kind: 'site'; readonly authors: readonly BareJid[] }
  /** `isPublicOnly`: what its authors put on the web themselves. */
  | { readonly kind: 'blog'; readonly address: NodeAddress; readonly isPublicOnly?: boolean }

export interface PostQuery {
  readonly scope: Scope
  readonly tag?: string
  /** Posts older than this place. */
  readonly before?: Cursor
  /** The posts just newer than this place. */
  readonly after?: Cursor
  readonly limit: number
}

export interface Page<Row> {
  /** Newest first. */
  readonly rows: readonly Row[]
  /** For `before`, if there are older ones. */
  readonly older?: Cursor
  /** For `after`, if there are newer ones. */
  readonly newer?: Cursor
}

/** Newest first, exact also where many posts have one date. A cursor that is none of ours gives an empty page. */
export async function listPosts(index: IndexDb, query: PostQuery): Promise<Page<PostRow>> {
  const cursor = query.before ?? query.after
  const place = cursor === undefined ? undefined : readCursor(cursor)
  if (cursor !== undefined && place === undefined) return { rows: [] }
  const isUpward = query.before === undefined && place !== undefined
  const posts = restrict(selectShown(index), query)
  const near = place === undefined ? posts : beside(posts, place, isUpward ? '>' : '<')
  const rows = await withPostColumns(near)
    .orderBy('entry.publishedAt', isUpward ? 'asc' : 'desc')
    .orderBy('entry.item', isUpward ? 'asc' : 'desc')
    .orderBy('entry.nodeId', isUpward ? 'asc' : 'desc')
    .limit(query.limit + 1)
    .execute()
  const hasMore = rows.length > query.limit
  const shown = rows.slice(0, query.limit)
  if (isUpward) shown.reverse()
  const hasBeside = async (edge: Place, side: '<' | '>') =>
    (await beside(posts, edge, side).select('entry.id').limit(1).executeTakeFirst()) !== undefined
  const [first, last] = [shown[0], shown.at(-1)]
  const hasOlder = last !== undefined && (isUpward ? await hasBeside(last, '<') : hasMore)
  const hasNewer = first !== undefined && place !== undefined && (isUpward ? hasMore : await hasBeside(first, '>'))
  return {
    rows: shown.map(readPost),
    older: hasOlder ? writeCursor(last) : undefined,
    newer: hasNewer ? writeCursor(first) : undefined,
  }
}

/** `gone` for what was here and was removed. */
export async function findPost(index: IndexDb, address: ItemAddress): Promise<PostRow | 'gone' | undefined> {
  const posts = restrict(selectShown(index), { scope: { kind: 'blog', address } })
  const row = await withPostColumns(posts.where('entry.item', '=', address.item)).executeTakeFirst()
  if (row !== undefined) return readPost(row)
  return (await findTombstone(index, address)) === undefined ? undefined : 'gone'
}

/** Only what may be shown: on an open node and, for the site, written by the blog's owner. */
function restrict(posts: Shown<object>, { scope, tag }: Pick<PostQuery, 'scope' | 'tag'>): Shown<object> {
  let query = posts.where('entry.isPost', '=', 1).where('node.status', '=', 'open')
  if (scope.kind === 'blog') {
    query = query.where('node.service', '=', scope.address.service).where('node.node', '=', scope.address.node)
    if (scope.isPublicOnly) query = query.where('entry.alternate', 'is not', null)
  } else {
    query = query
      .where('node.kind', '=', 'blog')
      .where('node.owner', 'in', [...scope.authors])
      .where('entry.credit', '=', 'credited')
      .whereRef('entry.author', '=', 'node.owner')
  }
  if (tag === undefined) return query
  return query.where('entry.id', 'in', ({ selectFrom }) =>
    selectFrom('tag').select('tag.entryId').where('tag.tag', '=', normalizeTag(tag)),
  )
}

function beside(posts: Shown<object>, place: Place, side: '<' | '>'): Shown<object> {
  return posts.where(({ eb, refTuple, tuple }) =>
    eb(
      refTuple('entry.publishedAt', 'entry.item', 'entry.nodeId'),
      side,
      tuple(place.publishedAt, place.item, place.nodeId),
    ),
  )
}
