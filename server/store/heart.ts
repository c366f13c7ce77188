import { sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import { asItemId, type ItemAddress, type ItemId, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { HEART } from '#shared/reactions.ts'
import type { IndexDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import type { NodeRow } from './node.ts'
import { HOLD_OF_NODE } from './reaction-hold.ts'

/** Rows that one statement looks at. */
const SLICE = 500

export type Thread = Pick<NodeRow, 'id' | 'address'>

/**
 * Counts the comments of one heart on a node for a post, as long as that links to the node; unverified ones are nobody's.
 * In slices.
 */
export async function saveHearts(index: IndexDb, post: ItemAddress, thread: Thread): Promise<void> {
  const pause = createSlices()
  for (let last: Comment | undefined = FIRST_COMMENT; last !== undefined; ) {
    const comments = await listComments(index, thread.id, last)
    const hearts = comments.filter(({ isLike }) => isLike === 1).map(({ id }) => id)
    if (hearts.length > 0) await insertHearts(index, { post, thread, hearts })
    last = comments.at(-1)
    await pause()
  }
}

/** Forgets them, for a post that does not link to the node any more. In slices. */
export async function deleteHearts(index: IndexDb, post: ItemAddress, { address }: Thread): Promise<void> {
  const pause = createSlices()
  for (let last: Heart | undefined = FIRST_HEART; last !== undefined; ) {
    const hearts = await listHearts(index, post, last)
    const places = hearts.filter((heart) => isFrom(heart, address)).map(({ place }) => place)
    if (places.length > 0) await index.deleteFrom('reaction').where(isOneOf('rowid', places)).execute()
    last = hearts.at(-1)
    await pause()
  }
}

interface Comment {
  readonly id: number
  readonly publishedAt: number
  readonly item: ItemId
  readonly isLike: number
}

const FIRST_COMMENT: Comment = { id: 0, publishedAt: Number.MIN_SAFE_INTEGER, item: asItemId(''), isLike: 0 }

function listComments(index: IndexDb, nodeId: number, last: Comment): Promise<Comment[]> {
  const query = index.selectFrom('entry').select(['id', 'publishedAt', 'item', 'isLike']).where('nodeId', '=', nodeId)
  const after = query.where(sql<boolean>`(published_at, item) > (${last.publishedAt}, ${last.item})`)
  return after.orderBy('publishedAt').orderBy('item').limit(SLICE).execute()
}

interface NewHearts {
  readonly post: ItemAddress
  readonly thread: Thread
  readonly hearts: readonly number[]
}

async function insertHearts(index: IndexDb, { post, thread, hearts }: NewHearts): Promise<void> {
  const { service, node } = thread.address
  const found = index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(({ val, ref, fn }) => [
      ...[val(post.service).as('service'), val(post.node).as('node'), val(post.item).as('item')],
      ...[fn.coalesce('entry.contributor', 'entry.author').$notNull().as('reactor'), val(HEART).as('emoji')],
      ...[val(service).as('sourceService'), val(node).as('sourceNode'), ref('entry.item').as('sourceItem')],
      ...[ref('entry.publishedAt').as('at'), ref('entry.arrivedAt').as('arrivedAt')],
      ...[fn.coalesce('entry.hold', HOLD_OF_NODE).as('hold'), ref('entry.id').as('sourceId')],
    ])
    .where(isOneOf('entry.id', hearts))
    .where('entry.author', 'is not', null)
    // The post may have gone, or link elsewhere, since the last slice.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('entry as post')
          .innerJoin('node as feed', 'feed.id', 'post.nodeId')
          .select('post.id')
          .where('feed.service', '=', post.service)
          .where('feed.node', '=', post.node)
          .where('post.item', '=', post.item)
          .where('post.commentsService', '=', service)
          .where('post.commentsNode', '=', node),
      ),
    )
  await index
    .insertInto('reaction')
    .columns([
      ...(['service', 'node', 'item', 'reactor', 'emoji', 'sourceService', 'sourceNode', 'sourceItem'] as const),
      ...(['at', 'arrivedAt', 'hold', 'sourceId'] as const),
    ])
    .expression(found)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

interface Heart {
  readonly place: number
  readonly reactor: BareJid
  readonly sourceService: BareJid
  readonly sourceNode: string
  readonly sourceItem: ItemId
}

const NO_JID = '' as BareJid
const FIRST_HEART: Heart = {
  ...{ place: 0, reactor: NO_JID, sourceService: NO_JID, sourceNode: '', sourceItem: asItemId('') },
}

/** The next hearts of a post in the order of the primary key. */
function listHearts(index: IndexDb, { service, node, item }: ItemAddress, last: Heart): Promise<Heart[]> {
  return index
    .selectFrom('reaction')
    .select([sql<number>`rowid`.as('place'), 'reactor', 'sourceService', 'sourceNode', 'sourceItem'])
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .where('emoji', '=', HEART)
    .where(
      sql<boolean>`(reactor, source_service, source_node, source_item)
        > (${last.reactor}, ${last.sourceService}, ${last.sourceNode}, ${last.sourceItem})`,
    )
    .orderBy('reactor')
    .orderBy('sourceService')
    .orderBy('sourceNode')
    .orderBy('sourceItem')
    .limit(SLICE)
    .execute()
}

function isFrom({ sourceService, sourceNode }: Heart, { service, node }: NodeAddress): boolean {
  return sourceService === service && sourceNode === node
}
