import { randomUUID } from 'node:crypto'
import { AppError } from '#server/errors.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { countReactions } from '#server/store/reaction.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { createItemId } from '#shared/item-id.ts'
import type { BareJid } from '#shared/jid.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { MOST_EMOJI, readEmoji } from '#shared/reactions.ts'
import type { QueueDeps } from '../outbox-deps.ts'
import { queue } from '../queue-row.ts'

export interface NewReaction {
  readonly by: BareJid
  readonly post: ItemAddress
  /** As it was typed. */
  readonly emoji: string
  /** False takes it back. */
  readonly isOn: boolean
}

/** Reacts to a post, or takes it back, by the reactor's own session. The same wish twice is one. */
export async function queueReact(deps: QueueDeps, { by, post, emoji, isOn }: NewReaction): Promise<OutboxRow> {
  const found = await findPost(deps.index, post, 'restricted')
  if (found === 'gone') throw new AppError('gone', 'This post was deleted.')
  if (found === undefined) throw new AppError('not-found', 'There is no such post.')
  const known = readEmoji(emoji)
  if (known === undefined) throw new AppError('bad-request', 'That is not one emoji.')
  const own = (await countReactions(deps.index, post, { jid: by, readable: [] })).filter((each) => each.isOwn)
  if (isOn && own.length >= MOST_EMOJI && !own.some((each) => each.emoji === known))
    throw new AppError('bad-request', `One person has ${MOST_EMOJI} emoji for a post: take one back first.`)
  const task = {
    ...({ kind: 'react', post, emoji: known, isOn } as const),
    ...{ heart: createItemId('', randomUUID()), at: deps.clock().toISOString() },
  }
  // The item that it is about to change: what waits for it is done in its order.
  const address = { ...attachmentsOf(post), item: asItemId(by) }
  return queue(deps, task, { account: by, address, key: randomUUID() })
}
