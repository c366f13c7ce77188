import type { NodeAddress } from './address.ts'
import { type BareJid, localPart, readBareJid } from './jid.ts'
import { NS } from './ns.ts'

/** Who wrote an item: known, known by the word of a service that is not theirs, or only claimed. */
export type Credit =
  | { readonly kind: 'credited'; readonly author: BareJid }
  | { readonly kind: 'according'; readonly author: BareJid; readonly service: BareJid }
  | { readonly kind: 'unverified'; readonly claimed?: BareJid }

/** What is said about who wrote an item. */
export interface Claim {
  readonly address: NodeAddress
  /** The attribute of the item, as the service stamped it. */
  readonly publisher?: string
  /** What the payload says. */
  readonly entryAuthor?: BareJid
  /** Whether the item's service is believed about who published (`isBelievedAbout`). */
  readonly isServiceBelieved: boolean
}

/** Decides what a claim is worth (design, "Who wrote it"). */
export function creditAuthor({ address, publisher, entryAuthor, isServiceBelieved }: Claim): Credit {
  if (publisher === undefined || publisher === '') {
    if (isOwnNode(address)) return { kind: 'credited', author: address.service }
    return { kind: 'unverified', claimed: entryAuthor }
  }
  const author = readBareJid(publisher)
  // An entry that names nobody is its publisher's.
  if (author === undefined || (entryAuthor !== undefined && entryAuthor !== author)) {
    return { kind: 'unverified', claimed: entryAuthor }
  }
  if (isServiceBelieved) return { kind: 'credited', author }
  return { kind: 'according', author, service: address.service }
}

/** A node of an account where only the account itself publishes: others write in its comments and attachments. */
function isOwnNode({ service, node }: NodeAddress): boolean {
  if (localPart(service) === undefined) return false
  return !node.startsWith(NS.COMMENTS_PREFIX) && !node.startsWith(NS.ATTACHMENTS_PREFIX)
}
