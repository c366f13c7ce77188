import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#server/config.ts'
import { describeError } from '#server/errors.ts'
import type { Logger } from '#server/log.ts'
import { listAccountsWithToken } from '#server/store/account.ts'
import { endBrowserSessions, listBrowserSessions } from '#server/store/browser-session.ts'
import type { StateDb } from '#server/store/database.ts'
import type { FastToken, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import type { Accounts, OpenSession } from './accounts.ts'
import { createAccounts } from './accounts.ts'
import type { Browsers, Ending, Person } from './browsers.ts'
import { createBrowsers } from './browsers.ts'
import { addKnownBrowser } from './known-browser.ts'
import type { Secret } from './secret.ts'
import type { SignInRequest } from './sign-in.ts'
import { checkSignIn } from './sign-in.ts'
import { createTokens } from './tokens.ts'
import { createTurns } from './turns.ts'

export type { Ending, Person } from './browsers.ts'

export interface PeopleDeps {
  readonly config: Config
  readonly state: StateDb
  readonly secret: Secret
  readonly siteDomain: BareJid
  readonly openSession: OpenSession
  /** After every sign-in with the right password; makes the missing blog node of a blogger. */
  readonly onSignIn: (jid: BareJid, session: XmppSession) => Promise<void>
  readonly clock: () => Date
  readonly log: Logger
}

/** Who is signed in, with which browsers, and their XMPP sessions. */
export interface People {
  /** Rejects with AppError: bad-request, forbidden, not-authorized, too-many (with retryAfter), unavailable. */
  signIn(request: SignInRequest): Promise<{ cookie: string; jid: BareJid; knownBrowser: string }>
  find(cookie: string): Promise<Person | undefined>
  /** Why a browser that was signed in is not any more, for the next page it asks for. */
  findEnding(cookie: string): Promise<Ending | undefined>
  signOut(cookie: string): Promise<void>
  session(jid: BareJid): XmppSession | undefined
  /** Of everybody who is signed in. */
  sessions(): readonly XmppSession[]
  /** At start: reconnects everybody who has a token and a browser. */
  restore(): Promise<void>
  /** Ends what has expired; to be called now and then. */
  sweep(): Promise<void>
  stop(): Promise<void>
}

const SIGN_IN_WORK_MS = 5_000
const RESTORE_STEP_MS = 5

export function createPeople(deps: PeopleDeps): People {
  const { state, clock, log } = deps
  const tokens = createTokens(deps)
  const accounts = createAccounts({
    openSession: deps.openSession,
    log,
    saveToken: ({ jid, token, userAgentId }) => tokens.save(jid, token, userAgentId),
    onRefused: async (jid) => {
      await tokens.save(jid, undefined)
      await endBrowserSessions(state, jid, 'Your XMPP server no longer accepts this session.')
    },
  })
  const browsers = createBrowsers({ ...deps, accounts })
  const turns = createTurns(deps.siteDomain)

  async function signIn(request: SignInRequest) {
    const account = await checkSignIn({ ...deps, accounts, turns }, request)
    const { jid } = account
    // The browser first: a session without one would be swept away.
    const cookie = await browsers.begin(jid, account.token === undefined ? request.password : undefined)
    await accounts.adopt(account)
    // A new cookie at each sign-in, and the old one of this browser is worth nothing: no session can be planted.
    if (request.oldCookie !== undefined) await browsers.drop(request.oldCookie)
    await withinReason(deps, jid, account.session)
    return { cookie, jid, knownBrowser: addKnownBrowser(deps.secret, request.knownBrowser ?? '', jid) }
  }

  async function endIfLast(jid: BareJid): Promise<void> {
    const remaining = (await listBrowserSessions(state, jid)).filter(
      ({ endedReason, expiresAt }) => endedReason === undefined && expiresAt > clock(),
    )
    if (remaining.length > 0) return
    await accounts.end(jid, 'forget')
    await tokens.save(jid, undefined)
  }

  return {
    signIn,
    find: browsers.find,
    findEnding: browsers.findEnding,
    signOut: async (cookie) => {
      const jid = await browsers.drop(cookie)
      if (jid !== undefined) await endIfLast(jid)
    },
    session: accounts.find,
    sessions: () => accounts.list().flatMap((jid) => accounts.find(jid) ?? []),
    restore: () =>
      restore({
        ...deps,
        accounts,
        browsers,
        readToken: tokens.read,
        forgetToken: (jid) => tokens.save(jid, undefined),
      }),
    sweep: async () => {
      // Also those whose browsers another process has ended, as `canto user` does.
      const jids = new Set([...(await browsers.deleteExpired()), ...accounts.list()])
      for (const jid of jids) await endIfLast(jid)
    },
    stop: () => accounts.stop(),
  }
}

interface RestoreDeps extends PeopleDeps {
  readonly accounts: Accounts
  readonly browsers: Browsers
  readonly readToken: (jid: BareJid, sealed: string | undefined) => FastToken | undefined
  readonly forgetToken: (jid: BareJid) => Promise<void>
}

async function restore(deps: RestoreDeps): Promise<void> {
  await deps.browsers.deleteExpired()
  for (const { jid, userAgentId, token: sealed } of await listAccountsWithToken(deps.state)) {
    const token = deps.readToken(jid, sealed)
    // A token that was sealed under another secret is nothing: its browsers are told at their next request.
    if (token === undefined) await deps.forgetToken(jid)
    const isUsed = (await listBrowserSessions(deps.state, jid)).some(({ endedReason }) => endedReason === undefined)
    if (token === undefined || !isUsed || deps.accounts.find(jid) !== undefined) continue
    await deps.accounts.adopt(deps.accounts.open(jid, { userAgentId, token }))
    // Many accounts must not connect in one burst.
    await sleep(RESTORE_STEP_MS)
  }
}

/** The account's own work at sign-in may be slow, or fail: signing in is neither. */
async function withinReason({ onSignIn, log }: PeopleDeps, jid: BareJid, session: XmppSession): Promise<void> {
  const work = onSignIn(jid, session).catch((error: unknown) => {
    log.warn(`The blog of ${jid} could not be prepared: ${describeError(error)}`)
  })
  const timeout = new AbortController()
  await Promise.race([work, sleep(SIGN_IN_WORK_MS, undefined, { signal: timeout.signal }).catch(() => {})])
  timeout.abort()
}
