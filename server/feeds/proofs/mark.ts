import type { Element } from 'ltx'
import type { StateDb } from '#server/store/database.ts'
import { findMarkedWords } from '#server/store/marked-words.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { readContributor } from '#shared/contributor.ts'
import { digestWords } from './digest-words.ts'

const PURPOSE = 'contributor words'
/** COMPAT(Canto before migration 0011): its marks bind the writer and the address, but no word. */
const OLD_PURPOSE = 'contributor'

/** Of the site's own secret, as much as marks need. */
export interface Marking {
  readonly secret?: {
    sign(purpose: string, text: string): string
    isSignature(purpose: string, text: string, signature: string): boolean
  }
}

/** A mark that only this site can write beside a contributor, for these words alone; the entry may lack it yet. */
export function markWords({ secret }: Marking, address: ItemAddress, entry: Element): string | undefined {
  return secret?.sign(PURPOSE, textOf(address, digestWords(entry)))
}

/**
 * Whether this site published the entry just as it is. An old mark counts only with the words that were known when
 * Canto was upgraded.
 */
export async function isMarked(
  { secret, state }: Marking & { readonly state: StateDb },
  address: ItemAddress,
  entry: Element,
): Promise<boolean> {
  const mark = readContributor(entry)?.mark
  if (mark === undefined || secret === undefined) return false
  const digest = digestWords(entry)
  if (secret.isSignature(PURPOSE, textOf(address, digest), mark)) return true
  return hasOldMark({ secret }, address, entry) && (await findMarkedWords(state, address)) === digest
}

/** Whether an older Canto of this site published something at this address for this contributor. */
export function hasOldMark({ secret }: Marking, address: ItemAddress, entry: Element): boolean {
  const who = readContributor(entry)
  if (who?.mark === undefined) return false
  return secret?.isSignature(OLD_PURPOSE, `${who.jid} ${who.how ?? ''} ${addressKey(address)}`, who.mark) === true
}

function textOf(address: ItemAddress, digest: string): string {
  return `${addressKey(address)}\n${digest}`
}
