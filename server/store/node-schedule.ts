import { type ExpressionBuilder, sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { NodeAddress } from '#shared/address.ts'
import { domainOf } from '#shared/jid.ts'
import type { IndexDb } from './database.ts'
import { type IndexSchema, THREAD_KINDS } from './index-schema.ts'
import { isOneOf } from './json-list.ts'
import { dateOf, type NodeRow, readNode } from './node.ts'
import { IS_FEED, IS_THREAD, SERVER } from './node-kind.ts'

export interface NodeToRead extends NodeRow {
  /** Of comments: when the newest post that they are about became news. */
  readonly postedAt?: Date
}

/** Rows that one statement reads or changes. */
const SLICE = 500
/** Due nodes among which those to read whole are drawn. */
const DRAWN_FROM = 5_000

export interface DueNodes<Longest> {
  readonly now: Date
  /** Milliseconds that anything is ever planned ahead: what is further was planned before the clock was put back. */
  readonly longest: Longest
  readonly limit: number
}

/** So many nodes that are due: feeds first, then those that belong to posts, in the order in which they became due. */
export async function listDueNodes(
  index: IndexDb,
  { now, longest, limit }: DueNodes<{ readonly feed: number; readonly thread: number }>,
): Promise<NodeToRead[]> {
  const nodes: Selected[] = []
  for (const { isKind, most } of [
    { isKind: IS_FEED, most: longest.feed },
    { isKind: IS_THREAD, most: longest.thread },
  ]) {
    const planned = () => selectNodes(index).where(isKind).orderBy('node.nextTryAt').orderBy('node.id')
    const due = planned().where('node.nextTryAt', '<=', now.getTime())
    nodes.push(...(await due.limit(limit - nodes.length).execute()))
    const tooFar = planned().where('node.nextTryAt', '>', now.getTime() + most)
    nodes.push(...(await tooFar.limit(limit - nodes.length).execute()))
  }
  return nodes.map(readNodeToRead)
}

/**
 * The nodes to read first, in parts: all feeds, then those on posts since an instant, the newest first, and those that
 * something came from since. With `domain` only those of one server, and of the accounts there.
 */
export async function* listRecentNodes(
  index: IndexDb,
  { since, domain }: { since: Date; domain?: string | undefined },
): AsyncGenerator<NodeToRead[]> {
  const seen = new Set<number>()
  for (const list of [listFeedsFrom, listPostedFrom, listHeardFrom]) {
    for await (const rows of list(index, { since: since.getTime(), domain })) {
      const isOurs = ({ id, service }: Selected) => {
        return !seen.has(id) && (domain === undefined || domainOf(service) === domain)
      }
      const fresh = rows.filter(isOurs)
      for (const { id } of fresh) seen.add(id)
      if (fresh.length > 0) yield fresh.map(readNodeToRead)
    }
  }
}

interface Recent {
  /** Milliseconds. */
  readonly since: number
  readonly domain: string | undefined
}

async function* listFeedsFrom(index: IndexDb, { domain }: Partial<Recent> = {}): AsyncGenerator<Selected[]> {
  yield* inSlices((last?: Selected) => {
    const feeds = selectNodes(index)
      .where(IS_FEED)
      .where('node.id', '>', last?.id ?? 0)
    const ours = domain === undefined ? feeds : feeds.where(SERVER, '=', domain)
    return ours.orderBy('node.id').limit(SLICE).execute()
  })
}

/** A node comes again for each post that links to it. */
async function* listPostedFrom(index: IndexDb, { since }: Recent): AsyncGenerator<Selected[]> {
  yield* inSlices((last?: Selected & { readonly postId: number }) => {
    const posts = index
      .selectFrom('entry')
      .innerJoin('node', (join) =>
        join.onRef('node.service', '=', 'entry.commentsService').onRef('node.node', '=', 'entry.commentsNode'),
      )
      .selectAll('node')
      .select(['entry.id as postId', 'entry.arrivedAt as postedAt'])
      .where(sql<boolean>`entry.comments_node IS NOT NULL`)
      // In another form than the conditions of indexes of nodes: it begins with the posts.
      .where('node.kind', 'in', THREAD_KINDS)
      .where('node.status', '!=', 'deleted')
      .where('entry.arrivedAt', '>=', since)
    const older = last && sql<boolean>`(entry.arrived_at, entry.id) < (${last.postedAt}, ${last.postId})`
    const query = older === undefined ? posts : posts.where(older)
    return query.orderBy('entry.arrivedAt', 'desc').orderBy('entry.id', 'desc').limit(SLICE).execute()
  })
}

async function* listHeardFrom(index: IndexDb, { since }: Recent): AsyncGenerator<Selected[]> {
  yield* inSlices((last?: Selected) => {
    const heard = selectNodes(index).where(IS_THREAD).where('node.heardAt', '>=', since)
    const older = last && sql<boolean>`(node.heard_at, node.id) < (${last.heardAt}, ${last.id})`
    const query = older === undefined ? heard : heard.where(older)
    return query.orderBy('node.heardAt', 'desc').orderBy('node.id', 'desc').limit(SLICE).execute()
  })
}

async function* inSlices<Row>(read: (last?: Row) => Promise<Row[]>): AsyncGenerator<Row[]> {
  const pause = createSlices()
  for (let rows = await read(); rows.length > 0; rows = await read(rows.at(-1))) {
    yield rows
    if (rows.length < SLICE) return
    await pause()
  }
}

function selectNodes(index: IndexDb) {
  return index
    .selectFrom('node')
    .selectAll('node')
    .select((is) => newestPost(is).as('postedAt'))
}

type Selected = Awaited<ReturnType<ReturnType<typeof selectNodes>['executeTakeFirstOrThrow']>>

function readNodeToRead(row: Selected): NodeToRead {
  return { ...readNode(row), postedAt: dateOf(row.postedAt) }
}

/** When the newest post that links to a node for its comments became news. */
function newestPost({ selectFrom }: ExpressionBuilder<IndexSchema, 'node'>) {
  return selectFrom('entry')
    .select(({ fn }) => fn.max<number | null>('entry.arrivedAt').as('newest'))
    .whereRef('entry.commentsService', '=', 'node.service')
    .whereRef('entry.commentsNode', '=', 'node.node')
}

/** Every node but rooms and lost threads, in parts, feeds first. */
export async function* listNodes(index: IndexDb): AsyncGenerator<NodeRow[]> {
  for await (const rows of listFeedsFrom(index)) yield rows.map(readNode)
  const threads = inSlices((last?: { readonly id: number }) => {
    const query = index
      .selectFrom('node')
      .selectAll()
      .where('id', '>', last?.id ?? 0)
    // In another form than the conditions of indexes, which have them in no order of theirs.
    const known = query.where('kind', 'in', THREAD_KINDS).where('status', '!=', 'deleted')
    return known.orderBy('id').limit(SLICE).execute()
  })
  for await (const rows of threads) yield rows.map(readNode)
}

/** One of them. */
export async function findNodeToRead(index: IndexDb, { service, node }: NodeAddress): Promise<NodeToRead | undefined> {
  const query = selectNodes(index).where('node.service', '=', service).where('node.node', '=', node)
  const row = await query.executeTakeFirst()
  return row && readNodeToRead(row)
}

/** A server does not answer, which goes for every feed there. */
export async function noteUnreachable(index: IndexDb, domain: string, problem: string): Promise<void> {
  const query = index.updateTable('node').set({ problem }).where(IS_FEED).where('problem', 'is', null)
  await query.where(SERVER, '=', domain).execute()
}

/** None of these is due before then. */
export async function postponeNodes(index: IndexDb, ids: readonly number[], until: Date): Promise<void> {
  await index.updateTable('node').set({ nextTryAt: until.getTime() }).where(isOneOf('id', ids)).execute()
}

/** Nodes whose reading is not done, or that are to be compared as a whole, in no order: one server is not all. */
export async function listUnreadNodes(
  index: IndexDb,
  { now, longest, limit }: DueNodes<number>,
): Promise<NodeAddress[]> {
  const planned = index
    .selectFrom('node')
    .select(['service', 'node'])
    .where('status', 'in', ['open', 'restricted', 'hidden'])
    .orderBy('deepDueAt')
  const due = planned.where('deepDueAt', '<=', now.getTime()).limit(DRAWN_FROM)
  const drawn = index.selectFrom(due.as('due')).selectAll().orderBy(sql`random()`)
  const nodes = await drawn.limit(limit).execute()
  const tooFar = planned.where('deepDueAt', '>', now.getTime() + longest)
  return [...nodes, ...(await tooFar.limit(limit - nodes.length).execute())]
}

/**
 * Their events may have been missed: each is read, and compared as a whole, within so many milliseconds, not all at
 * once. In slices; those that are due by then anyway stay as they are.
 */
export async function spreadReadings(
  index: IndexDb,
  { now, within, domain }: { now: Date; within: number; domain?: string | undefined },
): Promise<void> {
  const pause = createSlices()
  const at = sql<number>`${now.getTime()} + abs(random() % ${within})`
  const isOurs = domain === undefined ? undefined : sql<boolean>`${SERVER} = ${domain}`
  for (const column of ['nextTryAt', 'deepDueAt'] as const) {
    for (const isKind of isOurs === undefined && column === 'nextTryAt' ? [IS_FEED, IS_THREAD] : [isOurs]) {
      let changed = 0n
      do {
        let later = index
          .selectFrom('node')
          .select('node.id')
          .where(column, '>', now.getTime() + within)
          .limit(SLICE)
        if (isKind !== undefined) later = later.where(isKind)
        const query = index
          .updateTable('node')
          .set({ [column]: at })
          .where('id', 'in', later)
        changed = (await query.executeTakeFirst()).numUpdatedRows
        await pause()
      } while (changed > 0n)
    }
  }
}
