import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import {
  addSignInFailure,
  countSignInFailures,
  deleteSignInFailure,
  deleteSignInFailuresOutside,
} from '#server/store/sign-in-failure.ts'
import type { BareJid } from '#shared/jid.ts'

const WINDOW_MS = 15 * 60_000
/** For one account from one network, or in one browser in which the account has signed in before. */
const MOST_PER_PLACE = 5
/** From one network, whatever the accounts. */
const MOST_PER_NETWORK = 20
/**
 * For one account from all networks: some 6,000 guesses a day. Only then do wrong passwords of others keep its owner out,
 * and only in a browser in which they never signed in.
 */
const MOST_PER_ACCOUNT = 60

export interface Attempt {
  /** It was no wrong password: it does not count. */
  forgive(): Promise<void>
}

export interface Attempted {
  readonly jid: BareJid
  /** The client's. */
  readonly address: string
  /** The id of the browser, if the account has signed in with it before: it is counted alone. */
  readonly browser?: string | undefined
  readonly now: Date
}

/** Counts an attempt as wrong until it is forgiven, so that parallel guesses count too; 429 when there were too many. */
export async function beginAttempt(state: StateDb, { jid, address, browser, now }: Attempted): Promise<Attempt> {
  const place = browser === undefined ? networkOf(address) : `browser ${browser}`
  const since = new Date(now.getTime() - WINDOW_MS)
  await deleteSignInFailuresOutside(state, { since, until: now })
  const id = await addSignInFailure(state, { jid, address: place, at: now })
  const counted = [{ most: MOST_PER_PLACE, ...(await countSignInFailures(state, { jid, address: place, since })) }]
  if (browser === undefined) {
    counted.push({ most: MOST_PER_NETWORK, ...(await countSignInFailures(state, { address: place, since })) })
    counted.push({ most: MOST_PER_ACCOUNT, ...(await countSignInFailures(state, { jid, since })) })
  }
  const exceeded = counted.find(({ count, most }) => count > most)
  if (exceeded === undefined) return { forgive: () => deleteSignInFailure(state, id) }
  await deleteSignInFailure(state, id)
  const oldest = exceeded.oldest ?? now
  const retryAfter = Math.max(1, Math.ceil((oldest.getTime() + WINDOW_MS - now.getTime()) / 1000))
  throw new AppError('too-many', `Too many wrong passwords. Wait ${sayMinutes(retryAfter)}, then try again.`, {
    retryAfter,
  })
}

/** What limits count: whoever has one IPv6 address has 2⁶⁴ of them, which are one here. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`)}/64`
}

/** Names below a domain cost nothing, so the last two labels count, also where those are everybody's (`co.uk`). */
export function zoneOf(host: string): string {
  const name = host.replace(/^\[|\]$/g, '')
  return isIP(name) === 0 ? name.split('.').slice(-2).join('.') : networkOf(name)
}

function sayMinutes(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}
