import { findAccount, saveAccount } from '#server/store/account.ts'
import { endBrowserSessions } from '#server/store/browser-session.ts'
import type { StateDb } from '#server/store/database.ts'
import type { BareJid } from '#shared/jid.ts'

/**
 * Ends all browsers of an account, also from another process: the next page says why, and the next sweep of the process
 * that holds the XMPP session ends that too. ejabberd honours tokens after a password was changed, and even after the
 * account was removed.
 */
export async function signOutEverywhere(state: StateDb, jid: BareJid, reason: string): Promise<void> {
  await endBrowserSessions(state, jid, reason)
  const account = await findAccount(state, jid)
  if (account !== undefined) await saveAccount(state, { ...account, token: undefined })
}
