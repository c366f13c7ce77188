import { AppError, isAppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import { showNode } from '#server/store/hidden-node.ts'
import type { NodeRow } from '#server/store/node.ts'
import { findOwnAccess } from '#server/store/own-access.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { localPart } from '#shared/jid.ts'
import { announceChanged } from './announce.ts'
import type { IngestDeps } from './ingest.ts'

/** Read access to a node: everybody, or only some, the site account among them if the node is read at all. */
export type Access = 'open' | 'restricted'

export interface AccessDeps {
  readonly state: StateDb
  readonly site: Pick<XmppSession, 'readContacts'>
}

/**
 * By the owner's session, for an account's node; else by its service's word (XEP-0060 §5.4, §5.7). The site account may read
 * what a contact shows to contacts only: nothing tells that apart from what is open to everybody.
 */
export async function readAccess(
  { state, site }: AccessDeps,
  { address, accessModel }: Pick<NodeRow, 'address' | 'accessModel'>,
): Promise<Access> {
  const isOfAccount = localPart(address.service) !== undefined
  const own = isOfAccount ? await findOwnAccess(state, address) : undefined
  if (own !== undefined) return own === 'open' ? 'open' : 'restricted'
  if (accessModel !== undefined && accessModel !== 'open') return 'restricted'
  if (!isOfAccount) return 'open'
  return (await readContacts(site)).has(address.service) ? 'restricted' : 'open'
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
