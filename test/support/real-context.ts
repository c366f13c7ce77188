import { createDomainServices } from '#server/feeds/domain-services.ts'
import { createIndexing, type Indexing } from '#server/feeds/indexing.ts'
import { createLive } from '#server/feeds/live.ts'
import { createOutbox, type Outbox } from '#server/feeds/outbox.ts'
import type { OutboxDeps } from '#server/feeds/outbox-deps.ts'
import { createPermits, type Permits } from '#server/feeds/permits.ts'
import { createProofs, type Proofs } from '#server/feeds/proofs/proofs.ts'
import { createRooms, type Rooms } from '#server/feeds/rooms/rooms.ts'
import { createLogger } from '#server/log.ts'
import { noMeters } from '#server/meters.ts'
import { openIndex, openState } from '#server/store/database.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import type { RigServer } from './rig.ts'
import { openTestSession } from './test-session.ts'

/** The feeds room over real servers: nothing but the people is made up. */
export interface RealContext extends OutboxDeps, AsyncDisposable {
  readonly site: XmppSession
  readonly indexing: Indexing
  readonly permits: Permits
  readonly outbox: Outbox
  readonly proofs: Proofs
  readonly rooms: Rooms
  readonly lines: string[]
  /** Registers an account and signs it in here. */
  signIn(server: RigServer, user: string): Promise<XmppSession>
  signOut(jid: BareJid): Promise<void>
  /** Lets a session that a test opened be an account's own. */
  adopt(session: XmppSession): void
}

export interface RealContextOptions {
  /** Where the site account is. */
  readonly home: RigServer
  readonly siteUser: string
  readonly indexPath?: string
  readonly statePath?: string
  readonly clock?: () => Date
  /** The site's session as the feeds room gets it, to look at what it is asked. */
  readonly through?: (site: XmppSession) => XmppSession
}

export async function createRealContext(options: RealContextOptions): Promise<RealContext> {
  const { home, siteUser } = options
  const index = await openIndex(options.indexPath ?? ':memory:')
  const state = await openState(options.statePath ?? ':memory:')
  const sessions = new Map<BareJid, XmppSession>()
  const lines: string[] = []
  const open = async (server: RigServer, user: string, isSite: boolean) => {
    // A context that begins again finds its people there.
    await server.register(user, `password of ${user}`).catch(() => {})
    const session = openTestSession(server, user, { isSite })
    try {
      await session.whenOnline(30_000)
      return session
    } catch (error) {
      await session.stop()
      throw error
    }
  }
  const { through = (session: XmppSession) => session } = options
  const site = through(await open(home, siteUser, true))
  const clock = options.clock ?? (() => new Date())
  const deps = {
    index,
    state,
    live: createLive(),
    log: createLogger({ write: (line) => lines.push(line) }),
    meters: noMeters,
    clock,
    services: createDomainServices({ site, clock }),
    siteDomain: home.domain as BareJid,
    siteJid: site.jid,
    config: { url: new URL('https://blog.example'), isUrlSet: true },
    site,
    sessions: (jid: BareJid) => sessions.get(jid) ?? (jid === site.jid ? site : undefined),
  }
  const indexing = createIndexing(deps)
  const permits = createPermits({ ...deps, indexing, people: () => [...sessions.values()] })
  const outbox = createOutbox({ ...deps, indexing })
  const proofs = createProofs({ ...deps, outbox })
  const rooms = createRooms({ ...deps, outbox })
  return {
    ...deps,
    lines,
    indexing,
    permits,
    outbox,
    proofs,
    rooms,
    async signIn(server, user) {
      const session = await open(server, user, false)
      sessions.set(session.jid, session)
      return session
    },
    adopt: (session) => void sessions.set(session.jid, session),
    async signOut(jid) {
      const session = sessions.get(jid)
      sessions.delete(jid)
      await session?.stop()
    },
    async [Symbol.asyncDispose]() {
      await permits.stop()
      await proofs.stop()
      await rooms.stop()
      await outbox.stop()
      await indexing.stop()
      await Promise.all([site, ...sessions.values()].map((session) => session.stop()))
      await index.destroy()
      await state.destroy()
    },
  }
}
