import type { Selectable } from 'kysely'
import { createSlices } from '#server/slices.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { OutboxTable } from './state-schema.ts'

export * from './outbox-changes.ts'

/** Rows that one statement counts, or lists. */
const COUNTED_AT_ONCE = 1_000

/** Something that an account wants on the network. */
export interface OutboxRow {
  readonly id: number
  /** By whose session it is done, and no other. */
  readonly account: BareJid
  readonly formKey: string
  readonly kind: OutboxTable['kind']
  readonly address: ItemAddress
  readonly status: OutboxTable['status']
  /** A word for `problem`: an error's code, `signed-out` or `needs-consent`. */
  readonly reason?: string
  /** Why it waits or was refused, in a sentence. */
  readonly problem?: string
  /** How often it was begun: after the first time the network may know it. */
  readonly attempts: number
  readonly nextTry?: Date
  readonly createdAt: Date
  readonly acknowledgedAt?: Date
  /** JSON of the feeds room. */
  readonly task: string
}

export interface NewOutboxRow {
  readonly account: BareJid
  readonly formKey: string
  readonly kind: OutboxRow['kind']
  readonly address: ItemAddress
  readonly task: string
  readonly createdAt: Date
}

export interface OutboxCount extends Pick<OutboxRow, 'kind' | 'status'> {
  readonly count: number
  readonly oldest: Date
}

/** How many rows there are of each kind and status, and since when the oldest of them. */
export async function countOutbox(state: StateDb): Promise<OutboxCount[]> {
  const pause = createSlices()
  const counts = new Map<string, OutboxCount>()
  for (let after: number | undefined = 0; after !== undefined; ) {
    const slice = state.selectFrom('outbox').select(['id', 'kind', 'status', 'createdAt']).where('id', '>', after)
    const rows: {
      kind: OutboxRow['kind']
      status: OutboxRow['status']
      count: number
      oldest: string
      last: number
    }[] = await state
      .selectFrom(slice.orderBy('id').limit(COUNTED_AT_ONCE).as('slice'))
      .select(({ fn }) => [
        ...(['kind', 'status', fn.countAll<number>().as('count')] as const),
        ...[fn.min('createdAt').as('oldest'), fn.max('id').as('last')],
      ])
      .groupBy(['kind', 'status'])
      .execute()
    for (const { kind, status, count, oldest } of rows) {
      const former = counts.get(`${kind} ${status}`)
      const since = new Date(Math.min(Date.parse(oldest), former?.oldest.getTime() ?? Number.POSITIVE_INFINITY))
      counts.set(`${kind} ${status}`, { kind, status, count: count + (former?.count ?? 0), oldest: since })
    }
    after = rows.length === 0 ? undefined : Math.max(...rows.map(({ last }) => last))
    await pause()
  }
  return [...counts.values()]
}

/** Stores the row, or returns the one that this form made before: a form counts once. */
export async function addOutboxRow(state: StateDb, row: NewOutboxRow): Promise<OutboxRow> {
  const { account, formKey, kind, address, task, createdAt } = row
  const { service, node, item } = address
  await state
    .insertInto('outbox')
    .values({
      account,
      formKey,
      kind,
      service,
      node,
      item,
      task,
      status: 'waiting',
      createdAt: createdAt.toISOString(),
    })
    .onConflict((conflict) => conflict.columns(['account', 'formKey']).doNothing())
    .execute()
  return (await findOutboxForm(state, account, formKey)) as OutboxRow
}

export async function findOutboxRow(state: StateDb, id: number): Promise<OutboxRow | undefined> {
  const row = await state.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirst()
  return row && readOutboxRow(row)
}

export async function findOutboxForm(
  state: StateDb,
  account: BareJid,
  formKey: string,
): Promise<OutboxRow | undefined> {
  const query = state.selectFrom('outbox').selectAll().where('account', '=', account).where('formKey', '=', formKey)
  const row = await query.executeTakeFirst()
  return row && readOutboxRow(row)
}

/** What is asked of the servers of others, which may be away for long: nothing of what people publish. */
const ABROAD = ['follow', 'unfollow'] as const

/** Whether a row that waits keeps something of somebody's from being published. */
export function isPublication({ kind }: Pick<OutboxRow, 'kind'>): boolean {
  return !ABROAD.some((each) => each === kind)
}

/**
 * Rows of an account that wait, were refused, or were sent and do not show here, newest first. Follows are left out:
 * they tell their own state.
 */
