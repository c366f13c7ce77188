import type { Element } from 'ltx'
import type { NodeAddress } from './address.ts'
import { readBareJid } from './jid.ts'
import { NS } from './ns.ts'
import { keep } from './original.ts'
import { cleanLine } from './text.ts'
import { childrenOf, createElement as el, isElement, isWithinBounds, textOf } from './xml.ts'

/** One of the nodes that somebody follows, as it stands in a list on their account. */
export interface ListedSubscription {
  readonly address: NodeAddress
  readonly title?: string
}

const NODE_LENGTH = 1_024
const TITLE_LENGTH = 200
const BYTES = 20_000

/** Reads an item of any of the lists (XEP-0330, XEP-0465). Undefined for what names no node that anybody could read. */
export function readSubscription(payload: Element): ListedSubscription | undefined {
  if (!isWithinBounds(payload, { bytes: BYTES, depth: 16 })) return undefined
  const isPublic = payload.is('subscription', NS.PPS)
  // COMPAT(Movim before 0.20): without the version.
  const isListed = payload.is('subscription', NS.SUBSCRIPTION) || payload.is('subscription', NS.SUBSCRIPTION_LIST)
  if (!isPublic && !isListed) return undefined
  const { server, jid, service, node = '' } = payload.attrs
  // COMPAT(Libervia 0.9): `service` where XEP-0465 says `jid`.
  const host = readBareJid(String((isPublic ? (jid ?? service) : server) ?? ''))
  if (host === undefined || node === '' || node.length > NODE_LENGTH) return undefined
  const [title] = childrenOf(payload, 'title', payload.getNS() ?? '')
  return {
    address: { service: host, node },
    title: (title && cleanLine(textOf(title), TITLE_LENGTH)) || undefined,
  }
}

/** An item of the private list, and of Movim's public one (XEP-0330); what we do not understand of `original` stays. */
export function writeSubscription({ address, title }: ListedSubscription, original?: Element): Element {
  const kept = original?.children.filter(isElement).filter((child) => child.getName() !== 'title') ?? []
  return el(
    'subscription',
    { xmlns: NS.SUBSCRIPTION, server: address.service, node: address.node },
    title === undefined ? undefined : el('title', {}, cleanLine(title, TITLE_LENGTH)),
    ...kept.map(keep),
  )
}

/** An item of the public list (XEP-0465 §4.2). COMPAT(Libervia 0.9): it reads `service`, the XEP says `jid`. */
export function writePublicSubscription({ address, title }: ListedSubscription): Element {
  const { service, node } = address
  return el(
    'subscription',
    { xmlns: NS.PPS, node, jid: service, service },
    title === undefined ? undefined : el('title', {}, cleanLine(title, TITLE_LENGTH)),
  )
}
