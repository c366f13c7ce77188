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

/** How many comments somebody wrote in a stretch of time, anywhere, those that are held too. */
export async function countComments(index: IndexDb, who: BareJid, stretch: Stretch): Promise<number> {
  const row = await selectWithin(index, stretch)
    .where(sql<boolean>`coalesce(entry.contributor, entry.publisher, entry.author) = ${who}`)
    .executeTakeFirstOrThrow()
  return row.count
}

/** The same of everybody of a server, under one post. */
export async function countCommentsFrom(
  index: IndexDb,
  { who, thread, post }: { who: BareJid; thread: NodeAddress; post: ItemAddress },
  stretch: Stretch,
): Promise<number> {
  const writer = sql`coalesce(entry.contributor, entry.publisher, entry.author)`
  const row = await selectWithin(index, stretch)
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .where(sql<boolean>`substr(${writer}, instr(${writer}, '@') + 1) = ${domainOf(who)}`)
    .where(({ or, and, eb }) =>
      or([
        and([eb('node.service', '=', thread.service), eb('node.node', '=', thread.node)]),
        and([
          eb('entry.rootService', '=', post.service),
          eb('entry.rootNode', '=', post.node),
          eb('entry.rootItem', '=', post.item),
        ]),
      ]),
    )
    .executeTakeFirstOrThrow()
  return row.count
}

/** Whether anything of somebody's is shown under a blog's posts, but for one item. */
export async function hasShownComment(
  index: IndexDb,
  { who, blog, except }: { who: BareJid; blog: NodeAddress; except: ItemAddress },
): Promise<boolean> {
  const shown = () =>
    index
      .selectFrom('entry')
      .innerJoin('node', 'node.id', 'entry.nodeId')
      .select('entry.id')
      .where(({ or, eb }) => or([eb('entry.publisher', '=', who), eb('entry.contributor', '=', who)]))
      .where('entry.isPost', '=', 0)
      .where('entry.isLike', '=', 0)
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
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('entry.isPost', '=', 0)
    .where('entry.isLike', '=', 0)
    .where(`entry.${by}`, '>', since.getTime())
    .where(`entry.${by}`, '<=', until.getTime())
    .$if(by === 'arrivedAt', (query) => query.where('entry.firstSeenAt', '>', since.getTime()))
}
