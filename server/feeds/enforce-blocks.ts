import { createHash } from 'node:crypto'
import { describeError } from '#server/errors.ts'
import { findNode, isFeed } from '#server/store/node.ts'
import { addressKey } from '#shared/address.ts'
import { BLOCKED_TOPIC, type LiveEvent } from './live.ts'
import { queueRoomRetraction } from './moderation/retract-in-room.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { queue } from './queue-row.ts'

/**
 * Takes the posts and comments of people who are shut out off the node, by the session of who shut them out; returns the way to
 * stop. COMPAT(ejabberd 24.12, Prosody 13): where everybody may publish they let outcasts too.
 */
export function enforceBlocks(deps: OutboxDeps): () => void {
  return deps.live.subscribe(BLOCKED_TOPIC, (event) => {
    if (event.kind !== 'blocked') return
    enforce(deps, event).catch((error: unknown) => {
      deps.log.error(`A post of somebody who is blocked stays: ${describeError(error)}`)
    })
  })
}

async function enforce(
  deps: OutboxDeps,
  { address, by, payload }: Extract<LiveEvent, { kind: 'blocked' }>,
): Promise<void> {
  const version = createHash('sha256').update(payload).digest('base64url').slice(0, 16)
  const node = await findNode(deps.index, address)
  const kind = node === undefined || isFeed(node) ? 'delete' : 'remove-comment'
  if (node?.kind === 'room') {
    await queueRoomRetraction(deps, { by, address })
    return
  }
  await queue(deps, { kind }, { account: by, address, key: `block ${addressKey(address)} ${version}` })
}
