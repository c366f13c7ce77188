import type { XmppSession } from '#server/xmpp/ports.ts'
import { isWithinLast } from '#shared/instants.ts'
import type { BareJid } from '#shared/jid.ts'

interface OffersDeps {
  readonly site: XmppSession
  readonly sessions: (jid: BareJid) => XmppSession | undefined
  readonly clock: () => Date
}

interface Offer {
  readonly mayUse?: boolean
  readonly mayOpen?: boolean
  readonly askedAt: number
}

/** Milliseconds. */
const KEPT = 3_600_000
const PATIENCE = 30_000

/** What the servers of those who are signed in offer: asked beside the pages, which never wait for it. */
export function createOffers({ site, sessions, clock }: OffersDeps) {
  const offers = new Map<BareJid, Offer>()

  async function ask(jid: BareJid, session: XmppSession): Promise<void> {
    const askedAt = clock().getTime()
    offers.set(jid, { ...offers.get(jid), askedAt })
    try {
      const [mayUse, service, isSite] = await Promise.all([
        session.mix.isOffered(),
        session.mix.findService(),
        site.mix.isOffered(),
      ])
      offers.set(jid, { mayUse, mayOpen: service !== undefined && isSite, askedAt })
    } catch {
      // It is asked again when a page wants to know.
    }
  }

  function find(jid: BareJid): Offer | undefined {
    const offer = offers.get(jid)
    const kept = offer?.mayUse === undefined ? PATIENCE : KEPT
    const isFresh = offer !== undefined && isWithinLast(kept, offer.askedAt, clock())
    const session = isFresh ? undefined : sessions(jid)
    if (session?.status === 'online') void ask(jid, session)
    return offer
  }

  return {
    mayUse: (jid: BareJid) => find(jid)?.mayUse,
    mayOpen: (jid: BareJid) => find(jid)?.mayOpen,
  }
}
