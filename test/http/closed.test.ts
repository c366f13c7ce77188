import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { scanNews } from '#server/feeds/notify/scan.ts'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { addFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { listNotifications } from '#server/store/notification.ts'
import { listOutbox } from '#server/store/outbox.ts'
import { saveOwnAccess } from '#server/store/own-access.ts'
import { addressKey, type NodeAddress, writeXmppUri } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { nodePath, postPath } from '#shared/paths.ts'
import { jidOf } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, JULIET, ROMEO } from '../feeds/fixtures.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const OWNER = jidOf('benvolio@montague.example')
const TYBALT = jidOf('tybalt@capulet.example')
const BLOG: NodeAddress = { service: OWNER, node: NS.MICROBLOG }
const COMMUNITY: NodeAddress = { service: jidOf('pubsub.montague.example'), node: 'plans' }
const SECRET = 'The masked ball'
const LONG_AGO = new Date('2000-01-01')
const HOUR = 3_600_000

const KINDS = {
  'a blog for contacts, of one who is a contact of the site': {
    address: BLOG,
    accessModel: 'presence',
    isContact: true,
  },
  'a community with a list of members': { address: COMMUNITY, accessModel: 'whitelist', isContact: false },
} as const

type Kind = (typeof KINDS)[keyof typeof KINDS]

