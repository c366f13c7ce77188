import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { StateDb } from './database.ts'
import type { OutboxRow } from './outbox.ts'

/** Says durably that the network may know of a row from now on; false where it no longer waits. */
export async function beginAttempt(state: StateDb, id: number): Promise<boolean> {
  const result = await state
    .updateTable('outbox')
    .set(({ eb }) => ({ attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('status', '=', 'waiting')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Makes everything an account has waiting due at once. */
export async function clearNextTries(state: StateDb, account: BareJid): Promise<void> {
  const query = state.updateTable('outbox').set({ nextTry: null }).where('account', '=', account)
  await query.where('status', '=', 'waiting').where('nextTry', 'is not', null).execute()
}

export async function updateOutboxRow(state: StateDb, id: number, changes: OutboxChanges): Promise<void> {
  const { nextTry, acknowledgedAt, ...others } = changes
  await state
    .updateTable('outbox')
    .set({
      ...others,
      ...(nextTry === undefined ? {} : { nextTry: nextTry?.toISOString() ?? null }),
      ...(acknowledgedAt === undefined ? {} : { acknowledgedAt: acknowledgedAt?.toISOString() ?? null }),
    })
    .where('id', '=', id)
    .execute()
}

/** Takes back what waits for an item and was never begun, so that nobody can know of it. */
export async function deleteUnbegun(
  state: StateDb,
  { account, address, kind }: { account: BareJid; address: ItemAddress; kind: OutboxRow['kind'] },
): Promise<void> {
  await state
    .deleteFrom('outbox')
    .where('account', '=', account)
    .where('kind', '=', kind)
    .where('status', '=', 'waiting')
    .where('attempts', '=', 0)
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .where('item', '=', address.item)
    .execute()
}

/** Takes back what waits for an item, begun or not: a newer row of the kind does what is wanted now. */
export async function deleteWaiting(
  state: StateDb,
  { account, address, kind }: { account: BareJid; address: ItemAddress; kind: OutboxRow['kind'] },
): Promise<void> {
  const query = state.deleteFrom('outbox').where('account', '=', account).where('kind', '=', kind)
  await query
    .where('status', '=', 'waiting')
    .where('service', '=', address.service)
    .where('node', '=', address.node)
    .where('item', '=', address.item)
    .execute()
}

/** Forgets what was done long ago; forms that old are not sent again. */
export async function deleteDoneBefore(state: StateDb, at: Date): Promise<void> {
  const query = state.deleteFrom('outbox').where('status', '=', 'done')
  await query.where('createdAt', '<', at.toISOString()).execute()
}

/** Forgets what was refused, or was sent and does not show here, at its author's word; what waits stays. */
export async function deleteRefused(state: StateDb, account: BareJid, id: number): Promise<void> {
  const query = state.deleteFrom('outbox').where('id', '=', id)
  const isEnded = query.where('account', '=', account).where('status', '!=', 'waiting')
  await isEnded.where('problem', 'is not', null).execute()
}

export interface OutboxChanges {
  readonly status?: OutboxRow['status']
  readonly reason?: string | null
  readonly problem?: string | null
  readonly attempts?: number
  readonly nextTry?: Date | null
  readonly acknowledgedAt?: Date | null
  readonly task?: string
}
