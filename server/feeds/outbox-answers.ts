import { clearNextTries, deleteRefused } from '#server/store/outbox.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Outbox } from './outbox.ts'
import type { OutboxDeps } from './outbox-deps.ts'

/** Tries what an account has waiting now, at its owner's word. */
export async function retryNow(
  { state, outbox }: Pick<OutboxDeps, 'state'> & { readonly outbox: Pick<Outbox, 'wake'> },
  account: BareJid,
): Promise<void> {
  await clearNextTries(state, account)
  outbox.wake(account)
}

/** Forgets a row of this account that was refused; anything else stays. */
export async function dropRefused({ state }: Pick<OutboxDeps, 'state'>, account: BareJid, id: number): Promise<void> {
  await deleteRefused(state, account, id)
}
