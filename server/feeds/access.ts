import { AppError, isAppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import { showNode } from '#server/store/hidden-node.ts'
import type { NodeRow } from '#server/store/node.ts'
import { findOwnAccess } from '#server/store/own-access.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import { localPart } from '#shared/jid.ts'
import { announceChanged } from './announce.ts'
import type { IngestDeps } from './ingest.ts'

/** Read access to a node: everybody, or only some, the site account among them if the node is read at all. */
export type Access = 'open' | 'restricted'

export interface AccessDeps {
  readonly state: StateDb
  readonly clock: () => Date
  readonly site: Pick<XmppSession, 'readContacts'>
}

/**
 * Milliseconds for which the owner's word counts, and that of an account's server: another client may change the node. The
 * owner's counts longer where the site account hears of every change.
 */
export const WORD_COUNTS = 3_600_000

type Known = Pick<NodeRow, 'address' | 'accessModel' | 'infoReadAt'>

/**
 * By its service's word (XEP-0060 §5.4, §5.7); of an account's node by its owner's session, while that is recent or
 * every change of the node is heard of.
 * `isRead`: the site account has just read the node.
 */
export async function readAccess(deps: AccessDeps, node: Known, { isRead = false } = {}): Promise<Access> {
  const { address, accessModel } = node
  if (localPart(address.service) !== undefined) return readAccountAccess(deps, node, isRead)
  return accessModel === undefined || accessModel === 'open' ? 'open' : 'restricted'
}

/**
 * The site account may read what a contact shows to contacts only, and nothing tells that apart from what is open to
 * everybody but the owner's recent word or that of the account's server. Where neither is known, a contact's node is
 * restricted, and one that was closed stays so.
 */
async function readAccountAccess({ state, site, clock }: AccessDeps, node: Known, isRead: boolean): Promise<Access> {
  const { address, accessModel, infoReadAt } = node
  const own = await findOwnAccess(state, address)
  const now = clock()
  const isOwnOpen = own === undefined || own.accessModel === 'open'
  const isToldClosed = accessModel !== undefined && accessModel !== 'open'
  // Its server may have told since then that it is not open, though of no change.
  const isOutdated = isToldClosed && own !== undefined && infoReadAt !== undefined && infoReadAt > own.readAt
  const isWatched = own?.isWatched === true && !isOutdated
  const counts = own !== undefined && (isWatched || isWithinLast(WORD_COUNTS, own.readAt, now))
  if (counts) return isOwnOpen ? 'open' : 'restricted'
  if (isToldClosed) return 'restricted'
  if (accessModel === 'open' && infoReadAt !== undefined && isWithinLast(WORD_COUNTS, infoReadAt, now)) return 'open'
  if ((await readContacts(site)).has(address.service)) return 'restricted'
  // If it were still so, an account that is no contact could not have read it.
  return isOwnOpen || (isRead && own?.accessModel === 'presence') ? 'open' : 'restricted'
}

/** A roster that cannot be read says nothing of any node. */
async function readContacts(site: AccessDeps['site']): Promise<ReadonlySet<string>> {
  try {
    return (await site.readContacts?.()) ?? new Set()
  } catch (error) {
    if (isAppError(error, 'not-implemented')) return new Set()
    throw new AppError('unavailable', 'The contacts of the site account cannot be read', { cause: error })
  }
}

/** Shows what is here of a node to those alone who may be shown it. Returns whether that changed. */
export async function applyAccess(
  deps: Pick<IngestDeps, 'index' | 'live'>,
  node: NodeRow,
  access: Access,
): Promise<boolean> {
  if (node.status === access || (node.status !== 'open' && node.status !== 'restricted')) return false
  await showNode(deps.index, node, access)
  await announceChanged(deps, node)
  return true
}