/** The site account and Romeo may read a closed node; Tybalt follows it too, and may not. */
async function createScene({ address, accessModel, isContact }: Kind, siteOptions = {}): Promise<Scene> {
  const site = await createTestSite(siteOptions)
  const { ctx } = site
  ctx.setNow('2026-03-01T12:00:00Z')
  const owner = ctx.network.pubsubOf(OWNER)
  await owner.createNode(address, { access_model: accessModel, title: SECRET, max_items: 'max' })
  for (const jid of [ctx.siteJid, ROMEO]) await owner.setAffiliation(address, jid, 'member')
  if (isContact) ctx.site.contacts.add(OWNER)
  for (const follower of [ROMEO, TYBALT]) await addFollow(ctx.state, { follower, address, since: LONG_AGO })
  const publish = (item: string, title = SECRET) => {
    const more =
      "<category term='secrets'/><link rel='alternate' type='text/html' href='https://montague.example/ball'/>"
    return owner.publishItem(itemOf(address, item), entryOf({ title, text: SECRET, author: OWNER, more }))
  }
  await publish('ball')
  const romeo = await site.signedIn(ROMEO)
  const tybalt = await site.signedIn(TYBALT)
  await ctx.indexing.start()
  await ctx.indexing.idle()
  const sessionOf = (jid: BareJid) => ctx.sessions(jid) as FakeSession
  const ask = async () => {
    for (const jid of [ROMEO, TYBALT]) await ctx.permits.ask(sessionOf(jid))
  }
  return {
    ...{ site, address, publish, romeo, tybalt, sessionOf, ask },
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

interface Scene extends AsyncDisposable {
  readonly site: TestSite
  readonly address: NodeAddress
  publish(item: string, title?: string): Promise<void>
  readonly romeo: TestBrowser
  readonly tybalt: TestBrowser
  sessionOf(jid: BareJid): FakeSession
  ask(): Promise<void>
}

/** Every page and feed that could show something of the node. */
async function listDoors({ site: { ctx }, address }: Scene, jid: BareJid): Promise<string[]> {
  const place = { domain: ctx.siteDomain }
  const [feed, post] = [nodePath(place, address), postPath(place, itemOf(address, 'ball'))]
  const secret = await requireFeedSecret(ctx, jid)
  const uri = encodeURIComponent(writeXmppUri(address))
  const item = encodeURIComponent(writeXmppUri(itemOf(address, 'ball')))
  return [
    ...[
      '/',
      '/home',
      '/atom.xml',
      '/tag/secrets',
      '/sitemap.xml',
      '/sitemap-0.xml',
      '/sitemap-1.xml',
      '/opml.xml',
      '/communities',
      '/following',
    ],
    ...[`/home/${secret}/atom.xml`, `/home/${secret}/feed.json`, `/home/${secret}/atom.xml?feed=${uri}`],
    ...['/notifications', `/notifications/${secret}/atom.xml`, '/following/opml.xml', `/write?quote=${item}`],
    ...[feed, `${feed}/atom.xml`, `${feed}/feed.json`, `${feed}/tag/secrets`],
    ...[post, `${post}/atom.xml`, `${post}/people.json?q=b`, `${post}/reactions`, `${post}/share`, `${post}/edit`],
  ]
}

async function doorsThatShow(scene: Scene, browser: TestBrowser, jid: BareJid): Promise<string[]> {
  const found: string[] = []
  for (const door of await listDoors(scene, jid)) if ((await browser.get(door)).body.includes(SECRET)) found.push(door)
  return found
}

for (const [words, kind] of Object.entries(KINDS)) {
  describe(words, () => {
    it('is behind no door for somebody who only follows it, nor for strangers', async () => {
      await using scene = await createScene(kind)
      const { site, tybalt, ask } = scene
      assert.equal((await findNode(site.ctx.index, kind.address))?.status, 'restricted')
      for (const browser of [tybalt, site.browser()]) assert.deepEqual(await doorsThatShow(scene, browser, TYBALT), [])
      await ask()
      assert.deepEqual(await doorsThatShow(scene, tybalt, TYBALT), [])
      assert.deepEqual(await doorsThatShow(scene, site.browser(), TYBALT), [])
    })

    it('is made public by nobody whom its owner lets in: it is neither shared nor quoted', async () => {
      await using scene = await createScene(kind, { env: { CANTO_BLOGGERS: ROMEO } })
      const { site, romeo, ask } = scene
      await ask()
      const post = postPath({ domain: site.ctx.siteDomain }, itemOf(kind.address, 'ball'))
      const page = (await romeo.get(post)).body
      assert.ok(page.includes(SECRET) && !page.includes(`${post}/share`))
      const quote = `/write?${new URLSearchParams({ quote: writeXmppUri(itemOf(kind.address, 'ball')) })}`
      for (const path of [`${post}/share`, quote]) {
        const first = await romeo.get(path)
        const { statusCode, body } = first.statusCode === 303 ? await romeo.get(String(first.headers.location)) : first
        assert.equal(statusCode, 403, path)
        assert.ok(body.includes('cannot be shared') && !body.includes(SECRET), path)
      }
      const [, token = ''] = /name="token" value="([^"]*)"/.exec((await romeo.get('/write')).body) ?? []
      const sent = await romeo.post(`${post}/share`, { token, key: 'share-key-1', words: '' })
      assert.equal(sent.statusCode, 403)
      assert.equal((await listOutbox(site.ctx.state, ROMEO)).length, 0)
    })

    it('is said to be left out', async () => {
      await using scene = await createScene(kind)
      const { site, tybalt, ask } = scene
      await ask()
      const words = /only people whom its owner lets in may read it/i
      assert.match((await tybalt.get('/home')).body, words)
      assert.match((await tybalt.get('/following')).body, words)
      const secret = await requireFeedSecret(site.ctx, TYBALT)
      for (const query of ['', `?feed=${encodeURIComponent(writeXmppUri(kind.address))}`]) {
        const feed = await tybalt.get(`/home/${secret}/atom.xml${query}`)
        assert.equal(feed.statusCode, 200)
        assert.match(feed.body, words)
      }
      const page = await tybalt.get(nodePath({ domain: site.ctx.siteDomain }, kind.address))
      assert.equal(page.statusCode, 403)
      assert.match(page.body, /Only people whom its owner lets in/)
      const stranger = await site.browser().get(nodePath({ domain: site.ctx.siteDomain }, kind.address))
      assert.equal(stranger.statusCode, 404)
    })

    it('is shown to somebody whose own session fetched its newest item, for an hour', async () => {
      await using scene = await createScene(kind)
      const { site, romeo, sessionOf, ask } = scene
      assert.deepEqual(await doorsThatShow(scene, romeo, ROMEO), [])
      await ask()
      const secret = await requireFeedSecret(site.ctx, ROMEO)
      const feed = nodePath({ domain: site.ctx.siteDomain }, kind.address)
      const doors = await doorsThatShow(scene, romeo, ROMEO)
      for (const door of ['/home', `/home/${secret}/atom.xml`, feed, `${feed}/ball`, `${feed}/tag/secrets`]) {
        assert.ok(doors.includes(door), `${door} shows it`)
      }
      for (const door of ['/', `${feed}/atom.xml`, `${feed}/ball/atom.xml`]) assert.ok(!doors.includes(door), door)
      sessionOf(ROMEO).setStatus('waiting')
      site.ctx.setNow('2026-03-01T12:59:00Z')
      await ask()
      assert.match((await romeo.get('/home')).body, new RegExp(SECRET))
      site.ctx.setNow('2026-03-01T13:00:00Z')
      assert.deepEqual(await doorsThatShow(scene, romeo, ROMEO), [])
    })

    it('is renewed while the session is online, and lost with the right to read it', async () => {
      await using scene = await createScene(kind)
      const { site, romeo, ask } = scene
      await ask()
      for (let i = 1; i <= 3; i++) {
        site.ctx.setNow(new Date(Date.parse('2026-03-01T12:00:00Z') + i * 0.9 * HOUR))
        await ask()
        assert.match((await romeo.get('/home')).body, new RegExp(SECRET))
      }
      await site.ctx.network.pubsubOf(OWNER).setAffiliation(kind.address, ROMEO, 'none')
      site.ctx.setNow(new Date(Date.parse('2026-03-01T12:00:00Z') + 3.6 * HOUR))
      await ask()
      assert.deepEqual(await doorsThatShow(scene, romeo, ROMEO), [])
    })

    it('is not shown to somebody whose server makes up an item, or sends an older one', async () => {
      await using scene = await createScene(kind)
      const { site, tybalt, sessionOf, publish, ask } = scene
      const old = itemOf(kind.address, 'ball')
      await publish('later', 'A later secret')
      await site.ctx.indexing.idle()
      const answers = [
        { id: old.item, payload: entryOf({ title: SECRET, text: SECRET, author: OWNER }) },
        { id: itemOf(kind.address, 'later').item, payload: entryOf({ title: 'Guessed' }) },
        { id: itemOf(kind.address, 'later').item },
      ]
      const { pubsub } = sessionOf(TYBALT)
      for (const item of answers) {
        pubsub.listItems = async () => ({ items: [item], isComplete: true })
        site.ctx.setNow(new Date(site.ctx.clock().getTime() + 5 * 60_000))
        await ask()
        assert.deepEqual(await doorsThatShow(scene, tybalt, TYBALT), [])
      }
    })

    it('is not shown to somebody who may only write there, and whose server gives back what they wrote', async () => {
      await using scene = await createScene(kind)
      const { site, tybalt, sessionOf, ask } = scene
      const own = { id: itemOf(kind.address, 'own').item, payload: entryOf({ title: 'Mine', author: TYBALT }) }
      // Another account of his server is as good as himself.
      for (const publisher of [TYBALT, jidOf('abraham@evil.example')]) {
        const node = site.ctx.network.nodes.get(addressKey(kind.address))
        node?.items.set(own.id, { ...own, publisher })
        const session = sessionOf(TYBALT)
        Object.assign(session, { jid: publisher === TYBALT ? TYBALT : jidOf('tybalt@evil.example') })
        session.pubsub.listItems = async () => ({ items: [own], isComplete: true })
        site.ctx.setNow(new Date(site.ctx.clock().getTime() + 5 * 60_000))
        await ask()
        assert.equal(site.ctx.permits.has(session.jid, kind.address), false)
      }
      assert.deepEqual(await doorsThatShow(scene, tybalt, TYBALT), [])
    })

    it('shows what is new only to those who fetched that', async () => {
      await using scene = await createScene(kind)
      const { site, romeo, sessionOf, publish, ask } = scene
      await ask()
      site.ctx.permits.start()
      assert.match((await romeo.get('/home')).body, new RegExp(SECRET))
      // His server goes on with what he was shown.
      const { pubsub } = sessionOf(ROMEO)
      const known = await pubsub.listItems(kind.address, { max: 1 })
      pubsub.listItems = async () => known
      await publish('new', 'A new secret')
      const isNewHere = async () => (await site.ctx.index.selectFrom('entry').select('id').execute()).length === 2
      await until(isNewHere)
      assert.doesNotMatch((await romeo.get('/home')).body, /A new secret/)
      await ask()
      assert.doesNotMatch((await romeo.get('/home')).body, new RegExp(`${SECRET}|A new secret`))
    })

    it('tells nobody of what is written there who may not read it', async () => {
      await using scene = await createScene(kind)
      const { site, ask } = scene
      const { ctx } = site
      await ask()
      await scanNews({ ...ctx })
      const mention = (jid: BareJid) => `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${jid}'/>`
      const more = mention(ROMEO) + mention(TYBALT)
      const payload = entryOf({ title: SECRET, author: OWNER, more, published: '2026-03-01T12:00:00Z' })
      await ctx.network.pubsubOf(OWNER).publishItem(itemOf(kind.address, 'to-both'), payload)
      await ctx.indexing.idle()
      await scanNews({ ...ctx })
      assert.equal((await listNotifications(ctx.state, ROMEO, { limit: 10 })).length, 1)
      assert.deepEqual(await listNotifications(ctx.state, TYBALT, { limit: 10 }), [])
    })
  })
}

