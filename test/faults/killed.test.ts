import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { blogOf } from '#server/feeds/blog-of.ts'
import { type IndexDb, openIndex, openState } from '#server/store/database.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { type ItemAddress, type NodeAddress, writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { textOf } from '#shared/xml.ts'
import { entryOf, itemOf } from '../feeds/fixtures.ts'
import { createTestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { createRealContext } from '../support/real-context.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'
import { createWebClient, type WebClient } from '../support/web-client.ts'
import { FORGED } from './acts.ts'
import { watchAuthors } from './agreement.ts'
import { listDifferences } from './differences.ts'
import { createRandom, listSeeds, type Random } from './seeds.ts'

const [ACTS, KILLS, DAY] = [30, 4, 25 * 3_600_000]

describe('after Canto was killed again and again nodes, index and outbox agree:', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig?.stop())

  for (const seed of listSeeds()) {
    it(`with people of two servers at work meanwhile (seed ${seed})`, async () => {
      const random = createRandom(seed)
      const end = randomUUID().slice(0, 8)
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await createTestFolder())
      const people = await openPeople(rig, end, stack)
      const { juliet, mercutio, mallory, verona } = people
      const product = stack.use(await startSite(rig, { folder, site: `site-${end}`, blogger: juliet.jid }))
      const web = createWebClient(() => product.url)
      await web.signIn(juliet.jid, `password of juliet-${end}`)
      for (const address of [mercutio.jid, writeXmppUri(verona)]) await product.canto('follow', address)
      const paths = { indexPath: join(product.data, 'index.sqlite'), statePath: join(product.data, 'state.sqlite') }
      const index = stack.adopt(await openIndex(paths.indexPath), (db) => db.destroy())
      using watch = watchAuthors({ ctx: { index }, mallory })

      const work = createWork({ people, web, index, random })
      const kills = new Set(Array.from({ length: KILLS }, () => random.whole(ACTS)))
      let shown = 0
      for (let i = 0; i < ACTS; i++) {
        const acting = work.act().catch(() => {})
        if (kills.has(i)) {
          // At whatever step it is by then.
          await sleep(random.next() * 130)
          await product.kill()
        }
        await acting
        if (kills.has(i)) await product.start()
        if (work.path !== undefined) shown += expectHonest(await (await web.get(work.path)).text())
      }
      const state = stack.adopt(await openState(paths.statePath), (db) => db.destroy())
      await until(
        async () => {
          const waiting = await state.selectFrom('outbox').select('id').where('status', '=', 'waiting').execute()
          return waiting.length === 0
        },
        { what: 'the outbox to be empty', timeout: 60_000 },
      )
      await product.stop()
      // The next Canto, a day later: what could not be told at once is found out by then.
      const clock = () => new Date(Date.now() + DAY)
      const ctx = stack.use(await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}`, ...paths, clock }))
      await ctx.indexing.start()
      await until(
        async () => {
          await ctx.indexing.idle()
          assert.deepEqual(await listDifferences(ctx), [])
          return true
        },
        { what: 'nodes, index and outbox to agree', timeout: 60_000 },
      )
      watch.check()
      await expectOnce({ index, juliet }, work.answered)
      console.log(
        `# ${work.answered.size} posts were answered over ${kills.size} kills, ${shown} forgeries seen through`,
      )
    })
  }
})

interface People {
  readonly juliet: XmppSession
  readonly mercutio: XmppSession
  readonly mallory: XmppSession
  /** Where everybody may write. */
  readonly verona: NodeAddress
}

async function openPeople(rig: Rig, end: string, stack: AsyncDisposableStack): Promise<People> {
  const open = async (server: 'ejabberd' | 'prosody', user: string) => {
    await rig[server].register(user, `password of ${user}`).catch(() => {})
    const session = stack.use(openTestSession(rig[server], user))
    await session.whenOnline(30_000)
    return session
  }
  const juliet = await open('ejabberd', `juliet-${end}`)
  const mercutio = await open('prosody', `mercutio-${end}`)
  const mallory = await open('prosody', `mallory-${end}`)
  const admin = await open('prosody', 'admin')
  const verona = { service: 'pubsub.prosody.test' as BareJid, node: `verona-${end}` }
  await makeNode(admin, verona, { ...BASE_CONFIG, publish_model: 'open' })
  await makeNode(mercutio, blogOf(mercutio.jid), BASE_CONFIG)
  return { juliet, mercutio, mallory, verona }
}

