import type { Element } from 'ltx'
import { type AppError, isAppError } from '#server/errors.ts'
import { findAccount } from '#server/store/account.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged, type JudgedEntry } from '#server/store/judged-entry.ts'
import { findNode } from '#server/store/node.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { isRemovedEntry, writeRemoved } from '#shared/removed-entry.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'
import { publish } from './publish.ts'
import { queue } from './queue-row.ts'
import { type Sent, showPublished, showRetracted, unseen } from './show.ts'
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
  const { session, row, task } = performance
  const { account, address } = row
  const found = await look(performance)
  // It refuses before it looks: what is gone already needs nobody.
  if (found === 'gone') return showRetracted(deps, { session, row, address })
  const owner = (await findNode(deps.index, address))?.owner
  const isOwn = isWrittenBy(await findJudged(deps.index, address), account)
  const emptied = found !== 'hidden' && isOwn ? await empty(deps, performance, found) : undefined
  const isOwnerHere = owner !== undefined && deps.sessions(owner)?.status === 'online'
  // Its words are gone; what is left of it need wait for nobody.
  if (emptied !== undefined && !isOwnerHere) return emptied
  // Asking binds nobody else.
  if (task.isAsked === true) throw refusal
  // An owner who never signed in here would be waited for in vain.
  const isKnown = owner !== undefined && (isOwnerHere || (await findAccount(deps.state, owner)) !== undefined)
  if (!isKnown || owner === account) throw refusal
  await forward(deps, performance, owner)
  return undefined
}

/** Some services name no publisher: then its author's name counts, and the service says who may write over it. */
function isWrittenBy(entry: JudgedEntry | undefined, account: BareJid): boolean {
  return (entry?.publisher ?? entry?.author) === account
}

/** Finds the comment on its node; `hidden` where the account may not read that. */
async function look({ session, row: { address } }: RemovePerformance): Promise<Element | 'gone' | 'hidden'> {
  try {
    return (await session.pubsub.findItem(address))?.payload ?? 'gone'
  } catch (error) {
    if (isAppError(error, 'not-found', 'gone')) return 'gone'
    if (isAppError(error, ...REFUSALS)) return 'hidden'
    throw error
  }
}

/** Publishes the comment without its words; undefined where that is refused too. */
async function empty(deps: OutboxDeps, { session, row }: RemovePerformance, found: Element): Promise<Sent | undefined> {
  const { account, address } = row
  try {
    const payload = isRemovedEntry(found) ? found : writeRemoved(found, deps.clock())
    if (payload !== found) await publish({ session, row }, payload)
    const sent = await showPublished(deps, { session, row, address }, { id: address.item, payload, publisher: account })
    return sent === undefined ? { reason: 'emptied' } : unseen(describeUnseen(address))
  } catch (error) {
    if (isAppError(error, ...REFUSALS)) return undefined
    throw error
  }
}

function describeUnseen({ service }: ItemAddress): string {
  return `${service} lets nobody but the owner remove it, so it was emptied there. This site may not read it there, so it may show here for a while`
}

async function forward(deps: OutboxDeps, { row, task }: RemovePerformance, owner: BareJid): Promise<void> {
  const { account, address, id } = row
  const key = `for ${account} ${id} ${addressKey(address)}`
  const forwarded = await queue(deps, { kind: 'remove-comment' }, { account: owner, address, key })
  await saveTask(deps.state, row, { ...task, forwardedTo: forwarded.id })
}
