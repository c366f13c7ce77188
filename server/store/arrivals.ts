import { sql } from 'kysely'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'

/** Up to an instant: when things became news, or by their own dates. */
export interface Stretch {
  readonly by: 'arrivedAt' | 'publishedAt'
  readonly since: Date
  readonly until: Date
}

/** Whose words an entry is, and their server: as the indexes of migration 0003 have them. */
const WRITER = 'coalesce(entry.contributor, entry.publisher, entry.author)'
export const SERVER = `substr(${WRITER}, instr(${WRITER}, '@') + 1)`

/** Comments of one writer among which one on a certain blog is looked for. */
const MOST_LOOKED_AT = 1_000

/** In words that their indexes know. */
const IS_COMMENT = sql<boolean>`entry.is_post = 0 AND entry.is_like = 0`

/** Whether somebody wrote so many comments in a stretch of time, anywhere, those that are held too. */
export async function hasWritten(
  index: IndexDb,
  { who, most }: { who: BareJid; most: number },
  stretch: Stretch,
): Promise<boolean> {
  const rows = await selectWithin(index, stretch)
    .where(IS_COMMENT)
    .where(sql<boolean>`${sql.raw(WRITER)} = ${who}`)
    .limit(most)
    .execute()
  return rows.length >= most
}

/**
 * The same of everybody of a server, under one post: on its node of comments, and in rooms. Those of whom the service
 * does not say who they are count as of one.
 */
export async function hasServerWritten(
  index: IndexDb,
  { who, thread, post, most }: { who: BareJid | undefined; thread: NodeAddress; post: ItemAddress; most: number },
  stretch: Stretch,
): Promise<boolean> {
  const ofServer = selectWithin(index, stretch)
    .where(sql<boolean>`${sql.raw(SERVER)} IS ${who === undefined ? null : domainOf(who)}`)
    .limit(most)
  const onNode = await ofServer
    .where(IS_COMMENT)
    .where('entry.nodeId', '=', ({ selectFrom }) =>
      selectFrom('node')
        .select('node.id')
        .where('node.service', '=', thread.service)
        .where('node.node', '=', thread.node),
    )
    .where('entry.rootItem', 'is', null)
    .execute()
  const inRooms = await ofServer
    .where('entry.rootService', '=', post.service)
    .where('entry.rootNode', '=', post.node)
    .where('entry.rootItem', '=', post.item)
    .execute()
  return onNode.length + inRooms.length >= most
}

/** Whether any of somebody's newest comments, except one item, is shown under a blog's posts. */
export async function hasShownComment(
  index: IndexDb,
  { who, blog, except }: { who: BareJid; blog: NodeAddress; except: ItemAddress },
): Promise<boolean> {
  const newest = index
    .selectFrom('entry')
    .select('entry.id')
    .where(IS_COMMENT)
    .where(sql<boolean>`${sql.raw(WRITER)} = ${who}`)
    .orderBy('entry.arrivedAt', 'desc')
    .limit(MOST_LOOKED_AT)
  const shown = () =>
    index
      .selectFrom('entry')
      .innerJoin('node', 'node.id', 'entry.nodeId')
      .select('entry.id')
      .where('entry.id', 'in', newest)
      .where(sql<boolean>`(+entry.publisher = ${who} OR +entry.contributor = ${who})`)
      .where('entry.hold', 'is', null)
      .where(({ not, and, eb }) =>
        not(
          and([
            eb('node.service', '=', except.service),
            eb('node.node', '=', except.node),
            eb('entry.item', '=', except.item),
          ]),
        ),
      )
      .limit(1)
  const underPost = shown().where(({ exists, selectFrom }) =>
    exists(
      selectFrom('entry as post')
        .innerJoin('node as feed', 'feed.id', 'post.nodeId')
        .select('post.id')
        .whereRef('post.commentsService', '=', 'node.service')
        .whereRef('post.commentsNode', '=', 'node.node')
        .where('feed.service', '=', blog.service)
        .where('feed.node', '=', blog.node),
    ),
  )
  if ((await underPost.executeTakeFirst()) !== undefined) return true
  const inRoom = shown().where('entry.rootService', '=', blog.service).where('entry.rootNode', '=', blog.node)
  return (await inRoom.executeTakeFirst()) !== undefined
}

/** What was approved a moment ago was written before: only what also came first then counts. */
function selectWithin(index: IndexDb, { by, since, until }: Stretch) {
  return index
    .selectFrom('entry')
    .select('entry.id')
    .where(`entry.${by}`, '>', since.getTime())
    .where(`entry.${by}`, '<=', until.getTime())
    .$if(by === 'arrivedAt', (query) => query.where('entry.firstSeenAt', '>', since.getTime()))
}
