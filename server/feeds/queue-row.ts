import { addOutboxRow, type NewOutboxRow, type OutboxRow } from '#server/store/outbox.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { QueueDeps } from './outbox-deps.ts'
import { type Task, writeTask } from './task.ts'

/** Of a row about a node as a whole. */
export function nodeRowAddress({ service, node }: NodeAddress): ItemAddress {
  return { service, node, item: asItemId('') }
}

/** Stores a row before anybody is told that it will be done. */
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
  const stored = await addOutboxRow(deps.state, row)
  deps.outbox?.wake(account)
  return stored
}
