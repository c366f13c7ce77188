import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#server/config.ts'
import { maySignIn } from '#server/config.ts'
import { AppError, isAppError } from '#server/errors.ts'
import { findAccount } from '#server/store/account.ts'
import { findBrowserSession } from '#server/store/browser-session.ts'
import type { StateDb } from '#server/store/database.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import { domainOf, localPart, readBareJid } from '#shared/jid.ts'
import type { Accounts, LiveAccount } from './accounts.ts'
import { hashCookie } from './cookie.ts'
import { readKnownBrowser } from './known-browser.ts'
import type { Secret } from './secret.ts'
import { beginAttempt, zoneOf } from './throttle.ts'
import type { Turns } from './turns.ts'

export interface SignInRequest {
  /** As it was typed. */
  readonly jid: string
  readonly password: string
  /** The client's address. */
  readonly address: string
  /** The cookie of a browser in which somebody signed in before (`addKnownBrowser`). */
  readonly knownBrowser?: string
  /** The session cookie that the browser has, whoever's. */
  readonly oldCookie?: string | undefined
}

export interface SignInDeps {
  readonly config: Config
  readonly state: StateDb
  readonly secret: Pick<Secret, 'isSignature'>
  readonly accounts: Accounts
  readonly siteDomain: BareJid
  readonly clock: () => Date
  readonly turns: Turns
}

const ONLINE_MS = 20_000
/** Accounts of one domain and all below it, without those of the site's own, that are signed in at once. */
const MOST_OF_ZONE = 500
// A refusal is held back to a whole number of these, so that its time does not tell an unknown account from a wrong password.
const REFUSAL_STEP_MS = 500

/** Asks the account's own server about the password; the session that comes back is online and not yet adopted. */
export async function checkSignIn(deps: SignInDeps, request: SignInRequest): Promise<LiveAccount> {
  const jid = readSignInAddress(deps, request.jid)
  if (request.password === '') throw new AppError('bad-request', 'Type your password too.')
  refuseCrowd(deps, jid)
  const browser = await findBrowser(deps, request, jid)
  const applicant = { jid, address: request.address, isKnown: browser !== undefined }
  return deps.turns(applicant, () =>
    askServer(deps, { jid, address: request.address, browser, password: request.password }),
  )
}

interface Asked {
  readonly jid: BareJid
  readonly address: string
  readonly browser: string | undefined
  readonly password: string
}

async function askServer(deps: SignInDeps, { jid, address, browser, password }: Asked): Promise<LiveAccount> {
  const began = performance.now()
  const attempt = await beginAttempt(deps.state, { jid, address, browser, now: deps.clock() })
  const known = await findAccount(deps.state, jid)
  const account = deps.accounts.open(jid, {
    userAgentId: known?.userAgentId ?? randomUUID(),
    password,
  })
  try {
    await firstAnswer(account.session)
    await attempt.forgive()
    return account
  } catch (error) {
    await account.session.stop()
    if (isAppError(error, 'not-authorized')) {
      await holdBack(began)
      throw new AppError('not-authorized', 'The address or the password is wrong. Check both and try again.')
    }
    await attempt.forgive()
    throw unreachable(jid, error)
  }
}

/** A browser in which the account has signed in before, or still is. */
async function findBrowser(
  { state, secret }: SignInDeps,
  { knownBrowser = '', oldCookie }: SignInRequest,
  jid: BareJid,
): Promise<string | undefined> {
  const hash = oldCookie === undefined ? undefined : hashCookie(oldCookie)
  const session = hash === undefined ? undefined : await findBrowserSession(state, hash)
  return readKnownBrowser(secret, knownBrowser, jid) ?? (session?.jid === jid ? session.hash : undefined)
}

/** Each account has a session that is kept for weeks, and whoever has a domain has as many servers and accounts as they like. */
function refuseCrowd({ accounts, siteDomain }: SignInDeps, jid: BareJid): void {
  if (domainOf(jid) === siteDomain || accounts.find(jid) !== undefined) return
  const zone = zoneOf(domainOf(jid))
  const others = accounts.list().filter((other) => domainOf(other) !== siteDomain && zoneOf(domainOf(other)) === zone)
  if (others.length < MOST_OF_ZONE) return
  throw new AppError('unavailable', `Too many people of ${zone} are signed in here. Try again later.`, {
    retryAfter: 3600,
  })
}

/** A session tries again and again; a person who waits for the page is told of the first failure. */
async function firstAnswer(session: XmppSession): Promise<void> {
  const { promise: failed, reject } = Promise.withResolvers<never>()
  const stop = session.onStatus((status) => {
    if (status === 'waiting') reject(session.problem ?? new AppError('unavailable', 'The connection failed'))
  })
  try {
    await Promise.race([session.whenOnline(ONLINE_MS), failed])
  } finally {
    stop()
  }
}

function readSignInAddress({ config, siteDomain }: SignInDeps, typed: string): BareJid {
  const text = typed.trim().replace(/^xmpp:/i, '')
  const jid = readBareJid(text.includes('@') ? text : `${text}@${siteDomain}`)
  if (jid === undefined || localPart(jid) === undefined) {
    throw new AppError('bad-request', `That is not an XMPP address: it looks like juliet@${siteDomain}.`)
  }
  if (!maySignIn(config, jid)) {
    throw new AppError('forbidden', `Accounts of ${domainOf(jid)} cannot sign in here. ${sayDomains(config)}`)
  }
  return jid
}

function sayDomains({ signinDomains }: Config): string {
  if (signinDomains === '*') return ''
  return `Use an account of ${new Intl.ListFormat('en', { type: 'disjunction' }).format(signinDomains)}.`
}

async function holdBack(began: number): Promise<void> {
  const spent = performance.now() - began
  await sleep(Math.ceil((spent + 1) / REFUSAL_STEP_MS) * REFUSAL_STEP_MS - spent)
}

function unreachable(jid: BareJid, cause: unknown): AppError {
  return new AppError('unavailable', `The XMPP server of ${domainOf(jid)} does not answer. Try again in a moment.`, {
    cause,
    retryAfter: 30,
  })
}
