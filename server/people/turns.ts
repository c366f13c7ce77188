import { AppError } from '#server/errors.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { networkOf, zoneOf } from './throttle.ts'

/** The account that wants to sign in, and the client's address. */
export interface Applicant {
  readonly jid: BareJid
  readonly address: string
  /** Whether the account has signed in with this browser before. */
  readonly isKnown?: boolean
}

/** Has `work` done at once, or rejects with `unavailable` where too many others are under way. */
export type Turns = <T>(applicant: Applicant, work: () => Promise<T>) => Promise<T>

/**
 * Sign-ins under way at once. A server that somebody set up may let each of them wait as long as it can, so those of
 * other servers than the site's share fewer places, and of one server or one network fewer still. Browsers that signed
 * in before have as many places of their own, which strangers cannot take.
 */
const MOST = { own: 100, others: 50, domain: 10, network: 5 } as const
/** For servers and networks whose sign-ins took long a short while ago. */
const MOST_SLOW = { others: 10, domain: 2, network: 2 } as const
/** Milliseconds, which no server takes that wants to answer. */
const SLOW = 5_000
const REMEMBERED = 10 * 60_000

/** `now` is in milliseconds, of a clock that is never put back. */
export function createTurns(siteDomain: BareJid, now: () => number = () => performance.now()): Turns {
  const underWay = new Map<string, number>()
  /** When a domain or a network last was slow, whoever the browser was; the oldest first. */
  const slowAt = new Map<string, number>()

  function listLimits({ jid, address, isKnown = false }: Applicant) {
    const prefix = isKnown ? 'known ' : ''
    if (domainOf(jid) === siteDomain) return [{ key: `${prefix}own`, most: MOST.own, who: 'Too many people' }]
    const { domain, network } = placesOf({ jid, address })
    const isSlow = [domain, network].some((place) => slowAt.has(place))
    const most = isSlow ? MOST_SLOW : MOST
    return [
      { key: `${prefix}${isSlow ? 'slow' : 'others'}`, most: most.others, who: 'Too many people' },
      { key: `${prefix}domain ${domain}`, most: most.domain, who: `Too many people of ${domain}` },
      { key: `${prefix}network ${network}`, most: most.network, who: 'Too many people of your network' },
    ]
  }

  function add(key: string, one: 1 | -1): void {
    const count = (underWay.get(key) ?? 0) + one
    if (count === 0) underWay.delete(key)
    else underWay.set(key, count)
  }

  function forgetSlow(): void {
    for (const [place, at] of slowAt) {
      if (now() - at < REMEMBERED) return
      slowAt.delete(place)
    }
  }

  function rememberSlow(applicant: Applicant): void {
    for (const place of Object.values(placesOf(applicant))) {
      slowAt.delete(place)
      slowAt.set(place, now())
    }
  }

  return async (applicant, work) => {
    forgetSlow()
    const limits = listLimits(applicant)
    const full = limits.find(({ key, most }) => (underWay.get(key) ?? 0) >= most)
    if (full)
      throw new AppError('unavailable', `${full.who} are signing in. Try again in a moment.`, { retryAfter: 10 })
    for (const { key } of limits) add(key, 1)
    const began = now()
    try {
      return await work()
    } finally {
      for (const { key } of limits) add(key, -1)
      // However it ended: a server may also wait before it refuses a password, or before it takes one.
      if (domainOf(applicant.jid) !== siteDomain && now() - began >= SLOW) rememberSlow(applicant)
    }
  }
}

function placesOf({ jid, address }: Applicant): { domain: string; network: string } {
  return { domain: zoneOf(domainOf(jid)), network: networkOf(address) }
}
