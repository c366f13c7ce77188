import { type Insertable, type Selectable, type SqlBool, sql } from 'kysely'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import { isOneOf } from './json-list.ts'
import type { NotificationTable } from './state-schema.ts'

export type NotificationRow = Selectable<NotificationTable>
export type NewNotification = Insertable<NotificationTable>
export type NotificationKind = NotificationTable['kind']

/** A place in somebody's list, which is in the order of `at`. */
export type NotificationPlace = Pick<NotificationRow, 'at' | 'id'>

/** What somebody said under a post: a person hears of it once, as whatever concerns them most. */
export const SAID_KINDS = ['comment', 'reply', 'mention'] as const

// SQLite takes 32,766 values in one statement.
const AT_ONCE = 1_000

/** Those that are new, without their columns for later; what is known already stays as it is. */
export async function addNotifications(
  state: StateDb,
  rows: readonly NewNotification[],
): Promise<{ id: number; jid: BareJid }[]> {
  const added: { id: number; jid: BareJid }[] = []
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const query = state.insertInto('notification').values(rows.slice(from, from + AT_ONCE))
    added.push(
      ...(await query
        .onConflict((conflict) => conflict.doNothing())
        .returning(['id', 'jid'])
        .execute()),
    )
  }
  return added
}

/** Who has heard of what was said there. */
export async function listWhoHeard(state: StateDb, { service, node, item }: ItemAddress): Promise<Set<BareJid>> {
  const rows = await state
    .selectFrom('notification')
    .select('jid')
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .where('kind', 'in', SAID_KINDS)
    .execute()
  return new Set(rows.map(({ jid }) => jid))
}

/** What strangers can make as many of as they like. */
const BURSTS = ['reaction', 'held', 'mention', 'repost', 'follower', 'report'] as const

/** Keeps somebody's newest ones, and of what comes in bursts fewer of each kind: a burst of them ends nothing else. */
export async function pruneNotifications(
  state: StateDb,
  jid: BareJid,
  { most, mostOfBurst }: { most: number; mostOfBurst: number },
): Promise<void> {
  const older = (limit: number, of: readonly NotificationKind[] | undefined) => {
    let kept = state.selectFrom('notification').select('id').where('jid', '=', jid)
    if (of !== undefined) kept = kept.where('kind', 'in', of)
    // Of one time those that were first: they do not come back when the others are told once more.
    return kept.orderBy('at', 'desc').orderBy('id').limit(-1).offset(limit)
  }
  for (const kind of BURSTS) {
    await state
      .deleteFrom('notification')
      .where('id', 'in', older(mostOfBurst, [kind]))
      .execute()
  }
  await state.deleteFrom('notification').where('id', 'in', older(most, undefined)).execute()
}

/** `most` ends the counting. */
export async function countUnread(state: StateDb, jid: BareJid, most: number): Promise<number> {
  const { count } = await state
    .selectFrom((from) =>
      from
        .selectFrom('notification')
        .select('id')
        .where('jid', '=', jid)
        .where('readAt', 'is', null)
        .limit(most)
        .as('unread'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Newest first. */
export async function listNotifications(
  state: StateDb,
  jid: BareJid,
  { before, limit }: { before?: NotificationPlace | undefined; limit: number },
): Promise<NotificationRow[]> {
  let query = state.selectFrom('notification').selectAll().where('jid', '=', jid)
  if (before !== undefined) query = query.where(sql<SqlBool>`(at, id) < (${before.at}, ${before.id})`)
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

/** Everything that somebody was shown; returns how many were new to them. */
export async function markNotificationsRead(
  state: StateDb,
  jid: BareJid,
  { until, now }: { until: NotificationPlace; now: Date },
): Promise<number> {
  const result = await state
    .updateTable('notification')
    .set({ readAt: now.toISOString() })
    .where('jid', '=', jid)
    .where('readAt', 'is', null)
    .where(sql<SqlBool>`(at, id) <= (${until.at}, ${until.id})`)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Everything about one post. */
export async function markPostRead(
  state: StateDb,
  jid: BareJid,
  { post, now }: { post: ItemAddress; now: Date },
): Promise<number> {
  const isOf = (service: 'service' | 'postService', node: 'node' | 'postNode', item: 'item' | 'postItem') =>
    sql<SqlBool>`(${sql.ref(service)}, ${sql.ref(node)}, ${sql.ref(item)}) = (${post.service}, ${post.node}, ${post.item})`
  const result = await state
    .updateTable('notification')
    .set({ readAt: now.toISOString() })
    .where('jid', '=', jid)
    .where('readAt', 'is', null)
    .where('kind', 'in', [...SAID_KINDS, 'reaction', 'repost'])
    .where(({ or }) => or([isOf('service', 'node', 'item'), isOf('postService', 'postNode', 'postItem')]))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Takes back what was said of an item that nobody is shown any more, or that somebody decided about; whom it concerns. */
export async function forgetNotifications(
  state: StateDb,
  { service, node, item }: ItemAddress,
  kinds: readonly NotificationKind[],
): Promise<BareJid[]> {
  const rows = await state
    .deleteFrom('notification')
    .where('service', '=', service)
    .where('node', '=', node)
    .where('item', '=', item)
    .where('kind', 'in', kinds)
    .returning('jid')
    .execute()
  return [...new Set(rows.map(({ jid }) => jid))]
}

/** What is still to be sent to those who wish for messages: unread, oldest first. */
export async function listUnsent(state: StateDb, jid: BareJid, limit: number): Promise<NotificationRow[]> {
  return selectUnsent(state).selectAll().where('jid', '=', jid).orderBy('at').orderBy('id').limit(limit).execute()
}

/** Who has something to be sent. */
export async function listWhoWaits(state: StateDb): Promise<BareJid[]> {
  const rows = await selectUnsent(state)
    .select('jid')
    .distinct()
    .where('jid', 'in', ({ selectFrom }) =>
      // With a literal, as in the condition of its index.
      selectFrom('reader').select('reader.jid').where(sql<boolean>`notifies_by_message = 1`),
    )
    .execute()
  return rows.map(({ jid }) => jid)
}

function selectUnsent(state: StateDb) {
  return state.selectFrom('notification').where('sentAt', 'is', null).where('readAt', 'is', null)
}

/** With null they are to be sent after all. */
export async function markSent(state: StateDb, ids: readonly number[], sentAt: Date | null): Promise<void> {
  await state
    .updateTable('notification')
    .set({ sentAt: sentAt?.toISOString() ?? null })
    .where(isOneOf('id', ids))
    .execute()
}

/** That somebody wishes for messages from now on, or no longer: what there was until then is not sent. */
export async function saveNotifiesByMessage(state: StateDb, jid: BareJid, wishes: boolean, now: Date): Promise<void> {
  const notifiesByMessage = Number(wishes)
  await state.transaction().execute(async (db) => {
    await db
      .updateTable('notification')
      .set({ sentAt: now.toISOString() })
      .where('jid', '=', jid)
      .where('sentAt', 'is', null)
      .execute()
    await db
      .insertInto('reader')
      .values({ jid, notifiesByMessage })
      .onConflict((conflict) => conflict.column('jid').doUpdateSet({ notifiesByMessage }))
      .execute()
  })
}

export async function notifiesByMessage(state: StateDb, jid: BareJid): Promise<boolean> {
  const row = await state.selectFrom('reader').select('notifiesByMessage').where('jid', '=', jid).executeTakeFirst()
  return row?.notifiesByMessage === 1
}
