import type { Selectable, Updateable } from 'kysely'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { FollowTable } from './state-schema.ts'

/** The follower of what the operator's command follows: the site itself. */
export const SITE = ''

/** What somebody follows, and how that stands. */
export interface Follow {
  readonly follower: BareJid | typeof SITE
  readonly address: NodeAddress
  /** As its follower knows it. */
  readonly title?: string
  /** Its Atom feed on the web, where it is known. */
  readonly feedUrl?: string
  readonly since: Date
  /** Of the follower's own account. */
  readonly subscription: 'none' | 'pending' | 'subscribed' | 'refused'
  readonly problem?: string
  /** Whether it is in the list on the follower's own account. */
  readonly isListed: boolean
  /** Whether it was in the list there that contacts may read (XEP-0330), when that was last read. */
  readonly isShown: boolean
}

export interface NewFollow extends Pick<Follow, 'follower' | 'address' | 'title' | 'feedUrl' | 'since'> {
  readonly isListed?: boolean
  readonly isShown?: boolean
}

/** From now on; `known` if it was followed before, and is left as it was. */
export async function addFollow(state: StateDb, follow: NewFollow): Promise<'added' | 'known'> {
  const { follower, address, title = null, feedUrl = null, since, isListed = false, isShown = false } = follow
  const { service, node } = address
  const values = {
    ...{ follower, service, node, title, feedUrl, since: since.toISOString() },
    ...{ isListed: Number(isListed), isShown: Number(isShown) },
  }
  const result = await state
    .insertInto('follow')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n ? 'added' : 'known'
}

export async function findFollow(
  state: StateDb,
  follower: Follow['follower'],
  { service, node }: NodeAddress,
): Promise<Follow | undefined> {
  const row = await state
    .selectFrom('follow')
    .selectAll()
    .where('follower', '=', follower)
    .where('service', '=', service)
    .where('node', '=', node)
    .executeTakeFirst()
  return row && readFollow(row)
}

/** Of one follower, in the order they came. */
export async function listFollows(state: StateDb, follower: Follow['follower']): Promise<Follow[]> {
  const query = state.selectFrom('follow').selectAll().where('follower', '=', follower)
  return (await query.orderBy('since').orderBy('service').orderBy('node').execute()).map(readFollow)
}

export async function updateFollow(
  state: StateDb,
  { follower, address }: Pick<Follow, 'follower' | 'address'>,
  changes: Updateable<FollowTable>,
): Promise<void> {
  await state
    .updateTable('follow')
    .set(changes)
    .where('follower', '=', follower)
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .execute()
}

/** Marks all that somebody follows as absent from the list for contacts. */
export async function forgetShown(state: StateDb, follower: BareJid): Promise<void> {
  await state.updateTable('follow').set({ isShown: 0 }).where('follower', '=', follower).execute()
}

export async function deleteFollow(
  state: StateDb,
  { follower, address }: Pick<Follow, 'follower' | 'address'>,
): Promise<void> {
  await state
    .deleteFrom('follow')
    .where('follower', '=', follower)
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .execute()
}

function readFollow(row: Selectable<FollowTable>): Follow {
  return {
    follower: row.follower,
    address: { service: row.service, node: row.node },
    title: row.title ?? undefined,
    feedUrl: row.feedUrl ?? undefined,
    since: new Date(row.since),
    subscription: row.subscription,
    problem: row.problem ?? undefined,
    isListed: row.isListed === 1,
    isShown: row.isShown === 1,
  }
}
