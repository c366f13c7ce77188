import type { Config } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { addSiteBlock, deleteSiteBlock, type SiteBlock } from '#server/store/site-block.ts'
import { addressKey, type NodeAddress, readXmppUri } from '#shared/address.ts'
import { type BareJid, domainOf, localPart, readBareJid } from '#shared/jid.ts'
import { blogOf } from '../blog-of.ts'
import type { Indexing } from '../indexing.ts'
import { blogTopic } from '../live.ts'
import type { DecideDeps } from './decide.ts'
import { judgeAgain } from './judge-again.ts'

export interface OperatorDeps extends DecideDeps {
  readonly config: Pick<Config, 'operators'>
  readonly siteDomain: BareJid
  readonly proofs?: { readonly siteJid: BareJid }
  readonly indexing?: Pick<Indexing, 'watch'>
}

/** What somebody typed to block: an account, a server, or the `xmpp:` address of a node. */
export function readBlockAddress(typed: string): Pick<SiteBlock, 'address' | 'kind'> {
  const text = typed.trim()
  const uri = /^xmpp:/i.test(text) ? readXmppUri(text) : undefined
  if (uri?.node !== undefined) return { address: addressKey({ service: uri.service, node: uri.node }), kind: 'node' }
  const jid = uri?.service ?? readBareJid(text)
  if (jid === undefined) {
    throw new AppError('bad-request', 'Write an account, a server, or the xmpp: address of a node.')
  }
  return { address: jid, kind: localPart(jid) === undefined ? 'server' : 'account' }
}

/** Nothing of it is read or shown on the site any more. */
export async function blockOnSite(
  deps: OperatorDeps,
  { by, address, kind, reason }: Pick<SiteBlock, 'by' | 'address' | 'kind' | 'reason'>,
): Promise<void> {
  requireOperator(deps, by)
  if (isOwn(deps, address)) throw new AppError('bad-request', 'The site itself and who runs it cannot be blocked.')
  await addSiteBlock(deps.state, { address, kind, by, reason, since: deps.clock() })
  await applyBlock(deps, { address, kind })
}

export async function unblockOnSite(
  deps: OperatorDeps,
  { by, address, kind }: Pick<SiteBlock, 'by' | 'address' | 'kind'>,
): Promise<void> {
  requireOperator(deps, by)
  await deleteSiteBlock(deps.state, address)
  await applyBlock(deps, { address, kind })
  const node = nodeOf(address)
  // What came meanwhile was not read.
  if (node !== undefined) deps.indexing?.watch(node)
}

export function requireOperator({ config }: Pick<OperatorDeps, 'config'>, jid: BareJid): void {
  if (!config.operators.includes(jid)) throw new AppError('forbidden', 'Only who runs this site can see and do this.')
}

function isOwn({ config, siteDomain, proofs }: OperatorDeps, address: string): boolean {
  const isAbove = siteDomain === address || siteDomain.endsWith(`.${address}`)
  return (
    isAbove ||
    proofs?.siteJid === address ||
    config.operators.some((jid) => jid === address || domainOf(jid) === address)
  )
}

async function applyBlock(deps: OperatorDeps, { address, kind }: Pick<SiteBlock, 'address' | 'kind'>): Promise<void> {
  if (kind !== 'node') return judgeAgain(deps, { jid: address as BareJid })
  const node = nodeOf(address)
  if (node === undefined) return
  await judgeAgain(deps, { node })
  deps.live.publish(blogTopic(node), { kind: 'changed' })
}

/** The one feed that a block is about, if it is one. */
function nodeOf(address: string): NodeAddress | undefined {
  const uri = /^xmpp:/i.test(address) ? readXmppUri(address) : undefined
  if (uri?.node !== undefined) return { service: uri.service, node: uri.node }
  return address.includes('@') ? blogOf(address as BareJid) : undefined
}
