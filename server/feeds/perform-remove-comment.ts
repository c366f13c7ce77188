import { type AppError, isAppError } from '#server/errors.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { findNode } from '#server/store/node.ts'
import { addressKey } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { isRemovedEntry, writeRemoved } from '#shared/removed-entry.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { publish } from './publish.ts'
import { queue } from './queue-row.ts'
import { type Sent, showPublished, showRetracted } from './show.ts'
import { type RemoveCommentTask, saveTask } from './task.ts'

type RemovePerformance = Performance<RemoveCommentTask>

const REFUSALS = ['forbidden', 'not-implemented'] as const

/** Retracts a comment; where only the node's owner may, it is emptied by its writer, and asked of the owner's session. */
export async function performRemoveComment(
  deps: OutboxDeps,
  performance: RemovePerformance,
): Promise<Sent | undefined> {
  const { session, row, begin } = performance
  const { address, account } = row
  // Put back before it was gone.
  const decision = await findDecision(deps.state, address)
  if (decision?.payload !== undefined && decision.what !== 'removed' && decision.author !== account) return undefined
  await begin()
  try {
    await session.pubsub.retractItem(address)
  } catch (error) {
    if (isAppError(error, ...REFUSALS)) return removeOtherwise(deps, performance, error)
    if (!isAppError(error, 'not-found', 'gone')) throw error
  }
  deps.log.debug({ account, item: addressKey(address) }, 'A comment was removed')
  return showRetracted(deps, { session, row, address })
}

/** COMPAT(Prosody 13): who published to an open node may not retract there, but may write over it; the owner may. */
async function removeOtherwise(
  deps: OutboxDeps,
  performance: RemovePerformance,
  refusal: AppError,
): Promise<Sent | undefined> {
  const { account, address } = performance.row
  const owner = (await findNode(deps.index, address))?.owner
  const isOwn = (await findJudged(deps.index, address))?.publisher === account
  const isEmptied = isOwn && (await empty(deps, performance))
  const isOwnerHere = owner !== undefined && deps.sessions(owner)?.status === 'online'
  // Its words are gone; what is left of it need wait for nobody.
  if (isEmptied && !isOwnerHere) return { reason: 'emptied' }
  if (owner === undefined || owner === account) throw refusal
  await forward(deps, performance, owner)
  return undefined
}

/** Publishes the comment without its words; false where that is refused too. */
async function empty(deps: OutboxDeps, { session, row }: RemovePerformance): Promise<boolean> {
  const { account, address } = row
  try {
    const found = (await session.pubsub.findItem(address))?.payload
    if (found === undefined) return false
    const payload = isRemovedEntry(found) ? found : writeRemoved(found, deps.clock())
    if (payload !== found) await publish({ session, row }, payload)
    const sent = await showPublished(deps, { session, row, address }, { id: address.item, payload, publisher: account })
    return sent === undefined
  } catch (error) {
    if (isAppError(error, ...REFUSALS)) return false
    throw error
  }
}

async function forward(deps: OutboxDeps, { row, task }: RemovePerformance, owner: BareJid): Promise<void> {
  const { account, address, id } = row
  const key = `for ${account} ${id} ${addressKey(address)}`
  const forwarded = await queue(deps, { kind: 'remove-comment' }, { account: owner, address, key })
  await saveTask(deps.state, row, { ...task, forwardedTo: forwarded.id })
}
