import { AppError, describeError, isAppError } from '#server/errors.ts'
import { type Follow, findFollow, updateFollow } from '#server/store/follow.ts'
import { publishesFollows } from '#server/store/reader.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { listFollow, unlistFollow } from './follow-list.ts'
import type { OutboxDeps } from './outbox-deps.ts'
import type { Performance } from './perform.ts'

/** Subscribes the person's own account and puts the node into its list, or undoes both, as the state says by now. */
export async function performFollow(
  deps: OutboxDeps,
  { session, row, begin }: Pick<Performance, 'session' | 'row' | 'begin'>,
): Promise<void> {
  await begin()
  const { service, node } = row.address
  const follow = await findFollow(deps.state, row.account, { service, node })
  if (follow === undefined) return undo(deps, session, { service, node })
  // The list first: it is on their own server, and says what they want while the other one is down.
  // What was begun before may have been lost with the server that acknowledged it.
  const isFirst = row.attempts === 0
  const problem = follow.isListed && isFirst ? undefined : await list(deps, session, follow)
  await subscribe(deps, session, { follow, problem })
}

async function list(deps: OutboxDeps, session: XmppSession, follow: Follow): Promise<string | undefined> {
  const { address, title } = follow
  const isWished = async (each: NodeAddress) => (await findFollow(deps.state, session.jid, each)) !== undefined
  try {
    await listFollow(session.pubsub, session.jid, { address, title, isWished })
  } catch (error) {
    if (mayPass(error)) throw error
    return describeError(error)
  }
  await updateFollow(deps.state, follow, { isListed: 1 })
  return undefined
}

async function subscribe(
  { state }: OutboxDeps,
  session: XmppSession,
  { follow, problem }: { follow: Follow; problem: string | undefined },
): Promise<void> {
  try {
    const subscription = await session.pubsub.subscribeNode(follow.address, await publicly(state, session))
    const pending = subscription === 'pending' ? 'Its owner has not yet let you in' : undefined
    await updateFollow(state, follow, { subscription, problem: problem ?? pending ?? null })
  } catch (error) {
    const words = problem ?? describeError(error)
    if (mayPass(error)) {
      await updateFollow(state, follow, { problem: words })
      throw error
    }
    await updateFollow(state, follow, { subscription: 'refused', problem: words })
  }
}

async function publicly(state: OutboxDeps['state'], session: XmppSession): Promise<{ isPublic: true } | undefined> {
  if (!(await publishesFollows(state, session.jid))) return undefined
  return (await session.readServices()).publicSubscriptions === true ? { isPublic: true } : undefined
}

async function undo({ state }: OutboxDeps, session: XmppSession, address: NodeAddress): Promise<void> {
  await unlistFollow(session.pubsub, session.jid, address)
  try {
    // A server that shows what is public has to hear that this is no longer.
    if ((await publicly(state, session)) !== undefined) await session.pubsub.subscribeNode(address, { isPublic: false })
    await session.pubsub.unsubscribeNode(address)
  } catch (error) {
    // What will not hear of us has nothing to send us either.
    if (mayPass(error)) throw error
  }
}

/** Whether trying again later makes sense; what is no AppError is a fault of ours, which may be mended. */
function mayPass(error: unknown): boolean {
  return !(error instanceof AppError) || isAppError(error, 'unavailable', 'timeout', 'too-many', 'internal')
}
