import { toASCII, toUnicode } from 'tr46'
import { prepareLocalPart, prepareResource } from './precis.ts'

declare const bareJid: unique symbol

/** A normalised JID without resource (RFC 7622), its domain in Unicode; a domain alone is a server or a service. */
export type BareJid = string & { readonly [bareJid]: true }

/** A JID in its parts, each normalised. */
export interface Jid {
  readonly bare: BareJid
  readonly local?: string
  readonly domain: BareJid
  readonly resource?: string
}

const PLAIN_LOCAL = /^[a-z0-9._+-]+$/
const PLAIN_DOMAIN =
  /^(?!.*(?:^|\.)xn--)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const IDNA = { useSTD3ASCIIRules: true, checkBidi: true, checkJoiners: true } as const
const PART_BYTES = 1023
// No part longer than this in characters can fit its bytes once normalised; checked before any work.
const LONGEST = 3 * 4 * PART_BYTES

/** Normalises a JID as RFC 7622 says: undefined where it is none. */
export function readJid(text: string): Jid | undefined {
  if (text.length > LONGEST) return undefined
  const slash = text.indexOf('/')
  const bareText = slash < 0 ? text : text.slice(0, slash)
  const at = bareText.indexOf('@')
  const local = at < 0 ? undefined : readLocalPart(bareText.slice(0, at))
  const domain = readDomain(bareText.slice(at + 1))
  const resource = slash < 0 ? undefined : readResource(text.slice(slash + 1))
  if (domain === undefined || (at >= 0 && local === undefined) || (slash >= 0 && resource === undefined))
    return undefined
  return { bare: (local === undefined ? domain : `${local}@${domain}`) as BareJid, local, domain, resource }
}

/** The bare JID of a JID, full or not. */
export function readBareJid(text: string): BareJid | undefined {
  return readJid(text)?.bare
}

/** The part before the `@`; a service has none. */
export function localPart(jid: BareJid): string | undefined {
  const at = jid.indexOf('@')
  return at < 0 ? undefined : jid.slice(0, at)
}

/** The server of an account; of a service itself. */
export function domainOf(jid: BareJid): BareJid {
  return jid.slice(jid.indexOf('@') + 1) as BareJid
}

/** A domain in A-labels, for DNS, TLS and `tag:` URIs; the domain of an account where it gets one. */
export function asciiDomain(jid: BareJid): string {
  const domain = domainOf(jid)
  return PLAIN_DOMAIN.test(domain) || domain.startsWith('[') ? domain : (toASCII(domain, IDNA) ?? domain)
}

/** Whether `domain` is `parent` or below it, label by label. */
export function isSameOrSubdomain(domain: string, parent: string): boolean {
  return domain === parent || (domain.endsWith(`.${parent}`) && !isIpAddress(domain))
}

function readLocalPart(text: string): string | undefined {
  if (PLAIN_LOCAL.test(text) && text.length <= PART_BYTES) return text
  const local = prepareLocalPart(text)
  return local !== undefined && fits(local) ? local : undefined
}

function readResource(text: string): string | undefined {
  const resource = prepareResource(text)
  return resource !== undefined && fits(resource) ? resource : undefined
}

function readDomain(text: string): BareJid | undefined {
  // RFC 7622 §3.2: a final dot is no part of the name.
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  if (name.startsWith('[')) return readIpv6(name)
  if (PLAIN_DOMAIN.test(name) && name.length <= 253) return name as BareJid
  const { domain, error } = toUnicode(name, IDNA)
  // Not left to the library, which would forbid `--` in the middle too.
  if (error || /(?:^|\.)-|-(?:\.|$)/.test(domain)) return undefined
  if (toASCII(domain, { ...IDNA, verifyDNSLength: true }) === null) return undefined
  return fits(domain) ? (domain as BareJid) : undefined
}

function readIpv6(text: string): BareJid | undefined {
  if (!/^\[[0-9a-f:.]+\]$/i.test(text) || !URL.canParse(`http://${text}/`)) return undefined
  return new URL(`http://${text}/`).hostname as BareJid
}

function isIpAddress(domain: string): boolean {
  return domain.startsWith('[') || /^\d+(?:\.\d+){3}$/.test(domain)
}

function fits(part: string): boolean {
  return part !== '' && part.length <= PART_BYTES && new TextEncoder().encode(part).length <= PART_BYTES
}
