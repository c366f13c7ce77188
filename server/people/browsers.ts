import { randomUUID } from 'node:crypto'
import type { Config } from '#server/config.ts'
import { isOperator, mayBlog } from '#server/config.ts'
import type { Logger } from '#server/log.ts'
import { findAccount } from '#server/store/account.ts'
import type { BrowserSession } from '#server/store/browser-session.ts'
import {
  deleteBrowserSession,
  deleteExpiredBrowserSessions,
  endBrowserSessions,
  findBrowserSession,
  saveBrowserSession,
  touchBrowserSession,
} from '#server/store/browser-session.ts'
import type { StateDb } from '#server/store/database.ts'
import { forgetOldest } from '#server/store/space-left.ts'
import type { BareJid } from '#shared/jid.ts'
import { localPart } from '#shared/jid.ts'
import type { Accounts } from './accounts.ts'
import { cookieKey, createCookie, hashCookie } from './cookie.ts'
import { seal, unseal } from './sealing.ts'

/** Somebody who is signed in, as a page needs to know them. */
export interface Person {
  readonly jid: BareJid
  /** Tells this browser's session from every other, and cannot be used to get into it. */
  readonly session: string
  readonly name: string
  readonly isBlogger: boolean
  readonly isOperator: boolean
}

export interface Ending {
  readonly jid: BareJid
  readonly reason: string
}

export interface BrowsersDeps {
  readonly config: Config
  readonly state: StateDb
  readonly accounts: Accounts
  readonly clock: () => Date
  readonly log: Logger
}

export interface Browsers {
  /** The new browser's cookie; `password` only where the account's server gives no tokens. */
  begin(jid: BareJid, password: string | undefined): Promise<string>
  find(cookie: string): Promise<Person | undefined>
  findEnding(cookie: string): Promise<Ending | undefined>
  /** Whose it was. */
  drop(cookie: string): Promise<BareJid | undefined>
  deleteExpired(): Promise<readonly BareJid[]>
}

const IDLE_MS = 30 * 86_400_000
const TOUCH_MS = 3_600_000
const SESSION_LENGTH = 16

/** The browsers that are signed in: rows by the hash of their cookie. */
export function createBrowsers(deps: BrowsersDeps): Browsers {
  const { state, clock } = deps

  async function findRow(cookie: string): Promise<BrowserSession | undefined> {
    const hash = hashCookie(cookie)
    const row = hash === undefined ? undefined : await findBrowserSession(state, hash)
    return row !== undefined && row.expiresAt > clock() ? row : undefined
  }

  return {
    async begin(jid, password) {
      const cookie = createCookie()
      const now = clock()
      await saveBrowserSession(state, {
        hash: hashCookie(cookie) ?? '',
        jid,
        createdAt: now,
        seenAt: now,
        expiresAt: new Date(now.getTime() + IDLE_MS),
        ...(password === undefined ? {} : { password: seal(cookieKey(cookie), jid, password) }),
      })
      await forgetOldest(deps, 'browsers', jid)
      return cookie
    },
    async find(cookie) {
      const row = await findRow(cookie)
      if (row === undefined || row.endedReason !== undefined) return undefined
      const now = clock()
      if (now.getTime() - row.seenAt.getTime() > TOUCH_MS) {
        await touchBrowserSession(state, row.hash, { seenAt: now, expiresAt: new Date(now.getTime() + IDLE_MS) })
      }
      const isLive = deps.accounts.find(row.jid) !== undefined
      if (!isLive && (await resume(deps, row, cookie)) === 'ended') return undefined
      return describePerson(deps, row)
    },
    async findEnding(cookie) {
      const row = await findRow(cookie)
      return row?.endedReason === undefined ? undefined : { jid: row.jid, reason: row.endedReason }
    },
    async drop(cookie) {
      const hash = hashCookie(cookie)
      const row = hash === undefined ? undefined : await findBrowserSession(state, hash)
      if (row === undefined) return undefined
      await deleteBrowserSession(state, row.hash)
      return row.jid
    },
    deleteExpired: () => deleteExpiredBrowserSessions(state, clock()),
  }
}

/** After a restart, an account without tokens comes back with the password that only its browser can open. */
async function resume(
  { accounts, state }: BrowsersDeps,
  row: BrowserSession,
  cookie: string,
): Promise<'kept' | 'ended'> {
  const password = row.password === undefined ? undefined : unseal(cookieKey(cookie), row.jid, row.password)
  const account = await findAccount(state, row.jid)
  if (accounts.find(row.jid) !== undefined || account?.token !== undefined) return 'kept'
  if (password === undefined) {
    await endBrowserSessions(state, row.jid, 'Canto was restarted and could not keep your XMPP session.')
    return 'ended'
  }
  await accounts.adopt(accounts.open(row.jid, { userAgentId: account?.userAgentId ?? randomUUID(), password }))
  return 'kept'
}

async function describePerson({ config, state }: BrowsersDeps, { jid, hash }: BrowserSession): Promise<Person> {
  const account = await findAccount(state, jid)
  return {
    jid,
    session: hash.slice(0, SESSION_LENGTH),
    name: account?.name || localPart(jid) || jid,
    isBlogger: mayBlog(config, jid),
    isOperator: isOperator(config, jid),
  }
}
