import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { findNode } from '#server/store/node.ts'
import { findOwnAccess, forgetOwnAccess, listReadBefore, listReadBetween } from '#server/store/own-access.ts'
import { listRestrictedThreads } from '#server/store/restricted-node.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { WORD_COUNTS } from './access.ts'
import { blogOf } from './blog-of.ts'
import { type LearnDeps, learnOwnAccess } from './learn-access.ts'
import { openQuestion, takeBack, type WatchDeps, watchNode } from './watched-access.ts'

export interface OwnAccessDeps extends LearnDeps, WatchDeps {
  readonly site: LearnDeps['site'] & WatchDeps['site']
  readonly log: Logger
}

/** In one round: their configuration is read one by one. */
const MOST_THREADS = 50
/** Milliseconds after which the access of a thread is read again, well before the last word ceases to count. */
const AGAIN = WORD_COUNTS / 2
/** Times that a node is read until nothing changes meanwhile; to have changes told is one. */
const MOST_TRIES = 3

/** Reads the access models of somebody's own nodes by their session; `more` where there are more to be read. */
export async function readOwnAccess(
  deps: OwnAccessDeps,
  session: Pick<XmppSession, 'jid' | 'pubsub'>,
): Promise<'done' | 'more'> {
  await readOne(deps, session, blogOf(session.jid))
  const threads = await listRestrictedThreads(deps.index, session.jid, MOST_THREADS)
  const unread: NodeAddress[] = []
  for (const address of threads) if ((await findOwnAccess(deps.state, address)) === undefined) unread.push(address)
  const before = new Date(deps.clock().getTime() - AGAIN)
  const old = await listReadBefore(deps.state, session.jid, { before, limit: MOST_THREADS })
  let count = 0
  for (const address of [...unread, ...old]) if (await readOne(deps, session, address)) count++
  return count > 0 && Math.max(threads.length, old.length) === MOST_THREADS ? 'more' : 'done'
}

/** Nodes whose owner's word ceased to count between two instants are looked at anew. */
export async function watchUncounted(
  { state, indexing }: Pick<OwnAccessDeps, 'state' | 'indexing'>,
  since: Date,
  until: Date,
): Promise<void> {
  const [after, to] = [since, until].map((at) => new Date(at.getTime() - WORD_COUNTS)) as [Date, Date]
  for (const address of await listReadBetween(state, after, to)) indexing?.watch(address)
}

async function readOne(
  deps: OwnAccessDeps,
  { jid, pubsub }: Pick<XmppSession, 'jid' | 'pubsub'>,
  address: NodeAddress,
): Promise<boolean> {
  try {
    const node = await findNode(deps.index, address)
    if (node === undefined) {
      await forgetOwnAccess(deps.state, jid, address.node)
      return false
    }
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      using question = openQuestion(deps.state, address)
      const { config, isWatched } = await watchNode(deps, pubsub, node)
      const { access_model: accessModel } = config
      if (accessModel === undefined) return false
      if (question.isOutdated) continue
      await learnOwnAccess(deps, address, { accessModel, now: deps.clock(), isWatched })
      if (!question.isOutdated) return true
    }
    await takeBack(deps, address)
    return false
  } catch (error) {
    if (!isAppError(error)) throw error
    if (isAppError(error, 'not-found', 'gone')) await forgetOwnAccess(deps.state, jid, address.node)
    deps.log.debug({ jid }, `The configuration of ${address.node} was not read: ${describeError(error)}`)
    return false
  }
}
