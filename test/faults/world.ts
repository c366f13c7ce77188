import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { addAuthor } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/blog-of.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { createTestFolder } from '../support/folder.ts'
import { createRealContext, type RealContext } from '../support/real-context.ts'
import type { Rig, RigServer } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'

/** A Canto on ejabberd with writers on both servers, and people with other clients, good and bad. */
export interface World extends AsyncDisposable {
  readonly rig: Rig
  readonly ctx: RealContext
  /** Signed in to Canto: at the site's server, and at the other. */
  readonly juliet: XmppSession
  readonly romeo: XmppSession
  /** With another client at the other server: a blog of his own, and a community for all. */
  readonly mercutio: XmppSession
  readonly verona: NodeAddress
  /** She forges. */
  readonly mallory: XmppSession
  /** Signs out and in again: a session that has not just been dropped tries again at once. */
  renew(name: 'juliet' | 'romeo'): Promise<void>
  /** Moves Canto's clock; never the machine's. */
  stepClock(ms: number): void
}

export interface WorldOptions {
  /** Where the sessions of Juliet and Romeo go, instead of their servers themselves. */
  readonly by?: { readonly juliet: string; readonly romeo: string }
}

export async function createWorld(rig: Rig, options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTestFolder())
  const end = randomUUID().slice(0, 8)
  let offset = 0
  const ctx = stack.use(
    await createRealContext({
      home: rig.ejabberd,
      siteUser: `site-${end}`,
      ...folder.databases,
      clock: () => new Date(Date.now() + offset),
    }),
  )
  const open = async (server: RigServer, user: string) => {
    await server.register(user, `password of ${user}`).catch(() => {})
    const session = stack.use(openTestSession(server, user))
    await session.whenOnline(30_000)
    return session
  }
  const homes = { juliet: behind(rig.ejabberd, options.by?.juliet), romeo: behind(rig.prosody, options.by?.romeo) }
  const signIn = (name: keyof typeof homes) => ctx.signIn(homes[name], `${name}-${end}`)
  let [juliet, romeo] = [await signIn('juliet'), await signIn('romeo')]
  const mercutio = await open(rig.prosody, `mercutio-${end}`)
  const mallory = await open(rig.prosody, `mallory-${end}`)
  const admin = await open(rig.prosody, 'admin')
  const verona: NodeAddress = { service: 'pubsub.prosody.test' as BareJid, node: `verona-${end}` }
  await makeNode(admin, verona, { ...BASE_CONFIG, publish_model: 'open' })
  await makeNode(mercutio, blogOf(mercutio.jid), BASE_CONFIG)
  for (const { jid } of [juliet, romeo]) assert.equal((await addAuthor(ctx, jid)).kind, 'ready')
  for (const address of [verona, blogOf(mercutio.jid)]) {
    await addFollow(ctx.state, { follower: SITE, address, since: ctx.clock() })
  }
  await ctx.indexing.start()
  await ctx.outbox.start()
  await until(() => areAllSubscribed(ctx, 4), { what: 'the subscriptions' })
  const owned = stack.move()
  return {
    ...{ rig, ctx, mercutio, mallory, verona },
    get juliet() {
      return juliet
    },
    get romeo() {
      return romeo
    },
    async renew(name) {
      await ctx.signOut({ juliet, romeo }[name].jid)
      if (name === 'juliet') juliet = await signIn(name)
      else romeo = await signIn(name)
    },
    stepClock: (ms) => {
      offset += ms
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function behind(server: RigServer, service = server.service): RigServer {
  return { ...server, service }
}

async function makeNode(owner: XmppSession, address: NodeAddress, config: Record<string, string>): Promise<void> {
  await owner.pubsub.createNode(address, config)
  await owner.pubsub.configureNode(address, config)
}

async function areAllSubscribed({ index }: RealContext, least: number): Promise<boolean> {
  const rows = await index.selectFrom('node').select('subscription').execute()
  return rows.length >= least && rows.every(({ subscription }) => subscription === 'subscribed')
}
