import { randomUUID } from 'node:crypto'
import { UNBOUND } from '#server/store/keeps.ts'
import { addOutboxRow, deleteWaiting, findOutboxForm, type NewOutboxRow, type OutboxRow } from '#server/store/outbox.ts'
import { forgetOldest, requireSpace } from '#server/store/space-left.ts'
import { addressKey, asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { isAsked, type Task, writeTask } from './task.ts'

/** Of a row about a node as a whole. */
export function nodeRowAddress({ service, node }: NodeAddress): ItemAddress {
  return { service, node, item: asItemId('') }
}

/** Stores a row in place of those of its kind that wait for the same address: it is done as the state says then. */
export async function queueInstead(
  deps: QueueDeps,
  task: Task,
  { account, address }: { account: BareJid; address: ItemAddress },
): Promise<OutboxRow> {
  await deleteWaiting(deps.state, { account, address, kind: task.kind })
  return queue(deps, task, { account, address, key: `${addressKey(address)} ${randomUUID()}` })
}

/** Rows between two looks at whether what was done is too much to be kept. */
const TIDIED = 20

/** Stores a row before anybody is told that it will be done. Rejects with `too-many` or `too-large` where too much waits. */
export async function queue(
  deps: QueueDeps,
  task: Task,
  { account, address, key }: { account: BareJid; address: ItemAddress; key: string },
): Promise<OutboxRow> {
  const row: NewOutboxRow = {
    account,
    formKey: `${task.kind}:${key}`,
    kind: task.kind,
    address,
    task: writeTask(task),
    createdAt: deps.clock(),
  }
  const isCounted = !UNBOUND.some((kind) => kind === task.kind) || isAsked(task)
  if (isCounted && (await findOutboxForm(deps.state, account, row.formKey)) === undefined) {
    await requireSpace(deps, 'unsent', { account, row })
  }
  const stored = await addOutboxRow(deps.state, row)
  // Not each time: it looks at all rows of the account.
  if (stored.id % TIDIED === 0) await forgetOldest(deps, 'sent', account)
  deps.outbox?.wake(account)
  return stored
}
