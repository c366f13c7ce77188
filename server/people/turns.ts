import { AppError } from '#server/errors.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { networkOf } from './throttle.ts'

/** The account that wants to sign in, and the client's address. */
export interface Applicant {
  readonly jid: BareJid
  readonly address: string
}

/** Has `work` done at once, or rejects with `unavailable` where too many others are under way. */
export type Turns = <T>(applicant: Applicant, work: () => Promise<T>) => Promise<T>

/**
 * Sign-ins under way at once. A server that somebody set up may let each of them wait as long as it can, so those of
 * other servers than the site's share fewer places, and of one server or one network fewer still.
 */
const MOST = { own: 100, strangers: 50, domain: 10, network: 5 } as const

export function createTurns(siteDomain: BareJid): Turns {
  const underWay = new Map<string, number>()

  function listLimits({ jid, address }: Applicant) {
    const domain = domainOf(jid)
    if (domain === siteDomain) return [{ key: 'own', most: MOST.own, who: 'Too many people' }]
    return [
      { key: 'strangers', most: MOST.strangers, who: 'Too many people' },
      { key: `domain ${domain}`, most: MOST.domain, who: `Too many people of ${domain}` },
      { key: `network ${networkOf(address)}`, most: MOST.network, who: 'Too many people of your network' },
    ]
  }

  function add(key: string, one: 1 | -1): void {
    const count = (underWay.get(key) ?? 0) + one
    if (count === 0) underWay.delete(key)
    else underWay.set(key, count)
  }

  return async (applicant, work) => {
    const limits = listLimits(applicant)
    const full = limits.find(({ key, most }) => (underWay.get(key) ?? 0) >= most)
    if (full)
      throw new AppError('unavailable', `${full.who} are signing in. Try again in a moment.`, { retryAfter: 10 })
    for (const { key } of limits) add(key, 1)
    try {
      return await work()
    } finally {
      for (const { key } of limits) add(key, -1)
    }
  }
}
