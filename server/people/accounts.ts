import { describeError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import type { FastToken, SessionOptions, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'

/** What `people` asks of the XMPP room; the composition root adds the service and the logger. */
export type OpenSession = (
  options: Pick<SessionOptions, 'jid' | 'credentials' | 'saveToken' | 'userAgentId'>,
) => XmppSession

/** One account's XMPP session and what it needs to come back by itself. */
export interface LiveAccount {
  readonly jid: BareJid
  readonly userAgentId: string
  readonly session: XmppSession
  readonly token: FastToken | undefined
}

export interface AccountsDeps {
  readonly openSession: OpenSession
  readonly log: Logger
  /** The newest token of an adopted account, or that it has none any more. */
  readonly saveToken: (account: LiveAccount) => Promise<void>
  /** The account's server takes it no longer: by then its session is stopped. */
  readonly onRefused: (jid: BareJid) => Promise<void>
}

export interface Accounts {
  find(jid: BareJid): XmppSession | undefined
  list(): readonly BareJid[]
  /** Connects; nothing else sees the session before `adopt`. */
  open(jid: BareJid, login: Login): LiveAccount
  /** Makes it the account's session, in place of any earlier one. */
  adopt(account: LiveAccount): Promise<void>
  /** Stops the session; `forget` also ends its token at the server. */
  end(jid: BareJid, how: 'keep' | 'forget'): Promise<void>
  stop(): Promise<void>
}

export interface Login {
  readonly userAgentId: string
  readonly password?: string | undefined
  readonly token?: FastToken | undefined
}

const INVALIDATE_MS = 3_000

/** The XMPP sessions of the people who are signed in: one an account, shared by all their browsers. */
export function createAccounts(deps: AccountsDeps): Accounts {
  const live = new Map<BareJid, LiveAccount>()

  function open(jid: BareJid, login: Login): LiveAccount {
    let token = login.token
    const session = deps.openSession({
      jid,
      userAgentId: login.userAgentId,
      credentials: () => ({ password: login.password, token }),
      saveToken: async (fresh) => {
        token = fresh
        if (live.get(jid) === account) await deps.saveToken(account)
      },
    })
    const account: LiveAccount = {
      jid,
      userAgentId: login.userAgentId,
      session,
      get token() {
        return token
      },
    }
    return account
  }

  async function adopt(account: LiveAccount): Promise<void> {
    const { jid, session } = account
    const earlier = live.get(jid)
    live.set(jid, account)
    await earlier?.session.stop()
    await deps.saveToken(account)
    session.onStatus(() => {
      if (session.status === 'refused' && live.get(jid) === account) refuse(account)
    })
    if (session.status === 'refused') refuse(account)
  }

  function refuse({ jid, session }: LiveAccount): void {
    live.delete(jid)
    deps.log.warn(`${jid} was signed out: ${session.problem?.message ?? 'its server refused the session'}`)
    session
      .stop()
      .then(() => deps.onRefused(jid))
      .catch((error: unknown) => deps.log.error(`Signing out ${jid} failed: ${describeError(error)}`))
  }

  async function end(jid: BareJid, how: 'keep' | 'forget'): Promise<void> {
    const account = live.get(jid)
    if (account === undefined) return
    live.delete(jid)
    if (how === 'forget' && account.token !== undefined) await invalidate(account)
    await account.session.stop()
  }

  async function invalidate({ jid, session }: LiveAccount): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, INVALIDATE_MS)
    try {
      await Promise.race([session.invalidateToken(), late])
    } catch (error) {
      deps.log.warn(`The token of ${jid} could not be ended at its server: ${describeError(error)}`)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    find: (jid) => live.get(jid)?.session,
    list: () => [...live.keys()],
    open,
    adopt,
    end,
    stop: async () => {
      await Promise.all([...live.keys()].map((jid) => end(jid, 'keep')))
    },
  }
}