describe('a blog of a contact of the site account', () => {
  it('is for everybody where its owner’s session read that it is open, and only then', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    const blog: NodeAddress = { service: JULIET, node: NS.MICROBLOG }
    ctx.site.contacts.add(JULIET)
    const juliet = await site.signedIn(JULIET)
    await ctx.network.pubsubOf(JULIET).publishItem(itemOf(blog, 'balcony'), entryOf({ title: SECRET, author: JULIET }))
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const shows = async () => (await site.browser().get('/')).body.includes(SECRET)
    assert.ok(await shows())
    // Closed by another client: her own session finds out within the hour.
    await ctx.network.pubsubOf(JULIET).setAffiliation(blog, ctx.siteJid, 'member')
    await ctx.network.pubsubOf(JULIET).configureNode(blog, { access_model: 'presence' })
    ctx.setNow(new Date(Date.now() + HOUR))
    const session = ctx.sessions(JULIET)
    assert.ok(session)
    await ctx.permits.ask(session)
    assert.ok(!(await shows()))
    assert.match((await juliet.get(nodePath({ domain: ctx.siteDomain }, blog))).body, new RegExp(SECRET))
    await ctx.network.pubsubOf(JULIET).configureNode(blog, { access_model: 'open' })
    ctx.setNow(new Date(Date.now() + 2 * HOUR))
    await ctx.permits.ask(session)
    await ctx.indexing.idle()
    assert.ok(await shows())
  })

  it('is not opened by what a session says of the blogs of others', async () => {
    await using scene = await createScene(KINDS['a blog for contacts, of one who is a contact of the site'])
    const { site, sessionOf } = scene
    const { pubsub } = sessionOf(TYBALT)
    pubsub.readConfig = async () => ({ access_model: 'open' })
    await site.ctx.permits.ask(sessionOf(TYBALT))
    assert.equal((await findNode(site.ctx.index, BLOG))?.status, 'restricted')
  })

  it('that its owner’s session read as closed is hidden at once when it is refused', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    await addFollow(ctx.state, { follower: ROMEO, address: BLOG, since: LONG_AGO })
    const owner = ctx.network.pubsubOf(OWNER)
    await owner.createNode(BLOG, { access_model: 'open', max_items: 'max' })
    await owner.publishItem(itemOf(BLOG, 'ball'), entryOf({ title: SECRET, author: OWNER }))
    await ctx.indexing.start()
    await ctx.indexing.idle()
    await saveOwnAccess(ctx.state, BLOG, { accessModel: 'presence', now: ctx.clock() })
    await owner.configureNode(BLOG, { access_model: 'presence' })
    ctx.indexing.watch(BLOG)
    await ctx.indexing.idle()
    const node = await findNode(ctx.index, BLOG)
    assert.deepEqual([node?.status, node?.hiddenFor], ['hidden', 'closed'])
  })
})
