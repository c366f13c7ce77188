import type { NodeAddress } from '#shared/address.ts'
import { type BareJid, domainOf, localPart } from '#shared/jid.ts'
import type { DomainServices } from './domain-services.ts'
import { askNodeInfo, type NodeInfo } from './node-info.ts'
import { requireSite, type SiteDeps } from './site-session.ts'

export interface ServicesDeps {
  readonly services: DomainServices
}

export interface BeliefDeps extends ServicesDeps, SiteDeps {}

/**
 * Whether an account's server is believed about a service: it is about the account itself and the server's services.
 * The site account's session sees for the site.
 */
export async function isOwnGround(deps: BeliefDeps, jid: BareJid, service: BareJid): Promise<boolean> {
  if (service === jid || jid === deps.siteJid) return true
  return localPart(service) === undefined && deps.services.isServiceOf(service, domainOf(jid))
}

/**
 * Whether an account owns a node, as far as the site can see: on the account's own ground its session is believed, which
 * must have said so; anywhere else the node's disco#info has to name it (XEP-0060 §5.4, `pubsub#owner`).
 */
export async function isSeenOwner(deps: BeliefDeps, jid: BareJid, address: NodeAddress): Promise<boolean> {
  return (await seeOwned(deps, jid, address)) !== undefined
}

/** How the site sees that an account owns a node: on its own ground, or by what the node's disco#info says. */
export async function seeOwned(
  deps: BeliefDeps,
  jid: BareJid,
  address: NodeAddress,
): Promise<'own-ground' | NodeInfo | undefined> {
  if (localPart(address.service) !== undefined) return address.service === jid ? 'own-ground' : undefined
  if (await isOwnGround(deps, jid, address.service)) return 'own-ground'
  const info = await askNodeInfo(requireSite(deps).disco, address)
  return info?.owners.includes(jid) ? info : undefined
}

/** Whether a service's word about who published counts: the account's own, its server's, or the site's server's. */
export async function isBelievedAbout(
  deps: ServicesDeps & { readonly siteDomain: BareJid },
  service: BareJid,
  author: BareJid,
): Promise<boolean> {
  return domainOf(service) === deps.siteDomain || mayHoldComments(deps, service, author)
}

/** Whether a service is believed to hold the comments of `author`. */
export async function mayHoldComments(
  { services, siteDomain }: ServicesDeps & { readonly siteDomain: BareJid },
  service: BareJid,
  author: BareJid,
): Promise<boolean> {
  if (service === author) return true
  if (localPart(service) !== undefined) return false
  return (await services.isServiceOf(service, domainOf(author))) || services.isServiceOf(service, siteDomain)
}
