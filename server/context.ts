import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { type Config, mayBlog } from './config.ts'
import { describeError } from './errors.ts'
import { addAuthor } from './feeds/authors.ts'
import { createDomainServices } from './feeds/domain-services.ts'
import { createFollowing } from './feeds/following.ts'
import { createIndexing, type Indexing } from './feeds/indexing.ts'
import { knowPerson } from './feeds/known-people.ts'
import { createLive } from './feeds/live.ts'
import { createNotifier } from './feeds/notify/notifier.ts'
import { createOutbox } from './feeds/outbox.ts'
import { createPermits } from './feeds/permits.ts'
import { createProofs } from './feeds/proofs/proofs.ts'
import { recordOldMarks } from './feeds/proofs/record-old-marks.ts'
import { createRemaker } from './feeds/remaker.ts'
import { createRooms } from './feeds/rooms/rooms.ts'
import { createOriginals } from './feeds/sharing/originals.ts'
import { createUnseenClaims } from './feeds/unseen-claims.ts'
import { addGauges } from './gauges.ts'
import { createHealthCheck } from './health.ts'
import type { AppContext } from './http/context.ts'
import type { LocalServer } from './local/local-server.ts'
import type { Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createPeople } from './people/people.ts'
import { openSecret } from './people/secret.ts'
import { openIndex, openState, refreshStatistics, type StateDb } from './store/database.ts'
import { findSetting, saveSetting } from './store/setting.ts'
import type { FastToken, XmppSession } from './xmpp/ports.ts'
import { openSession } from './xmpp/session.ts'

/** Everything that lives as long as the process. */
export interface Context extends AppContext, AsyncDisposable {
  /** The site's ear. */
  readonly site: XmppSession
  readonly indexing: Indexing
}

export interface ContextParts {
  readonly config: Config
  readonly log: Logger
  readonly local: LocalServer | undefined
}

const SWEEP_MS = 10 * 60_000

/** Opens what is there, connects the site account and everybody who is still signed in, and starts working. */
export async function createContext({ config, log, local }: ContextParts): Promise<Context> {
  await using stack = new AsyncDisposableStack()
  const account = config.xmpp ?? requireLocal(local)
  const siteDomain = domainOf(account.jid)
  const clock = () => new Date()
  const state = stack.adopt(await openState(join(config.data, 'state.sqlite')), (db) => db.destroy())
  const index = stack.adopt(await openIndex(join(config.data, 'index.sqlite')), (db) => db.destroy())
  const secret = await openSecret(config.data)
  await recordOldMarks({ index, state, secret, clock })
  const live = createLive()
  const site = stack.adopt(await openSite({ account, state, log }), (session) => session.stop())
  const metrics = createMetrics()
  const services = createDomainServices({ site, clock })
  const siteJid = account.jid
  const base = { config, log, meters: metrics, index, state, secret, siteDomain, siteJid, services, clock, live }

  const people = createPeople({
    ...base,
    // The configured service is the site's own server; any other is found by DNS, at a public address only.
    openSession: (options) =>
      openSession({
        ...options,
        isSite: false,
        log,
        ...(isOwnServer(options.jid) ? { service: account.service } : {}),
      }),
    onSignIn: welcome,
  })
  // Together, for the whole of Canto has 5 seconds to end.
  stack.defer(async () => void (await Promise.all([people.stop(), site.stop()])))
  // The site account writes too: comments of people who are not signed in, and what it says in rooms.
  const sessions = (jid: BareJid) => people.session(jid) ?? (jid === site.jid ? site : undefined)
  const indexing = createIndexing({ ...base, site })
  const remaker = createRemaker(base)
  stack.defer(() => remaker.stop())
  const outbox = createOutbox({ ...base, sessions, indexing })
  const proofs = createProofs({ ...base, site, outbox })
  stack.defer(() => proofs.stop())
  const rooms = createRooms({ ...base, site, sessions, outbox })
  stack.defer(() => rooms.stop())
  const following = createFollowing({ ...base, site, outbox, people: people.sessions })
  const claims = createUnseenClaims({ ...base, site, sessions })
  stack.defer(() => claims.stop())
  const permits = createPermits({ ...base, site, sessions, indexing, people: people.sessions })
  stack.defer(() => permits.stop())
  const notifier = createNotifier({ ...base, site, permits, people: people.sessions })
  stack.defer(() => notifier.stop())
  const originals = createOriginals({ ...base, site })
  stack.defer(() => originals.stop())
  stack.defer(async () => void (await Promise.all([outbox.stop(), following.stop(), indexing.stop()])))

  function isOwnServer(jid: BareJid): boolean {
    return domainOf(jid) === siteDomain
  }

  async function welcome(jid: BareJid, session: XmppSession): Promise<void> {
    await local?.firstSignInDone()
    if (mayBlog(config, jid)) await addAuthor({ ...base, sessions: () => session, indexing }, jid)
    await knowPerson(base, jid)
    outbox.wake(jid)
    // Asked now, so that the first page knows.
    rooms.mayOpen(jid)
    void following.merge(session)
    void permits.ask(session)
    void notifier.readFollowers(session)
  }

  addGauges(metrics, { ...base, site, people, indexing })
  const readHealth = createHealthCheck({ ...base, site })
  await indexing.start()
  await proofs.start()
  await rooms.start()
  await outbox.start()
  claims.start()
  following.start()
  permits.start()
  notifier.start()
  originals.start()
  await people.restore()
  remaker.start()
  const sweep = async () => {
    await people.sweep()
    for (const db of [index, state]) await refreshStatistics(db)
  }
  const sweeping = setInterval(() => {
    sweep().catch((error: unknown) => log.error(`Sweeping failed: ${describeError(error)}`))
  }, SWEEP_MS)
  stack.defer(() => clearInterval(sweeping))
  const owned = stack.move()
  return {
    ...base,
    site,
    people,
    indexing,
    permits,
    outbox,
    proofs,
    rooms,
    sessions,
    metrics,
    measureUploads: local?.measureUploads,
    readHealth,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface SiteParts {
  readonly account: NonNullable<Config['xmpp']>
  readonly state: StateDb
  readonly log: Logger
}

async function openSite({ account, state, log }: SiteParts): Promise<XmppSession> {
  const userAgentId = (await findSetting(state, 'site-user-agent')) ?? randomUUID()
  await saveSetting(state, 'site-user-agent', userAgentId)
  // The password is at hand at every start, so the token need not outlive the process.
  let token: FastToken | undefined
  return openSession({
    ...account,
    userAgentId,
    credentials: () => ({ password: account.password, ...(token === undefined ? {} : { token }) }),
    saveToken: (fresh) => {
      token = fresh
    },
    isSite: true,
    log,
  })
}

function requireLocal(local: LocalServer | undefined): LocalServer {
  if (local === undefined) throw new Error('There is neither a configured account nor a local server')
  return local
}
