import { type Insertable, type Selectable, sql, type Updateable } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { IndexDb } from './database.ts'
import type { Emptying, IndexSchema, Loss, NodeStatus, NodeTable } from './index-schema.ts'
import { deleteKnownName } from './known-name.ts'
import { IS_FEED } from './node-kind.ts'
import { addKnownPerson } from './person.ts'

/** Of a post on the wire, where none of the node was measured. */
const USUAL_BYTES = 2_000
/** Rows that one statement counts, or lists. */
const COUNTED_AT_ONCE = 2_000
const LISTED_AT_ONCE = 500

export interface NodeRow {
  readonly id: number
  readonly address: NodeAddress
  readonly kind: NodeTable['kind']
  readonly owner?: BareJid
  readonly type?: string
  readonly status: NodeStatus
  readonly isWaiting: boolean
  readonly subscription: 'none' | 'pending' | 'subscribed'
  readonly problem?: string
  readonly maxItems?: number
  readonly mostItems: number
  /** Milliseconds since the epoch; another process sets 0 to have the node read now. */
  readonly nextTryAt: number
  readonly metadataPayload?: string
  readonly title?: string
  readonly createdAt: Date
  readonly accessModel?: string
  readonly publishModel?: string
  readonly backfill: Selectable<NodeTable>['backfill']
  readonly backfillCursor?: string
  readonly itemCount?: number
  readonly averageBytes?: number
  /** Of what is here of it. */
  readonly bytes: number
  readonly infoReadAt?: Date
  readonly readAt?: Date
  readonly deepReadAt?: Date
  readonly deepDueAt?: Date
  readonly otherCount?: number
  readonly heardAt?: Date
  readonly purgedAt?: Date
  readonly archiveCursor?: string
  readonly mark?: string
  readonly unheardAt?: Date
  readonly hiddenAt?: Date
  readonly hiddenFor?: Loss
  readonly emptying?: Emptying
}

export async function findNode(index: IndexDb, { service, node }: NodeAddress): Promise<NodeRow | undefined> {
  const query = index.selectFrom('node').selectAll().where('service', '=', service).where('node', '=', node)
  const row = await query.executeTakeFirst()
  return row && readNode(row)
}

/** Makes the node known, so that what happens on it is indexed; one that is known stays as it is. */
export async function addNode(
  index: IndexDb,
  { address, kind, owner, now }: { address: NodeAddress; kind: NodeRow['kind']; owner?: BareJid; now: Date },
): Promise<'added' | 'known'> {
  const values: Insertable<IndexSchema['node']> = {
    service: address.service,
    node: address.node,
    kind,
    owner: owner ?? null,
    createdAt: now.getTime(),
  }
  const query = index
    .insertInto('node')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
  const result = await query.executeTakeFirst()
  if ((result.numInsertedOrUpdatedRows ?? 0n) === 0n) return 'known'
  if ((kind === 'blog' || kind === 'community') && owner !== undefined) await addKnownPerson(index, owner)
  return 'added'
}

export async function updateNode(
  index: IndexDb,
  { service, node }: NodeAddress,
  changes: Updateable<NodeTable>,
): Promise<void> {
  await index.updateTable('node').set(changes).where('service', '=', service).where('node', '=', node).execute()
}

/** Remembers how many items were on it, if never more were. */
export async function raiseMostItems(index: IndexDb, id: number, count: number): Promise<void> {
  await index
    .updateTable('node')
    .set({ mostItems: count })
    .where('id', '=', id)
    .where('mostItems', '<', count)
    .execute()
}

/** Whether it is a feed of posts: a blog or a community. */
export function isFeed({ kind }: Pick<NodeRow, 'kind'>): boolean {
  return kind === 'blog' || kind === 'community'
}

/** Whether items of a node are ingested. */
export function isRead({ status }: Pick<NodeRow, 'status'>): boolean {
  return status === 'open' || status === 'restricted'
}

