import type { BareJid } from '#shared/jid.ts'
import type { ReadEntryItem } from '../read-item.ts'

/** Whose words an item is, for limits and blocks: who proved to be its writer, else its publisher; a claim is nobody. */
export function writerOf(item: Pick<ReadEntryItem, 'contributor' | 'publisher' | 'credit'>): BareJid | undefined {
  return item.contributor?.jid ?? item.publisher ?? (item.credit.kind === 'unverified' ? undefined : item.credit.author)
}
