import { describeError, isAppError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { findAuthor, saveConsent } from '#server/store/author.ts'
import { findNode } from '#server/store/node.ts'
import { findOwnAccess, saveOwnAccess } from '#server/store/own-access.ts'
import { listRestrictedThreads } from '#server/store/restricted-node.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { type AccessDeps, applyAccess, readAccess } from './access.ts'
import { blogOf } from './blog-of.ts'
import type { IngestDeps } from './ingest.ts'

export interface OwnAccessDeps extends Pick<IngestDeps, 'index' | 'live' | 'clock'>, AccessDeps {
  readonly log: Logger
  readonly indexing?: { watch(address: NodeAddress): void }
}

/** In one round: their configuration is read one by one. */
const MOST_THREADS = 50

/** Reads the access models of somebody's own nodes by their session; `more` where there are more to be read. */
export async function readOwnAccess(
  deps: OwnAccessDeps,
  session: Pick<XmppSession, 'jid' | 'pubsub'>,
): Promise<'done' | 'more'> {
  await readOne(deps, session, blogOf(session.jid))
  const threads = await listRestrictedThreads(deps.index, session.jid, MOST_THREADS)
  const unread: NodeAddress[] = []
  for (const address of threads) if ((await findOwnAccess(deps.state, address)) === undefined) unread.push(address)
  for (const address of unread) await readOne(deps, session, address)
  return unread.length > 0 && threads.length === MOST_THREADS ? 'more' : 'done'
}

async function readOne(
  deps: OwnAccessDeps,
  { jid, pubsub }: Pick<XmppSession, 'jid' | 'pubsub'>,
  address: NodeAddress,
): Promise<void> {
  if ((await findNode(deps.index, address)) === undefined) return
  try {
    const { access_model: accessModel } = await pubsub.readConfig(address)
    if (accessModel !== undefined) await learnOwnAccess(deps, jid, { address, accessModel })
  } catch (error) {
    if (!isAppError(error)) throw error
    deps.log.debug({ jid }, `The configuration of ${address.node} was not read: ${describeError(error)}`)
  }
}

/** Saves the access that the session of `jid` read of a node on its account; of others its word counts for nothing. */
async function learnOwnAccess(
  deps: OwnAccessDeps,
  jid: BareJid,
  { address, accessModel }: { address: NodeAddress; accessModel: string },
): Promise<void> {
  if (address.service !== jid) return
  const former = await findOwnAccess(deps.state, address)
  await saveOwnAccess(deps.state, address, { accessModel, now: deps.clock() })
  const node = await findNode(deps.index, address)
  if (node === undefined) return
  await applyAccess(deps, node, await readAccess(deps, node))
  if (former !== accessModel || (accessModel === 'open' && node.status !== 'open')) deps.indexing?.watch(address)
  if (accessModel === 'open' && (await findAuthor(deps.state, jid))?.consent === 'asked') {
    await saveConsent(deps.state, jid, { consent: 'unasked' })
  }
}
