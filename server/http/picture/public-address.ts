import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AppError } from '#server/errors.ts'
import type { LookUp } from '#server/look-up.ts'

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

/** The addresses to connect to: all of the name's must be allowed, or it leads somewhere it should not. */
export async function resolveHost(
  host: string,
  isAllowed: IsAllowedAddress,
  lookUp: LookUp,
): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
  const name = host.replace(/^\[|\]$/g, '')
  const family = isIP(name)
  const [first, ...others] = family === 0 ? await lookUp(name) : [{ address: name, family }]
  if (first === undefined) throw new AppError('not-found', `There is no server ${name}.`)
  if (![first, ...others].every(({ address }) => isAllowed(address))) {
    throw new AppError('forbidden', 'This address is not on the open internet.')
  }
  return [first, ...others]
}
