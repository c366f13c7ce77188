import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { blogOf } from '#server/feeds/blog-of.ts'
import { type IndexDb, openIndex } from '#server/store/database.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { entryOf, itemOf } from '../feeds/fixtures.ts'
import { createTestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'
import { createRandom, listSeeds, type Random } from './seeds.ts'

const SERVERS = ['ejabberd', 'prosody'] as const
const KILLS = 3
/** Milliseconds at most before a kill, between it and the next start, and after that. */
const [BEFORE, AWAY, AFTER] = [800, 1_500, 500]
/** Milliseconds at most between two posts. */
const PAUSE = 80

describe('a Canto that is killed and starts while people publish misses nothing', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig?.stop())

  for (const seed of listSeeds()) {
    for (const home of SERVERS) {
      it(`on both servers, by a site account on ${home} (seed ${seed})`, async () => {
        const random = createRandom(seed)
        await using stack = new AsyncDisposableStack()
        const writers: Writer[] = []
        for (const server of SERVERS) writers.push(await createWriter(rig, server, stack))
        const product = stack.use(await startSite(rig, home, stack))
        const index = stack.adopt(await openIndex(join(product.data, 'index.sqlite')), (db) => db.destroy())
        for (const { session } of writers) await product.canto('follow', session.jid)
        await until(async () => (await listMissing(index, writers)).length === 0, { what: 'the first reading' })
        let longest = 0
        for (let kill = 0; kill < KILLS; kill++)
          longest = Math.max(longest, await killOnce({ product, index, writers, random }))
        const count = writers.reduce((sum, { published }) => sum + published.size, 0)
        console.log(`# ${KILLS} kills, ${count} posts, all there ${Math.ceil(longest)} ms after a start at the latest`)
      })
    }
  }
})

interface Scene {
  readonly product: Product
  readonly index: IndexDb
  readonly writers: readonly Writer[]
  readonly random: Random
}

/** Returns how many milliseconds after the start nothing was missing. */
async function killOnce({ product, index, writers, random }: Scene): Promise<number> {
  const stopping = new AbortController()
  const writing = writers.map((writer) => writer.write(random, stopping.signal))
  await sleep(random.next() * BEFORE)
  await product.kill()
  await sleep(random.next() * AWAY)
  await product.start()
  const begun = performance.now()
  await sleep(random.next() * AFTER)
  stopping.abort()
  await Promise.all(writing)
  await until(
    async () => {
      assert.deepEqual(await listMissing(index, writers), [])
      return true
    },
    { what: 'everything that was published', timeout: 60_000 },
  )
  return performance.now() - begun
}

async function listMissing(index: IndexDb, writers: readonly Writer[]): Promise<string[]> {
  const missing: string[] = []
  for (const { session, published } of writers) {
    const rows = await index
      .selectFrom('entry')
      .innerJoin('node', 'node.id', 'entry.nodeId')
      .select('entry.item')
      .where('node.service', '=', session.jid)
      .execute()
    const known = new Set<string>(rows.map(({ item }) => item))
    for (const item of published) if (!known.has(item)) missing.push(`${session.jid} ${item}`)
  }
  return missing
}

interface Writer {
  readonly session: XmppSession
  /** Items that its server has acknowledged. */
  readonly published: ReadonlySet<string>
  /** Publishes one post after the other, and now and then an older one again, until it is told to stop. */
  write(random: Random, signal: AbortSignal): Promise<void>
}

async function createWriter(rig: Rig, server: (typeof SERVERS)[number], stack: AsyncDisposableStack): Promise<Writer> {
  const user = `writer-${randomUUID().slice(0, 8)}`
  await rig[server].register(user, `password of ${user}`)
  const session = stack.use(openTestSession(rig[server], user))
  await session.whenOnline(30_000)
  const blog = blogOf(session.jid)
  await session.pubsub.createNode(blog, BASE_CONFIG)
  await session.pubsub.configureNode(blog, BASE_CONFIG)
  const published = new Set<string>()
  async function publish(item: string): Promise<void> {
    await session.pubsub.publishItem(itemOf(blog, item), entryOf({ title: `${item} at ${Date.now()}` }))
    published.add(item)
  }
  for (let i = 0; i < 30; i++) await publish(`post-${i}`)
  return {
    session,
    published,
    async write(random, signal) {
      while (!signal.aborted) {
        const again = random.next() < 0.1 ? random.pick([...published]) : undefined
        await publish(again ?? `post-${published.size}`)
        await sleep(random.next() * PAUSE)
      }
    },
  }
}

async function startSite(rig: Rig, home: (typeof SERVERS)[number], stack: AsyncDisposableStack): Promise<Product> {
  const site = `site-${randomUUID().slice(0, 8)}`
  await rig[home].register(site, `password of ${site}`)
  const folder = stack.use(await createTestFolder())
  await writeFile(folder.file('ca.pem'), rig[home].certificate)
  return startProduct({
    CANTO_XMPP_JID: `${site}@${rig[home].domain}`,
    CANTO_XMPP_PASSWORD: `password of ${site}`,
    CANTO_XMPP_SERVICE: rig[home].service,
    NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
  })
}