export async function listOutbox(state: StateDb, account: BareJid): Promise<OutboxRow[]> {
  const rows = await state
    .selectFrom('outbox')
    .selectAll()
    .where('account', '=', account)
    .where(({ eb }) => eb.or([eb('status', '!=', 'done'), eb('problem', 'is not', null)]))
    .where('kind', 'not in', ABROAD)
    .orderBy('id', 'desc')
    .limit(200)
    .execute()
  return rows.map(readOutboxRow)
}

/** Every row that is stored later has a greater one; 0 where there was none ever. */
export async function findLastOutboxId(state: StateDb): Promise<number> {
  const query = state.selectFrom('outbox').select(({ fn }) => fn.max<number | null>('id').as('last'))
  return (await query.executeTakeFirst())?.last ?? 0
}

/** A row that waits, without what it has to say: that may be long, and is looked at often. */
export type WaitingRow = Pick<OutboxRow, 'id' | 'account' | 'kind' | 'address' | 'nextTry'>

/** In the order they were stored; read from the index `outbox_waiting` alone. */
export async function listWaitingRows(state: StateDb, account: BareJid): Promise<WaitingRow[]> {
  const rows = await state
    .selectFrom('outbox')
    .select(['id', 'account', 'kind', 'service', 'node', 'item', 'nextTry'])
    .where('status', '=', 'waiting')
    .where('account', '=', account)
    .orderBy('id')
    .execute()
  return rows.map(({ id, account, kind, service, node, item, nextTry }) => {
    return { id, account, kind, address: { service, node, item }, nextTry: readDate(nextTry) }
  })
}

export async function listWaitingAccounts(state: StateDb): Promise<BareJid[]> {
  const rows = await state.selectFrom('outbox').select('account').distinct().where('status', '=', 'waiting').execute()
  return rows.map((row) => row.account)
}

/** In the order they were stored. */
export async function listWaiting(state: StateDb, account: BareJid): Promise<OutboxRow[]> {
  const rows = await state
    .selectFrom('outbox')
    .selectAll()
    .where('status', '=', 'waiting')
    .where('account', '=', account)
    .orderBy('id')
    .execute()
  return rows.map(readOutboxRow)
}

/** What is or was to be done with an item, newest first. */
export async function listOutboxOf(state: StateDb, { service, node, item }: ItemAddress): Promise<OutboxRow[]> {
  const rows = await state
    .selectFrom('outbox')
    .selectAll()
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .orderBy('id', 'desc')
    .execute()
  return rows.map(readOutboxRow)
}

/** What an account had to do at a node since an instant. */
export async function listOutboxSince(
  state: StateDb,
  { account, address, since }: { account: BareJid; address: NodeAddress; since: Date },
): Promise<OutboxRow[]> {
  const query = state.selectFrom('outbox').selectAll().where('account', '=', account)
  const rows = await query
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .where('createdAt', '>=', since.toISOString())
    .execute()
  return rows.map(readOutboxRow)
}

/** Everything that was done and seen, in order, in parts. */
export async function* listDone(state: StateDb): AsyncGenerator<OutboxRow[]> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const query = state.selectFrom('outbox').selectAll().where('id', '>', after)
    const rows: OutboxRow[] = (await query.orderBy('id').limit(COUNTED_AT_ONCE).execute()).map(readOutboxRow)
    yield rows.filter(({ status, problem }) => status === 'done' && problem === undefined)
    after = rows.at(-1)?.id
  }
}

/** What was acknowledged to an account at or after an instant, oldest first. */
export async function listAcknowledged(state: StateDb, account: BareJid, since: Date): Promise<OutboxRow[]> {
  const rows = await state
    .selectFrom('outbox')
    .selectAll()
    .where('account', '=', account)
    .where('acknowledgedAt', '>=', since.toISOString())
    .where('status', '=', 'done')
    .orderBy('id')
    .execute()
  return rows.map(readOutboxRow)
}

export async function listAcknowledgedAccounts(state: StateDb, since: Date): Promise<BareJid[]> {
  const query = state.selectFrom('outbox').select('account').distinct()
  const rows = await query.where('acknowledgedAt', '>=', since.toISOString()).where('status', '=', 'done').execute()
  return rows.map((row) => row.account)
}

function readOutboxRow(row: Selectable<OutboxTable>): OutboxRow {
  const { id, account, formKey, kind, service, node, item, status, attempts, task } = row
  return {
    ...{ id, account, formKey, kind, status, attempts, task },
    address: { service, node, item },
    reason: row.reason ?? undefined,
    problem: row.problem ?? undefined,
    nextTry: readDate(row.nextTry),
    createdAt: new Date(row.createdAt),
    acknowledgedAt: readDate(row.acknowledgedAt),
  }
}

function readDate(text: string | null): Date | undefined {
  return text === null ? undefined : new Date(text)
}
