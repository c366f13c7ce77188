import { createDomainServices, type DomainServices } from '#server/feeds/domain-services.ts'
import { createIndexing, type Indexing } from '#server/feeds/indexing.ts'
import { createLive, type Live } from '#server/feeds/live.ts'
import { createOutbox, type Outbox } from '#server/feeds/outbox.ts'
import { createPermits, type Permits } from '#server/feeds/permits.ts'
import { createProofs, type Proofs } from '#server/feeds/proofs/proofs.ts'
import { createRooms, type Rooms } from '#server/feeds/rooms/rooms.ts'
import { createLogger, type Logger } from '#server/log.ts'
import { type Meters, noMeters } from '#server/meters.ts'
import { createSecret, type Secret } from '#server/people/secret.ts'
import { type IndexDb, openIndex, openState, type StateDb } from '#server/store/database.ts'
import type { Bounds } from '#server/store/keeps.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { type BareJid, domainOf, readBareJid } from '#shared/jid.ts'
import { createFakeNetwork, type FakeNetwork } from './fake-pubsub.ts'
import { createFakeSession, type FakeSession } from './fake-session.ts'

/** What stands on the store and the XMPP port, over databases in memory and a fake network. */
export interface TestContext extends AsyncDisposable {
  readonly index: IndexDb
  readonly state: StateDb
  readonly live: Live
  readonly log: Logger
  readonly meters: Meters
  /** What was logged. */
  readonly lines: string[]
  readonly clock: () => Date
  /** Stops the clock at an instant, or moves it there. */
  setNow(now: Date | string): void
  readonly siteDomain: BareJid
  readonly siteJid: BareJid
  readonly services: DomainServices
  readonly secret: Secret
  readonly config: { url: URL; isUrlSet: boolean; keeps?: Bounds }
  readonly network: FakeNetwork
  readonly site: FakeSession
  readonly sessions: (jid: BareJid) => XmppSession | undefined
  /** The account's session from now on. */
  signIn(jid: string): FakeSession
  signOut(jid: string): void
  readonly indexing: Indexing
  readonly permits: Permits
  readonly outbox: Outbox
  readonly proofs: Proofs
  readonly rooms: Rooms
}

export interface TestContextOptions {
  /** Paths of databases that outlive the context; in memory unless given. */
  readonly indexPath?: string
  readonly statePath?: string
  /** One that outlives the context, as servers do. */
  readonly network?: FakeNetwork
  readonly siteJid?: string
  readonly keeps?: Bounds
}

/** Nothing is started: a test calls `indexing.start()` and `outbox.start()` where it wants them. */
export async function createTestContext(options: TestContextOptions = {}): Promise<TestContext> {
  const index = await openIndex(options.indexPath ?? ':memory:')
  const state = await openState(options.statePath ?? ':memory:')
  const network = options.network ?? createFakeNetwork()
  const siteJid = jidOf(options.siteJid ?? 'canto@capulet.example')
  const sessions = new Map<BareJid, FakeSession>()
  const lines: string[] = []
  let now: Date | undefined
  const clock = () => now ?? new Date()
  const site = createFakeSession(siteJid, network)
  const deps = {
    index,
    state,
    live: createLive(),
    log: createLogger({ write: (line) => lines.push(line) }),
    meters: noMeters,
    clock,
    services: createDomainServices({ site, clock }),
    siteDomain: domainOf(siteJid),
    siteJid,
    secret: createSecret(Buffer.alloc(32, 1)),
    config: { url: new URL('https://blog.example'), isUrlSet: true, keeps: options.keeps },
    site,
    sessions: (jid: BareJid): XmppSession | undefined => sessions.get(jid) ?? (jid === siteJid ? site : undefined),
  }
  const indexing = createIndexing(deps)
  const permits = createPermits({ ...deps, indexing, people: () => [...sessions.values()] })
  const outbox = createOutbox({ ...deps, indexing })
  const proofs = createProofs({ ...deps, outbox })
  const rooms = createRooms({ ...deps, outbox })
  return {
    ...deps,
    lines,
    network,
    indexing,
    permits,
    outbox,
    proofs,
    rooms,
    setNow: (date) => {
      now = new Date(date)
    },
    signIn(text) {
      const jid = jidOf(text)
      const session = createFakeSession(jid, network)
      sessions.set(jid, session)
      return session
    },
    signOut: (text) => void sessions.delete(jidOf(text)),
    async [Symbol.asyncDispose]() {
      await permits.stop()
      await proofs.stop()
      await rooms.stop()
      await outbox.stop()
      await indexing.stop()
      await index.destroy()
      await state.destroy()
    },
  }
}

/** A JID that a test knows to be one. */
export function jidOf(text: string): BareJid {
  const jid = readBareJid(text)
  if (jid === undefined) throw new Error(`${text} is no JID`)
  return jid
}
