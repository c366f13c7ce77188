import { randomUUID } from 'node:crypto'
import { findAccount, saveAccount } from '#server/store/account.ts'
import { clearBrowserPasswords } from '#server/store/browser-session.ts'
import type { StateDb } from '#server/store/database.ts'
import type { FastToken } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import { seal, unseal } from './sealing.ts'
import type { Secret } from './secret.ts'

export interface TokensDeps {
  readonly state: StateDb
  readonly secret: Secret
  readonly clock: () => Date
}

/** Characters: what a server calls a token may be anything. */
const LONGEST = 4_000

/** The last token of each account, encrypted under the site's secret: what survives a restart. */
export function createTokens({ state, secret, clock }: TokensDeps) {
  const key = secret.key('fast token')
  return {
    async save(jid: BareJid, token: FastToken | undefined, userAgentId?: string): Promise<void> {
      const known = await findAccount(state, jid)
      const text = JSON.stringify(token)
      const sealed = token && text.length <= LONGEST ? seal(key, jid, text) : undefined
      await saveAccount(state, {
        jid,
        userAgentId: userAgentId ?? known?.userAgentId ?? randomUUID(),
        createdAt: known?.createdAt ?? clock(),
        ...(known?.name === undefined ? {} : { name: known.name }),
        ...(sealed === undefined ? {} : { token: sealed }),
      })
      if (token !== undefined) await clearBrowserPasswords(state, jid)
    },
    read(jid: BareJid, sealed: string | undefined): FastToken | undefined {
      const text = sealed === undefined ? undefined : unseal(key, jid, sealed)
      return text === undefined ? undefined : (JSON.parse(text) as FastToken)
    },
  }
}
