import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AppError } from '#server/errors.ts'

export type IsAllowedAddress = (address: string) => boolean

/** Neither private, loopback, link-local nor anything else that is not the open internet; also inside IPv6 forms. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.range() === 'unicast') return true
  // NAT64 (64:ff9b::/96) leads to the IPv4 address in its last four bytes.
  if (parsed.range() !== 'rfc6052') return false
  return isPublicAddress(parsed.toByteArray().slice(-4).join('.'))
}

/** The one address to connect to: every address of the name must be allowed, or it leads somewhere it should not. */
export async function resolveHost(host: string, isAllowed: IsAllowedAddress): Promise<LookupAddress> {
  const name = host.replace(/^\[|\]$/g, '')
  const family = isIP(name)
  const found = family === 0 ? await lookup(name, { all: true }) : [{ address: name, family }]
  const [first] = found
  if (first === undefined || !found.every(({ address }) => isAllowed(address))) {
    throw new AppError('forbidden', 'This address is not on the open internet.')
  }
  return first
}
