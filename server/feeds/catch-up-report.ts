import type { Traffic, XmppSession } from '#server/xmpp/ports.ts'

/** What it took from a dropped connection, or the start, until nothing was missing. */
export interface CatchUpReport {
  readonly how: XmppSession['lastSignIn']
  /** Milliseconds. */
  readonly ms: number
  readonly nodes: number
  readonly roundTrips?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
}

export interface CatchUpReports {
  /** Nothing is heard from now on. */
  begin(): void
  /** Reports when `caughtUp`; `countRead` counts nodes from any number on. */
  end(caughtUp: Promise<void>, countRead: () => number): void
  readonly last: CatchUpReport | undefined
}

export function createCatchUpReports(site: Pick<XmppSession, 'traffic' | 'lastSignIn'>): CatchUpReports {
  let last: CatchUpReport | undefined
  let begun: { readonly at: number; readonly traffic: Traffic | undefined } | undefined = {
    at: performance.now(),
    traffic: undefined,
  }
  return {
    begin() {
      begun ??= { at: performance.now(), traffic: site.traffic && { ...site.traffic } }
    },
    end(caughtUp, countRead) {
      const since = begun
      if (since === undefined) return
      begun = undefined
      const before = countRead()
      caughtUp.then(() => {
        const ms = performance.now() - since.at
        const spent = site.traffic === undefined ? {} : subtract(site.traffic, since.traffic)
        last = { how: site.lastSignIn, ms, nodes: countRead() - before, ...spent }
      })
    },
    get last() {
      return last
    },
  }
}

function subtract(now: Traffic, then: Traffic | undefined) {
  return {
    roundTrips: now.roundTrips - (then?.roundTrips ?? 0),
    bytesIn: now.bytesIn - (then?.bytesIn ?? 0),
    bytesOut: now.bytesOut - (then?.bytesOut ?? 0),
  }
}
