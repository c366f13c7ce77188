import { addressKey, type ItemAddress } from '#shared/address.ts'
import type { Contributor } from '#shared/contributor.ts'

const PURPOSE = 'contributor'

/** Of the site's own secret, as much as marks need. */
export interface Marking {
  readonly secret?: {
    sign(purpose: string, text: string): string
    isSignature(purpose: string, text: string, signature: string): boolean
  }
}

/** What only this site can write beside a contributor: another service could say that the site published anything. */
export function markContributor({ secret }: Marking, address: ItemAddress, who: Contributor): string | undefined {
  return secret?.sign(PURPOSE, textOf(address, who))
}

export function isMarked({ secret }: Marking, address: ItemAddress, who: Contributor): boolean {
  return who.mark !== undefined && secret?.isSignature(PURPOSE, textOf(address, who), who.mark) === true
}

function textOf(address: ItemAddress, { jid, how }: Contributor): string {
  return `${jid} ${how ?? ''} ${addressKey(address)}`
}
