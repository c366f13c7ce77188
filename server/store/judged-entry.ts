import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import { type BareJid, localPart } from '#shared/jid.ts'
import type { SafeHtml } from '#shared/markup.ts'
import type { IndexDb } from './database.ts'
import type { Hold, IndexSchema, NodeTable } from './index-schema.ts'
import { isAmong } from './json-list.ts'
import { findLastEntryId } from './news.ts'

/** An entry with what is decided by, whether it is shown or not. */
export interface JudgedEntry {
  readonly id: number
  readonly address: ItemAddress
  readonly kind: NodeTable['kind']
  /** Of its node. */
  readonly owner?: BareJid
  readonly isPost: boolean
  readonly hold?: Hold
  readonly author?: BareJid
  readonly publisher?: BareJid
  readonly contributor?: BareJid
  readonly claimedName?: string
  readonly name?: string
  readonly title: string
  readonly excerpt: string
  readonly html: SafeHtml
  readonly language?: string
  readonly published: Date
  readonly payload: string
  /** Of a message in a room: the post that it answers. */
  readonly root?: ItemAddress
  /** Of a repost: the original. */
  readonly via?: ItemAddress
  /** What its profile keeps: JSON. */
  readonly more: string
}

/** Entries that one statement looks at. */
const SLICE = 1_000

type Judged = Pick<IndexSchema, 'entry' | 'node'>

export async function findJudged(index: IndexDb, address: ItemAddress): Promise<JudgedEntry | undefined> {
  return (await listJudged(index, [address]))[0]
}

/** Those of them that the index has, in no order. */
export async function listJudged(index: IndexDb, addresses: readonly ItemAddress[]): Promise<JudgedEntry[]> {
  const rows = await selectJudged(index)
    .where(isAmong(['node.service', 'node.node', 'entry.item'], addresses))
    .execute()
  return rows.map(readJudged)
}

/** By one account, or with a domain by everybody of a server and those below it; and what repeats it. In parts. */
export function listJudgedOf(index: IndexDb, who: BareJid): AsyncGenerator<JudgedEntry[]> {
  const isOf = (column: string) =>
    localPart(who) !== undefined
      ? sql<boolean>`${sql.ref(column)} = ${who}`
      : sql<boolean>`(${domain(column)} = ${who} OR substr(${domain(column)}, ${-who.length - 1}) = ${`.${who}`})`
  const columns = ['entry.publisher', 'entry.author', 'entry.contributor', 'node.service', 'entry.viaService']
  return listInSlices(index, ({ or }) => or(columns.map(isOf)))
}

/** All of a node, and what repeats it. In parts. */
export function listJudgedOn(index: IndexDb, { service, node }: NodeAddress): AsyncGenerator<JudgedEntry[]> {
  return listInSlices(index, ({ and, or }) =>
    or([
      and({ 'node.service': service, 'node.node': node }),
      and({ 'entry.viaService': service, 'entry.viaNode': node }),
    ]),
  )
}

/** Matches may be anywhere among all entries: each statement looks at `SLICE` of them. */
async function* listInSlices(
  index: IndexDb,
  isSought: (builder: ExpressionBuilder<Judged, keyof Judged>) => Expression<SqlBool>,
): AsyncGenerator<JudgedEntry[]> {
  const pause = createSlices()
  const last = await findLastEntryId(index)
  for (let after = 0; after < last; after += SLICE) {
    const slice = selectJudged(index)
      .where('entry.id', '>', after)
      .where('entry.id', '<=', after + SLICE)
    const rows = await slice.where(isSought).orderBy('entry.id').execute()
    if (rows.length > 0) yield rows.map(readJudged)
    await pause()
  }
}

/** With `arrivedAt`, it is news from then on. */
export async function saveHold(
  index: IndexDb,
  id: number,
  { hold, arrivedAt }: { hold: Hold | null; arrivedAt?: Date },
): Promise<void> {
  const news = arrivedAt === undefined ? {} : { arrivedAt: arrivedAt.getTime() }
  await index
    .updateTable('entry')
    .set({ hold, ...news })
    .where('id', '=', id)
    .execute()
}

function domain(column: string) {
  return sql`substr(${sql.ref(column)}, instr(${sql.ref(column)}, '@') + 1)`
}

function selectJudged(index: IndexDb) {
  return (index.selectFrom('entry') as SelectQueryBuilder<IndexSchema, 'entry', object>)
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .leftJoin('person', 'person.jid', 'entry.author')
    .selectAll('entry')
    .select(['node.service', 'node.node', 'node.kind', 'node.owner', 'person.name as personName'])
}

type Selected = Awaited<ReturnType<ReturnType<typeof selectJudged>['executeTakeFirstOrThrow']>>

function readJudged(row: Selected): JudgedEntry {
  const { rootService, rootNode, rootItem, viaService, viaNode, viaItem } = row
  const hasRoot = rootService !== null && rootNode !== null && rootItem !== null
  const hasVia = viaService !== null && viaNode !== null && viaItem !== null
  return {
    id: row.id,
    address: { service: row.service, node: row.node, item: row.item },
    kind: row.kind,
    owner: row.owner ?? undefined,
    isPost: row.isPost === 1,
    hold: row.hold ?? undefined,
    author: row.author ?? undefined,
    publisher: row.publisher ?? undefined,
    contributor: row.contributor ?? undefined,
    claimedName: row.claimedName ?? undefined,
    name: row.personName ?? undefined,
    title: row.title,
    excerpt: row.excerpt,
    html: row.html,
    language: row.language ?? undefined,
    published: new Date(row.publishedAt),
    payload: row.payload,
    root: hasRoot ? { service: rootService, node: rootNode, item: rootItem } : undefined,
    via: hasVia ? { service: viaService, node: viaNode, item: viaItem } : undefined,
    more: row.more,
  }
}