/** How many nodes are read here, and about how many bytes all of their items have on the wire. */
export async function sumNodes(index: IndexDb): Promise<{ nodes: number; bytes: number }> {
  const pause = createSlices()
  const sum = { nodes: 0, bytes: 0 }
  const isRead = sql<boolean>`status IN ('open', 'restricted')`
  const bytes = sql<number>`coalesce(item_count, most_items) * coalesce(average_bytes, ${USUAL_BYTES})`
  for (let after: number | null = 0; after !== null; ) {
    const slice = index.selectFrom('node').selectAll().where('id', '>', after).orderBy('id').limit(COUNTED_AT_ONCE)
    const row: { last: number | null; nodes: number; bytes: number } = await index
      .selectFrom(slice.as('slice'))
      .select(({ fn }) => [
        fn.max<number | null>('id').as('last'),
        fn.countAll<number>().filterWhere(isRead).as('nodes'),
        fn.coalesce(fn.sum<number>(bytes).filterWhere(isRead), sql<number>`0`).as('bytes'),
      ])
      .executeTakeFirstOrThrow()
    sum.nodes += row.nodes
    sum.bytes += row.bytes
    after = row.last
    await pause()
  }
  return sum
}

/** Blogs and communities: everything but comments. */
export async function listFeedNodes(index: IndexDb): Promise<NodeRow[]> {
  const pause = createSlices()
  const nodes: NodeRow[] = []
  for (let rows: NodeRow[] | undefined; rows === undefined || rows.length === LISTED_AT_ONCE; ) {
    const query = index.selectFrom('node').selectAll().where(IS_FEED)
    const after = query
      .where('id', '>', nodes.at(-1)?.id ?? 0)
      .orderBy('id')
      .limit(LISTED_AT_ONCE)
    rows = (await after.execute()).map(readNode)
    nodes.push(...rows)
    await pause()
  }
  return nodes
}

/** How many blogs and communities cannot be read as they should. */
export async function countFeedProblems(index: IndexDb): Promise<number> {
  const query = index.selectFrom('node').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where(IS_FEED).where('problem', 'is not', null).executeTakeFirstOrThrow()).count
}

/** Forgets a node with everything on it. */
export async function deleteNode(index: IndexDb, { service, node }: NodeAddress): Promise<void> {
  await index.deleteFrom('node').where('service', '=', service).where('node', '=', node).execute()
  if (node === NS.MICROBLOG) await deleteKnownName(index, service)
}

/** A row as the other rooms know it. */
export function readNode(row: Selectable<NodeTable>): NodeRow {
  return {
    id: row.id,
    address: { service: row.service, node: row.node },
    kind: row.kind,
    owner: row.owner ?? undefined,
    type: row.type ?? undefined,
    status: row.status,
    isWaiting: row.isWaiting === 1,
    subscription: row.subscription,
    problem: row.problem ?? undefined,
    maxItems: row.maxItems ?? undefined,
    mostItems: row.mostItems,
    nextTryAt: row.nextTryAt,
    metadataPayload: row.metadataPayload ?? undefined,
    title: row.title ?? undefined,
    createdAt: new Date(row.createdAt),
    accessModel: row.accessModel ?? undefined,
    publishModel: row.publishModel ?? undefined,
    backfill: row.backfill,
    backfillCursor: row.backfillCursor ?? undefined,
    itemCount: row.itemCount ?? undefined,
    averageBytes: row.averageBytes ?? undefined,
    bytes: row.bytes,
    infoReadAt: dateOf(row.infoReadAt),
    readAt: dateOf(row.readAt),
    deepReadAt: dateOf(row.deepReadAt),
    deepDueAt: dateOf(row.deepDueAt),
    otherCount: row.otherCount ?? undefined,
    heardAt: dateOf(row.heardAt),
    purgedAt: dateOf(row.purgedAt),
    archiveCursor: row.archiveCursor ?? undefined,
    mark: row.mark ?? undefined,
    unheardAt: dateOf(row.unheardAt),
    hiddenAt: dateOf(row.hiddenAt),
    hiddenFor: row.hiddenFor ?? undefined,
    emptying: row.emptying ?? undefined,
  }
}

/** Of milliseconds since the epoch. */
export function dateOf(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds)
}
