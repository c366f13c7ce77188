import { isAppError } from '#server/errors.ts'
import type { Disco, SessionStatus } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import { type BareJid, isSameOrSubdomain, readBareJid } from '#shared/jid.ts'

/** Which services belong to a domain: those that it names itself (XEP-0030 §4), as the site account reads it. */
export interface DomainServices {
  /**
   * Whether `service` is `domain` itself, or below it and named by it: having a name below a domain proves nothing, for
   * many domains give those away. Throws `unavailable` where the domain could not be asked for less than an hour.
   */
  isServiceOf(service: BareJid, domain: BareJid): Promise<boolean>
}

export interface DomainServicesDeps {
  readonly site: { readonly disco: Pick<Disco, 'listItems'>; readonly status: SessionStatus }
  readonly clock: () => Date
}

interface Known {
  readonly services: Promise<ReadonlySet<BareJid>>
  readonly askedAt: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const KEPT = 24 * HOUR
/** Limits for the services of one domain, and for all domains: beyond that, those asked longest ago are forgotten. */
const MOST_SERVICES = 100
const MOST_DOMAINS = 2_000
const NONE: ReadonlySet<BareJid> = new Set()

export function createDomainServices({ site, clock }: DomainServicesDeps): DomainServices {
  const known = new Map<BareJid, Known>()
  /** The last answer of a domain, and since when it has not answered. */
  const silent = new Map<BareJid, { readonly former: ReadonlySet<BareJid> | undefined; readonly since: number }>()

  async function ask(domain: BareJid, former: Known | undefined): Promise<ReadonlySet<BareJid>> {
    try {
      const items = await site.disco.listItems(domain, undefined, { max: MOST_SERVICES })
      silent.delete(domain)
      const services = items.flatMap(({ jid, node }) => (node === undefined ? (readBareJid(jid) ?? []) : []))
      // However much it sends.
      const own = services.filter((service) => isSameOrSubdomain(service, domain))
      return new Set(own.slice(0, MOST_SERVICES))
    } catch (error) {
      if (!isAppError(error)) throw error
      if (!isAppError(error, 'unavailable', 'timeout', 'internal')) return NONE
      const last = silent.get(domain)?.former ?? (await former?.services.catch(() => undefined))
      if (site.status !== 'online') {
        // The silence is ours: the domain is asked as soon as the site account is online again.
        known.delete(domain)
        if (last !== undefined) return last
        throw error
      }
      const now = clock().getTime()
      const since = Math.min(silent.get(domain)?.since ?? now, now)
      remember(silent, domain, { former: last, since })
      // The domain's last answer holds until it gives another.
      if (last !== undefined) return last
      if (now - since >= HOUR) return NONE
      throw error
    }
  }

  function read(domain: BareJid): Promise<ReadonlySet<BareJid>> {
    const found = known.get(domain)
    const kept = silent.has(domain) ? MINUTE : KEPT
    if (found !== undefined && isWithinLast(kept, found.askedAt, clock())) return found.services
    const services = ask(domain, found)
    remember(known, domain, { services, askedAt: clock().getTime() })
    services.catch(() => {})
    return services
  }

  return {
    async isServiceOf(service, domain) {
      if (service === domain) return true
      return isSameOrSubdomain(service, domain) && (await read(domain)).has(service)
    },
  }
}

/** Made-up domains push out only those that nobody asks about. */
function remember<Value>(map: Map<BareJid, Value>, domain: BareJid, value: Value): void {
  map.delete(domain)
  map.set(domain, value)
  const [oldest] = map.keys()
  if (oldest !== undefined && map.size > MOST_DOMAINS) map.delete(oldest)
}
