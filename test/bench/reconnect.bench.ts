import { randomUUID } from 'node:crypto'
import { createDomainServices } from '#server/feeds/domain-services.ts'
import { createIndexing } from '#server/feeds/indexing.ts'
import { createLive } from '#server/feeds/live.ts'
import { silentLogger } from '#server/log.ts'
import { noMeters } from '#server/meters.ts'
import { openIndex, openState } from '#server/store/database.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import type { FastToken, Traffic, XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { jidOf } from '#test/support/context.ts'
import { type RigServer, useRig } from '#test/support/rig.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { fetchNaively } from './naive-client.ts'
import { makePost } from './posts.ts'
import type { Benchmark } from './run.ts'

const NODES = 100
const POSTS = 20
const CONFIG = { access_model: 'open', max_items: 'max', persist_items: '1', send_last_published_item: 'never' }

interface Spent {
  readonly resumed: Traffic
  readonly token: Traffic
  readonly naive: Traffic
}

/** From a line that breaks to an index that has what was published meanwhile on 2 nodes of 100. */
async function reconnect(): Promise<Spent> {
  await using stack = new AsyncDisposableStack()
  const rig = stack.use(await useRig({ servers: ['ejabberd'], own: true, resume: true }))
  const server = rig.ejabberd
  const proxy = stack.use(await startProxy(server.port))
  for (const user of ['romeo', 'site']) await server.register(user, `password of ${user}`)
  const romeo = stack.use(openTestSession(server, 'romeo'))
  await romeo.whenOnline(30_000)
  const nodes = await fillNodes(romeo)

  const index = stack.adopt(await openIndex(':memory:'), (database) => database.destroy())
  const state = stack.adopt(await openState(':memory:'), (database) => database.destroy())
  for (const address of nodes) await addFollow(state, { follower: SITE, address, since: new Date() })
  const begin = createSite(server, proxy.port)
  const deps = { index, state, live: createLive(), log: silentLogger, meters: noMeters, clock: () => new Date() }
  const config = { url: new URL('https://blog.example') }
  const listen = async (site: XmppSession) => {
    const services = createDomainServices({ site, clock: deps.clock })
    const indexing = createIndexing({ ...deps, site, services, siteDomain: jidOf(server.domain), config })
    await indexing.start()
    await indexing.idle()
    return indexing
  }
  const countPosts = async () => {
    const { count } = await index
      .selectFrom('entry')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  }

  const first = await begin()
  const indexing = await listen(first)
  await until(async () => (await countPosts()) === NODES * POSTS)
  const before = first.traffic
  proxy.pause()
  await until(() => first.status !== 'online')
  await publishNews(romeo, nodes, POSTS)
  proxy.resume()
  await until(async () => (await countPosts()) === NODES * POSTS + 2)
  await indexing.idle()
  const resumed = subtract(first.traffic, before)
  if (first.lastSignIn !== 'resumed') throw new Error(`It was not resumed, but signed in by ${first.lastSignIn}`)

  await indexing.stop()
  await first.stop()
  await publishNews(romeo, nodes, POSTS + 1)
  const second = await begin()
  const again = await listen(second)
  await until(async () => (await countPosts()) === NODES * POSTS + 4)
  await again.idle()
  const token = subtract(second.traffic, undefined)
  if (second.lastSignIn !== 'token') throw new Error(`It signed in by ${second.lastSignIn}, not by its token`)
  await again.stop()
  await second.stop()
  return { resumed, token, naive: await fetchNaively(server, 'site', nodes) }
}

async function fillNodes(session: XmppSession): Promise<NodeAddress[]> {
  const service = (await session.readServices()).pubsub
  if (service === undefined) throw new Error('There is no pubsub service')
  const nodes = Array.from({ length: NODES }, (_, number) => ({ service, node: `blog-${number}` }))
  for (const node of nodes) {
    await session.pubsub.createNode(node, CONFIG)
    await Promise.all(Array.from({ length: POSTS }, (_, number) => publish(session, node, number)))
  }
  return nodes
}

async function publish(session: XmppSession, node: NodeAddress, number: number): Promise<void> {
  const { payload } = makePost(number)
  await session.pubsub.publishItem({ ...node, item: asItemId(`post-${number}`) }, payload)
}

async function publishNews(session: XmppSession, nodes: readonly NodeAddress[], number: number): Promise<void> {
  for (const node of nodes.slice(0, 2)) await publish(session, node, number)
}

/** Sessions of the site account, which share its token. */
function createSite(server: RigServer, port: number) {
  const userAgentId = randomUUID()
  let token: FastToken | undefined
  return async () => {
    const session = openTestSession({ domain: server.domain, service: `xmpp://127.0.0.1:${port}` }, 'site', {
      ...{ isSite: true, userAgentId },
      credentials: () => ({ password: 'password of site', ...(token && { token }) }),
      saveToken: (saved) => {
        token = saved
      },
    })
    await session.whenOnline(30_000)
    return session
  }
}

function subtract(now: Traffic | undefined, then: Traffic | undefined): Traffic {
  const names = ['bytesIn', 'bytesOut', 'stanzasIn', 'stanzasOut', 'roundTrips'] as const
  const entries = names.map((name) => [name, (now?.[name] ?? 0) - (then?.[name] ?? 0)])
  return Object.fromEntries(entries) as unknown as Traffic
}

let spent: Promise<Spent> | undefined
const spend = () => {
  spent ??= reconnect()
  return spent
}
const roundTripsOf = ({ roundTrips }: Traffic) => roundTrips
const bytesOf = ({ bytesIn, bytesOut }: Traffic) => bytesIn + bytesOut

function compare(how: 'resumed' | 'token', unit: string, of: (traffic: Traffic) => number): Benchmark {
  const words = how === 'resumed' ? 'by resumption' : 'by token'
  return {
    name: `reconnecting ${words}, 2 of 100 nodes changed, against signing in and fetching all`,
    unit,
    measure: async () => of((await spend())[how]),
    limit: async () => of((await spend()).naive),
  }
}

/** Here less is better: the second number is what a client spends that keeps nothing. */
export const benchmarks = [
  compare('resumed', 'round trips', roundTripsOf),
  compare('resumed', 'bytes', bytesOf),
  compare('token', 'round trips', roundTripsOf),
  compare('token', 'bytes', bytesOf),
]
