import ipaddr from 'ipaddr.js'
import { AppError } from '#server/errors.ts'
import type { StateDb } from '#server/store/database.ts'
import {
  addSignInFailure,
  countSignInFailures,
  deleteSignInFailure,
  deleteSignInFailuresBefore,
} from '#server/store/sign-in-failure.ts'
import type { BareJid } from '#shared/jid.ts'

const WINDOW_MS = 15 * 60_000
const MOST_PER_ACCOUNT = 5
const MOST_PER_ADDRESS = 20

export interface Attempt {
  /** It was no wrong password: it does not count. */
  forgive(): Promise<void>
}

/** Counts an attempt as wrong until it is forgiven, so that parallel guesses count too; 429 when there were too many. */
export async function beginAttempt(
  state: StateDb,
  { jid, address, now }: { jid: BareJid; address: string; now: Date },
): Promise<Attempt> {
  const network = networkOf(address)
  const since = new Date(now.getTime() - WINDOW_MS)
  await deleteSignInFailuresBefore(state, since)
  const id = await addSignInFailure(state, { jid, address: network, at: now })
  const [ofAccount, ofAddress] = await Promise.all([
    countSignInFailures(state, { jid, since }),
    countSignInFailures(state, { address: network, since }),
  ])
  const isTooMany = ofAccount.count > MOST_PER_ACCOUNT || ofAddress.count > MOST_PER_ADDRESS
  if (!isTooMany) return { forgive: () => deleteSignInFailure(state, id) }
  await deleteSignInFailure(state, id)
  const oldest = (ofAccount.count > MOST_PER_ACCOUNT ? ofAccount : ofAddress).oldest ?? now
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

function sayMinutes(seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}
