import { type Holds, saveHolds } from '#server/store/author.ts'
import type { StateDb } from '#server/store/database.ts'
import type { BareJid } from '#shared/jid.ts'

/** Whose comments wait for somebody, on all feeds that they look after; what waits already goes on waiting. */
export function chooseHolds({ state }: { readonly state: StateDb }, jid: BareJid, holds: Holds): Promise<void> {
  return saveHolds(state, jid, holds)
}
