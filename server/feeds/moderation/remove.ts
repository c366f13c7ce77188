import { AppError } from '#server/errors.ts'
import { saveDecision } from '#server/store/decision.ts'
import { findNode } from '#server/store/node.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import type { QueueDeps } from '../outbox-deps.ts'
import { queueInstead } from '../queue-row.ts'
import { type ActDeps, applyHold, maySettle, openCase, refuseUnseen, writtenBy } from './decide.ts'
import { holdOf } from './judge.ts'
import { queueRoomRetraction } from './retract-in-room.ts'

export type RemoveDeps = ActDeps & QueueDeps

/**
 * Takes what somebody said under a post out of the pages at once and off the network as soon as it can be, by the
 * session of who looks after the blog. A copy is kept, so that it can be put back. No row where it is gone already.
 * Where the site does not see that they look after it, their session asks for it, and nothing changes here before it is
 * seen to be gone.
 */
export async function removeComment(
  deps: RemoveDeps,
  { by, address }: { by: BareJid; address: ItemAddress },
): Promise<OutboxRow | undefined> {
  const found = await openCase(deps, by, address)
  const { entry, decision, post } = found
  if (entry === undefined || decision?.what === 'removed') return undefined
  if (!(await maySettle(deps, by, found))) {
    return queueInstead(deps, { kind: 'remove-comment', isAsked: true }, { account: by, address })
  }
  const { payload } = entry
  const what = { address, post, what: 'removed', by, at: deps.clock(), before: decision?.what } as const
  const written = writtenBy(entry)
  await saveDecision(deps.state, {
    ...written,
    publisher: decision?.publisher ?? written.publisher,
    ...what,
    reason: decision?.reason,
    payload,
  })
  await applyHold(deps, entry, { hold: 'removed' })
  // A message in a room stays in its archive: everybody is told that it was taken back.
  if (entry.kind === 'room') return queueRoomRetraction(deps, { by, address })
  return queueInstead(deps, { kind: 'remove-comment' }, { account: by, address })
}

/** As it was before it was removed: published again by the blog's owner from the kept copy. */
export async function putBack(
  deps: RemoveDeps,
  { by, address }: { by: BareJid; address: ItemAddress },
): Promise<OutboxRow | undefined> {
  const found = await openCase(deps, by, address)
  const { entry, decision, post } = found
  if (decision === undefined || decision.what !== 'removed') return undefined
  // Anybody can publish it again: that it is there would not show that they may.
  if (!(await maySettle(deps, by, found))) throw refuseUnseen(post, 'Putting back what was removed')
  if (decision.payload === undefined) throw new AppError('forbidden', 'Who runs this site removed it here')
  const what = decision.before ?? 'restored'
  await saveDecision(deps.state, { ...decision, post, what, before: undefined, by, at: deps.clock() })
  if (entry !== undefined) await applyHold(deps, entry, { hold: holdOf({ what, reason: decision.reason }) })
  // Nothing can be said in a room for somebody else: it is shown again here.
  if (entry?.kind === 'room' || address.node === NS.MIX_MESSAGES) return undefined
  // Its owner may write over what others wrote there.
  const account = (await findNode(deps.index, address))?.owner ?? by
  return queueInstead(deps, { kind: 'restore-comment' }, { account, address })
}
