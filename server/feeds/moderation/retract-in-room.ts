import type { OutboxRow } from '#server/store/outbox.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import type { QueueDeps } from '../outbox-deps.ts'

// TODO: by way of the rooms, once they are there.
export async function queueRoomRetraction(
  _deps: QueueDeps,
  _retraction: { by: BareJid; address: ItemAddress },
): Promise<OutboxRow | undefined> {
  return undefined
}
