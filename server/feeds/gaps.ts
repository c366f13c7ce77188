import { type BareJid, domainOf } from '#shared/jid.ts'

/** When events may have been missed last: of one server, or of all of them. */
export interface Gaps {
  /** Until now; without a domain of all servers. */
  note(domain?: string): void
  /** Since when every event of a service was heard, as far as anybody here can know. */
  heardSince(service: BareJid): Date
}

export function createGaps(clock: () => Date): Gaps {
  let ofAll = clock()
  const ofOne = new Map<string, Date>()
  return {
    note(domain) {
      if (domain !== undefined) return void ofOne.set(domain, clock())
      ofAll = clock()
      ofOne.clear()
    },
    heardSince: (service) => ofOne.get(domainOf(service)) ?? ofAll,
  }
}
