import { type ItemAddress, sameAddress } from '#shared/address.ts'
import type { Credit } from '#shared/credit.ts'
import type { Entry } from '#shared/entry.ts'

/** An entry without the link to an original where it is none: what repeats itself, and comments. */
export function withoutFalseVia(entry: Entry, address: ItemAddress, isPost: boolean): Entry {
  const { via, ...rest } = entry
  return via === undefined || (isPost && !sameAddress(via.address, address)) ? entry : rest
}

/**
 * A repost is its publisher's (XEP-0277 §3.4 lets them name the original's author in their place): that name is only
 * what they say of the original, and never their own.
 */
export function claimOfRepost(entry: Entry, credit: Credit): Entry {
  const { via, author } = entry
  if (via === undefined) return entry
  const isOwn = credit.kind !== 'unverified' && (author.jid === undefined || author.jid === credit.author)
  if (isOwn) return entry
  const name = author.name ?? via.name
  return { ...entry, author: {}, via: { address: via.address, ...(name !== undefined && { name }) } }
}
