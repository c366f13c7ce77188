import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type Cursor, type Place, readCursor, writeCursor } from './cursor.ts'
import type { IndexDb } from './database.ts'
import { normalizeTag } from './entry.ts'
import type { NodeStatus } from './index-schema.ts'
import { isAmong, isOneOf } from './json-list.ts'
import { IS_BLOG, IS_FEED } from './node-kind.ts'
import { type PostRow, readPosts, selectShown, withPostColumns } from './post-row.ts'
import { type Candidates, listNearest } from './timeline.ts'
import { findTombstone } from './tombstone.ts'

export type { PersonName, PostRow } from './post-row.ts'

/** The site's own posts by these authors, or everything on one node or on many. */
export type Scope =
  | { readonly kind: 'site'; readonly authors: readonly BareJid[] }
  /** `isPublicOnly`: what its authors put on the web themselves. */
  | {
      readonly kind: 'blog'
      readonly address: NodeAddress
      readonly isPublicOnly?: boolean
      /** The reader may read the feed where it is restricted. */
      readonly isPermitted?: boolean
    }
  | { readonly kind: 'feeds'; readonly addresses: readonly NodeAddress[]; readonly isPermitted?: boolean }

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
  const nodeIds = await listNodeIds(index, query.scope)
  const restrict = (entries: Candidates) => restrictTo(entries, query.scope)
  const tag = query.tag === undefined ? undefined : normalizeTag(query.tag)
  const isPublicOnly = query.scope.kind === 'blog' && query.scope.isPublicOnly
  const near = (from: Place | undefined, side: '<' | '>', limit: number) =>
    listNearest(index, { nodeIds, tag, isPublicOnly, restrict, place: from, side, limit })
  const ids = await near(place, isUpward ? '>' : '<', query.limit + 1)
  const shown = await listRows(index, ids.slice(0, query.limit))
  const hasMore = ids.length > query.limit
  const hasBeside = async (edge: Place, side: '<' | '>') => (await near(edge, side, 1)).length > 0
  const [first, last] = [shown[0], shown.at(-1)]
  const hasOlder = last !== undefined && (isUpward ? await hasBeside(last, '<') : hasMore)
  const hasNewer = first !== undefined && place !== undefined && (isUpward ? hasMore : await hasBeside(first, '>'))
  return {
    rows: await readPosts(index, shown),
    older: hasOlder ? writeCursor(last) : undefined,
    newer: hasNewer ? writeCursor(first) : undefined,
  }
}

/** `gone` for what was here and was removed; on a restricted node only where that is asked for. */
export async function findPost(
  index: IndexDb,
  address: ItemAddress,
  upTo: 'open' | 'restricted' = 'open',
): Promise<PostRow | 'gone' | undefined> {
  const [nodeId] = await listNodeIds(index, { kind: 'blog', address, isPermitted: upTo === 'restricted' })
  const posts = selectShown(index)
    .where('entry.nodeId', '=', nodeId ?? null)
    .where('entry.item', '=', address.item)
  const row = await withPostColumns(posts).executeTakeFirst()
  const [post] = row === undefined ? [] : await readPosts(index, [row])
  if (post !== undefined) return post
  return (await findTombstone(index, address)) === undefined ? undefined : 'gone'
}

/** Newest first. */
function listRows(index: IndexDb, ids: readonly number[]) {
  return withPostColumns(selectShown(index).where(isOneOf('entry.id', ids)))
    .orderBy('entry.publishedAt', 'desc')
    .orderBy('entry.item', 'desc')
    .orderBy('entry.nodeId', 'desc')
    .execute()
}

/** The ids of the nodes in scope with posts that the reader may read. */
async function listNodeIds(index: IndexDb, scope: Scope): Promise<number[]> {
  const statuses: NodeStatus[] = scope.kind !== 'site' && scope.isPermitted ? ['open', 'restricted'] : ['open']
  let nodes = index.selectFrom('node').select('node.id').where('node.status', 'in', statuses)
  if (scope.kind === 'site') {
    nodes = nodes.where(IS_BLOG).where(isOneOf('node.owner', scope.authors))
  } else {
    const addresses = scope.kind === 'blog' ? [scope.address] : scope.addresses
    nodes = nodes.where(IS_FEED).where(isAmong(['node.service', 'node.node'], addresses))
  }
  return (await nodes.execute()).map(({ id }) => id)
}

/** On the site itself, only what the blog's owner wrote. */
function restrictTo(entries: Candidates, scope: Scope): Candidates {
  if (scope.kind !== 'site') return entries
  return entries.where('entry.credit', '=', 'credited').whereRef('entry.author', '=', 'node.owner')
}
