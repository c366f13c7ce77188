import type { Element } from 'ltx'
import { findDecision } from '#server/store/decision.ts'
import type { Item } from '#server/xmpp/ports.ts'
import type { ItemAddress } from '#shared/address.ts'
import type { IngestDeps } from '../ingest.ts'

type Sent = Item & { readonly payload: Element }

/**
 * A comment that its blog's owner took away and published again from the kept copy stays its writer's, as long as not a
 * word of it is another.
 */
export async function creditKept(
  { state }: Pick<IngestDeps, 'state'>,
  { address, item, text }: { address: ItemAddress; item: Sent; text: string },
): Promise<Sent> {
  const kept = await findDecision(state, address)
  if (kept?.payload !== text) return item
  return { ...item, publisher: kept.publisher }
}