interface WorkOptions {
  readonly people: People
  readonly web: WebClient
  readonly index: IndexDb
  readonly random: Random
}

/** Juliet posts on the site, Mercutio elsewhere, and Mallory forges both. */
function createWork({ people: { juliet, mercutio, mallory, verona }, web, index, random }: WorkOptions) {
  const answered = new Set<string>()
  const written: ItemAddress[] = []
  let path: string | undefined
  let count = 0
  async function post(): Promise<void> {
    const title = `Post ${++count}`
    const answer = await web.submit('/write', '/write', { title, text: title, comments: 'on', action: 'publish' })
    if (answer.status === 303) answered.add(title)
    path = answer.headers.get('location') ?? path
  }
  async function writeElsewhere(): Promise<void> {
    const known = random.pick(written)
    if (known !== undefined && random.next() < 0.2) return mercutio.pubsub.retractItem(known)
    const node = random.pick([verona, blogOf(mercutio.jid)]) ?? verona
    const address = known !== undefined && random.next() < 0.3 ? known : itemOf(node, `elsewhere-${++count}`)
    written.push(address)
    const words = { title: `Elsewhere ${++count}`, author: mercutio.jid, updated: new Date().toISOString() }
    await mercutio.pubsub.publishItem(address, entryOf(words))
  }
  async function forge(): Promise<void> {
    const forged = (victim: BareJid) => entryOf({ title: FORGED, text: FORGED, author: victim })
    const target = random.pick(written.filter(({ node }) => node === verona.node))
    await mallory.pubsub.publishItem(target ?? itemOf(verona, `forged-${++count}`), forged(mercutio.jid))
    const thread = await findThread(index)
    if (thread !== undefined) await mallory.pubsub.publishItem(itemOf(thread, `forged-${++count}`), forged(juliet.jid))
  }
  return {
    answered,
    /** Of the newest post. */
    get path() {
      return path
    },
    act: () => (random.pick([post, post, writeElsewhere, writeElsewhere, forge]) ?? post)(),
  }
}

interface SiteOptions {
  readonly folder: { file(name: string): string }
  readonly site: string
  readonly blogger: string
}

async function startSite(rig: Rig, { folder, site, blogger }: SiteOptions): Promise<Product> {
  await rig.ejabberd.register(site, `password of ${site}`)
  await writeFile(folder.file('ca.pem'), rig.ejabberd.certificate)
  return startProduct({
    CANTO_XMPP_JID: `${site}@${rig.ejabberd.domain}`,
    CANTO_XMPP_PASSWORD: `password of ${site}`,
    CANTO_XMPP_SERVICE: rig.ejabberd.service,
    CANTO_BLOGGERS: blogger,
    NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
  })
}

async function makeNode(owner: XmppSession, address: NodeAddress, config: Record<string, string>) {
  await owner.pubsub.createNode(address, config)
  await owner.pubsub.configureNode(address, config)
}

async function findThread(index: IndexDb) {
  const rows = await index.selectFrom('node').select(['service', 'node']).where('kind', '=', 'comments').execute()
  return rows.at(-1)
}

/** A forged comment is there as what it is; how many there are on a page. */
function expectHonest(page: string): number {
  const forged = (page.match(/<article class="comment[\s\S]*?<\/article>/g) ?? []).filter((text) =>
    text.includes(FORGED),
  )
  for (const comment of forged) {
    assert.match(comment, /not verified/)
    assert.doesNotMatch(comment, /p-name u-url/)
  }
  return forged.length
}

/** What was answered is on the node and in the index, once. */
async function expectOnce(
  { index, juliet }: { index: IndexDb; juliet: XmppSession },
  answered: ReadonlySet<string>,
): Promise<void> {
  const onNode: string[] = []
  for await (const items of juliet.pubsub.allItems(blogOf(juliet.jid))) {
    for (const { payload } of items) {
      const title = payload?.getChild('title')
      if (payload?.name === 'entry' && title !== undefined) onNode.push(textOf(title))
    }
  }
  const rows = await index
    .selectFrom('entry')
    .select('title')
    .where('author', '=', juliet.jid)
    .where('isPost', '=', 1)
    .execute()
  for (const titles of [onNode, rows.map(({ title }) => title)]) {
    assert.equal(new Set(titles).size, titles.length, 'nothing is doubled')
    for (const title of answered) assert.ok(titles.includes(title), `${title} is there`)
  }
}
