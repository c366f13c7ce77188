import { describeError } from '#server/errors.ts'
import { findBlock } from '#server/store/community.ts'
import { findPost } from '#server/store/post.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { POSTS_TOPIC } from './live.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import { queue } from './queue-row.ts'

/**
 * Takes the posts of people who are shut out off the node again, by the session of who shut them out; returns the way to
 * stop. COMPAT(ejabberd 24.12, Prosody 13): where everybody may publish they let outcasts too.
 */
export function enforceBlocks(deps: OutboxDeps): () => void {
  return deps.live.subscribe(POSTS_TOPIC, (event) => {
    if (event.kind !== 'post-added' && event.kind !== 'post-changed') return
    enforce(deps, event.address).catch((error: unknown) => {
      deps.log.error(`A post of somebody who is blocked stays: ${describeError(error)}`)
    })
  })
}

async function enforce(deps: OutboxDeps, address: ItemAddress): Promise<void> {
  const post = await findPost(deps.index, address)
  if (post === undefined || post === 'gone' || post.publisher === undefined) return
  const by = await findBlock(deps.state, address, post.publisher)
  if (by === undefined) return
  const key = `block ${addressKey(address)} ${post.updated.toISOString()}`
  await queue(deps, { kind: 'delete' }, { account: by, address, key })
}
