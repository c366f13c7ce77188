import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { ingest } from '#server/feeds/ingest.ts'
import { knowChanged } from '#server/feeds/known-blogs.ts'
import { addGauges } from '#server/gauges.ts'
import { createMetrics } from '#server/metrics.ts'
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
import { type Ask, serve } from './serve.ts'

const READERS = 1_000
const SECONDS = Number(process.env.CANTO_BENCH_SECONDS ?? 300)
const IDLE_SECONDS = Math.min(SECONDS, 30)
/** Milliseconds between two rounds of what people do. */
const PAUSE = 200
/** Milliseconds between two lines about what was measured so far. */
const TOLD_MS = 60_000
/** Behind a proxy it asks for a token. */
const METRICS_ENV = { CANTO_METRICS_TOKEN: '0123456789abcdef0123456789abcdef' }

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
  const start = performance.now()
  await fillMillion(indexPath)
  tell(`${POSTS.toLocaleString('en')} posts filled in ${((performance.now() - start) / 1000).toFixed()} s`)
  const metrics = createMetrics()
  const site = stack.use(
    await createTestSite({ indexPath, metrics, env: { CANTO_PROXY: '127.0.0.1', ...METRICS_ENV } }),
  )
  addGauges(metrics, { ...site.ctx, people: site.people })
  for (const { service } of BLOGS.slice(0, -1)) await addAuthorRow(site.ctx.state, service, new Date())
  for (const address of BLOGS) await addFollow(site.ctx.state, { follower: FOLLOWER, address, since: new Date() })
  while ((await listChangedWishes(site.ctx.state, 1)).length > 0) await knowChanged(site.ctx)
  for (const blog of SIGNED_IN) await fillNetwork(site, blog)
  const ask = await serve(site.app)
  const livePath = blogPath({ domain: site.ctx.siteDomain }, LIVE_BLOG.service)
  const idle = await measureDelay(() => sleep(IDLE_SECONDS * 1000))
  tell(`Event-loop delay in ms, idle for ${IDLE_SECONDS} s: ${writeDelay(idle)}`)
  const { port } = site.app.server.address() as AddressInfo
  const readers = await openReaders({ port, path: `${livePath}/live.events`, count: READERS })
  tell(`${READERS.toLocaleString('en')} live readers are there`)
  stack.defer(async () => void (await readers.stop()))
  const times = createTimes()
  const busy = await measureDelay((soFar) => beBusy(site, { ask, livePath, times, soFar }))
  const events = await readers.countEvents()
  if (events < 2 * READERS) throw new Error(`${READERS} readers got only ${events} events`)
  for (const line of times.write()) tell(line)
  tell(`Event-loop delay in ms, busy for ${SECONDS} s: ${writeDelay(busy)}; ${events} events came live`)
  return { idle, busy }
}

function tell(line: string): void {
  console.log(line)
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
  readonly ask: Ask
  readonly livePath: string
  readonly times: Times
  readonly soFar: () => Delay
}

/** Rounds of what people do until the time is over. */
async function beBusy(site: TestSite, scene: Scene): Promise<void> {
  const { ask, times } = scene
  const follower = await site.signedIn(FOLLOWER)
  const sitemap = await times.take('sitemap', () => ask('/sitemap.xml'))
  const parts = [...sitemap.matchAll(/<loc>[^<]*(\/sitemap-\d+\.xml)<\/loc>/g)].flatMap(([, path]) => path ?? [])
  const form = (await follower.get('/following')).body
  await times.take('unfollow', () => follower.submit(form, '/following/unfollow', { address: writeXmppUri(LAST_BLOG) }))
  // The indexing does this every few seconds; it has no network here, so it is not started.
  const clearing = times.take('clearing what was unfollowed', () => knowChanged(site.ctx))
  const pages = await findPages(scene)
  const start = performance.now()
  let told = start
  for (let round = 0; performance.now() - start < SECONDS * 1000; round++) {
    const { service } = SIGNED_IN[round % SIGNED_IN.length] ?? LIVE_BLOG
    await times.take('sign-in', () => site.signedIn(service))
    await times.take('post arriving', () => arrive(site, round))
    await times.take('/home', () => follower.get('/home'))
    for (const [name, path] of pages) await times.take(name, () => ask(path))
    await times.take('sitemap again', () => ask('/sitemap.xml'))
    const part = parts[round % parts.length] ?? '/sitemap-0.xml'
    await times.take('part of the sitemap', () => ask(part))
    await times.take('/metrics', () => ask('/metrics', { authorization: `Bearer ${METRICS_ENV.CANTO_METRICS_TOKEN}` }))
    await times.take('/healthz', () => ask('/healthz'))
    if (performance.now() - told > TOLD_MS) {
      told = performance.now()
      tell(`Event-loop delay in ms, after ${((told - start) / 1000).toFixed()} s: ${writeDelay(scene.soFar())}`)
    }
    await sleep(PAUSE)
  }
  await clearing
  if ((await findNode(site.ctx.index, LAST_BLOG)) !== undefined) throw new Error('What was unfollowed is still there')
}

/** What anybody reads, by name: the newest post of the blog with a comment among them. */
async function findPages({ ask, livePath }: Scene): Promise<Map<string, string>> {
  const blog = await ask(livePath)
  const posts = [...blog.matchAll(new RegExp(`href="(${livePath}/post-[^"#]+)"`, 'g'))].flatMap(
    ([, path]) => path ?? [],
  )
  for (const path of posts) {
    if (!(await ask(path)).includes('It is the east.')) continue
    return new Map([
      ['/', '/'],
      ['blog', livePath],
      ['post with its thread', path],
      ['tag of every post', '/tag/night'],
      ['tag of few posts', '/tag/tag-7'],
      ['feed', '/atom.xml'],
    ])
  }
  throw new Error(`No post of ${livePath} has a comment`)
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
