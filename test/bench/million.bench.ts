import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { ingest } from '#server/feeds/ingest.ts'
import { knowChanged } from '#server/feeds/known-blogs.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { addFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { listChangedWishes } from '#server/store/wanted-node.ts'
import { asItemId, type NodeAddress, writeXmppUri } from '#shared/address.ts'
import { blogPath } from '#shared/paths.ts'
import { parseXml } from '#shared/xml.ts'
import { createTestSite, type TestSite } from '#test/http/test-site.ts'
import { jidOf } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { createTimes, type Delay, measureDelay, type Times, writeDelay } from './delay.ts'
import type { LiveReaders, LiveReadersMessage } from './live-readers.ts'
import { BLOGS, fillMillion, POSTS } from './million.ts'
import { makePost } from './posts.ts'
import type { Benchmark } from './run.ts'
import { serve } from './serve.ts'

const READERS = 1_000
const SECONDS = Number(process.env.CANTO_BENCH_SECONDS ?? 300)
const IDLE_SECONDS = Math.min(SECONDS, 30)
/** Milliseconds between two rounds of what people do. */
const PAUSE = 200

interface Delays {
  readonly idle: Delay
  readonly busy: Delay
}

/** Blogs whose authors sign in, in turn: then they are read, so the network has them too. */
const SIGNED_IN = BLOGS.slice(0, 20)
// The first is followed live; the last is followed by one reader alone, so that unfollowing empties it.
const [LIVE_BLOG, LAST_BLOG] = [BLOGS[0], BLOGS.at(-1)] as [NodeAddress, NodeAddress]
const FOLLOWER = jidOf('romeo@montague.example')

async function liveOnMillion(): Promise<Delays> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTestFolder())
  const indexPath = folder.file('index.sqlite')
  await fillMillion(indexPath)
  const site = stack.use(await createTestSite({ indexPath, env: { CANTO_PROXY: '127.0.0.1' } }))
  for (const { service } of BLOGS.slice(0, -1)) await addAuthorRow(site.ctx.state, service, new Date())
  for (const address of BLOGS) await addFollow(site.ctx.state, { follower: FOLLOWER, address, since: new Date() })
  while ((await listChangedWishes(site.ctx.state, 1)).length > 0) await knowChanged(site.ctx)
  for (const blog of SIGNED_IN) await fillNetwork(site, blog)
  const ask = await serve(site.app)
  const livePath = blogPath({ domain: site.ctx.siteDomain }, LIVE_BLOG.service)
  const idle = await measureDelay(() => sleep(IDLE_SECONDS * 1000))
  const { port } = site.app.server.address() as AddressInfo
  const readers = await openReaders({ port, path: `${livePath}/live.events`, count: READERS })
  stack.defer(async () => void (await readers.stop()))
  const times = createTimes()
  let rounds = 0
  const busy = await measureDelay(async () => {
    rounds = await beBusy(site, { ask, livePath, times })
  })
  const events = await readers.countEvents()
  if (events < 2 * READERS) throw new Error(`${READERS} readers got only ${events} events`)
  console.log(`Event-loop delay in ms: ${writeDelay(busy)}; idle: ${writeDelay(idle)}`)
  console.log(`Times in ms, median and longest of ${rounds} rounds: ${times.write()}; ${events} events came live`)
  return { idle, busy }
}

async function fillNetwork({ ctx }: TestSite, { service, node }: NodeAddress): Promise<void> {
  const pubsub = ctx.network.pubsubOf(service)
  await pubsub.createNode({ service, node }, { access_model: 'open' })
  const posts = ctx.index.selectFrom('entry').innerJoin('node', 'node.id', 'entry.nodeId').select(['item', 'payload'])
  const ofBlog = posts.where('node.service', '=', service).where('node.node', '=', node)
  for (const { item, payload } of await ofBlog.orderBy('entry.publishedAt').execute()) {
    const parsed = parseXml(payload)
    if (parsed !== undefined) await pubsub.publishItem({ service, node, item }, parsed)
  }
}

interface Scene {
  readonly ask: (path: string) => Promise<string>
  readonly livePath: string
  readonly times: Times
}

/** Rounds of what people do until the time is over. Returns how many. */
async function beBusy(site: TestSite, { ask, livePath, times }: Scene): Promise<number> {
  const follower = await site.signedIn(FOLLOWER)
  const [, postPath = ''] = new RegExp(`href="(${livePath}/post-[^"]+)"`).exec(await ask(livePath)) ?? []
  await times.take('sitemap', () => ask('/sitemap.xml'))
  await times.take('part of the sitemap', () => ask('/sitemap-1.xml'))
  const form = (await follower.get('/following')).body
  await times.take('unfollow', () => follower.submit(form, '/following/unfollow', { address: writeXmppUri(LAST_BLOG) }))
  // The indexing does this every few seconds; it has no network here, so it is not started.
  const clearing = times.take('clearing what was unfollowed', () => knowChanged(site.ctx))
  const end = performance.now() + SECONDS * 1000
  let round = 0
  for (; performance.now() < end; round++) {
    const { service } = SIGNED_IN[round % SIGNED_IN.length] ?? LIVE_BLOG
    await times.take('sign-in', () => site.signedIn(service))
    await times.take('post arriving', () => arrive(site, round))
    await times.take('/', () => ask('/'))
    await times.take('/home', () => follower.get('/home'))
    await times.take('post page', () => ask(postPath))
    await times.take('sitemap again', () => ask('/sitemap.xml'))
    await sleep(PAUSE)
  }
  await clearing
  if ((await findNode(site.ctx.index, LAST_BLOG)) !== undefined) throw new Error('What was unfollowed is still there')
  return round
}

async function arrive({ ctx }: TestSite, number: number): Promise<void> {
  const { payload } = makePost(number)
  const item = asItemId(`arrived-${number}`)
  const sent = { id: item, payload, publisher: LIVE_BLOG.service }
  await ctx.network.pubsubOf(LIVE_BLOG.service).publishItem({ ...LIVE_BLOG, item }, payload)
  const outcome = await ingest(ctx, { kind: 'published', address: { ...LIVE_BLOG, item }, item: sent })
  if (outcome !== 'stored') throw new Error(`A post that arrived was ${outcome}`)
}

async function openReaders(readers: LiveReaders) {
  const worker = new Worker(new URL('./live-readers.ts', import.meta.url), { workerData: readers })
  const hear = async () => {
    const [message] = (await once(worker, 'message')) as [LiveReadersMessage]
    if (typeof message === 'object' && 'problem' in message) throw new Error(message.problem)
    return message
  }
  await hear()
  return {
    async countEvents() {
      worker.postMessage('count')
      const message = await hear()
      return typeof message === 'object' && 'events' in message ? message.events : 0
    },
    stop: () => worker.terminate(),
  }
}

let lived: Promise<Delays> | undefined
function live(): Promise<Delays> {
  lived ??= liveOnMillion()
  return lived
}

const delay: Benchmark = {
  name: `event-loop delay (p99) of a million posts (${POSTS.toLocaleString('en')}) and ${READERS.toLocaleString('en')} live readers, against the idle process`,
  unit: 'ms',
  isLong: true,
  measure: async () => (await live()).busy.p99,
  limit: async () => (await live()).idle.p99,
}

/** Here less is better. */
export const benchmarks = [delay]
