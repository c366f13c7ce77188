import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { addFollow, deleteFollow } from '#server/store/follow.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { writeXml } from '#shared/xml.ts'
import { jidOf } from '#test/support/context.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO, xml } from '../feeds/fixtures.ts'
import { seedAuthor, seedPost } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const MALLORYS: NodeAddress = { service: MALLORY, node: NS.MICROBLOG }
const GARDEN: NodeAddress = { service: jidOf('pubsub.montague.example'), node: 'garden' }
const LONG_AGO = new Date('2000-01-01')

async function follow({ ctx }: TestSite, address: NodeAddress, since = LONG_AGO): Promise<void> {
  await addNode(ctx.index, {
    address,
    kind: address.node === NS.MICROBLOG ? 'blog' : 'community',
    owner: address.service,
    now: ctx.clock(),
  })
  await addFollow(ctx.state, { follower: ROMEO, address, since })
}

/** Puts a post on any feed, as if it came just now. */
async function post({ ctx }: TestSite, address: NodeAddress, item: string, publisher: string = MALLORY): Promise<void> {
  const payload = entryOf({ title: `Title of ${item}`, author: publisher })
  assert.equal(await publishTo(ctx, itemOf(address, item), { payload, publisher }), 'stored')
}

/** Romeo follows Mallory and a garden; each has a post that nobody put on the web. */
async function followingSite(): Promise<TestSite> {
  const site = await createTestSite()
  await seedAuthor(site)
  for (const address of [MALLORYS, GARDEN]) await follow(site, address)
  await post(site, MALLORYS, 'quiet')
  await post(site, GARDEN, 'weeds')
  return site
}

const NEW = /<strong class="new">New<\/strong>/g
const newOn = (page: string) => page.match(NEW)?.length ?? 0

describe('my timeline', () => {
  it('is for who is signed in, and shows how to begin', async () => {
    await using site = await createTestSite()
    const stranger = await site.browser().get('/home')
    assert.equal(stranger.statusCode, 303)
    assert.equal(stranger.headers.location, '/signin?next=%2Fhome')
    const { body } = await (await site.signedIn(ROMEO)).get('/home')
    assert.match(body, /The newest posts of everything you follow come here\./)
    assert.match(body, /<a class="button primary" href="\/following">Follow somebody<\/a>/)
    assert.match(body, /<nav[^>]*>\s*<a href="\/home">Home<\/a>/)
    assert.doesNotMatch(body, /Mark all as read/)
  })

  it('says while nothing of what I follow is read yet, and when there is nothing', async () => {
    await using site = await createTestSite()
    const romeo = await site.signedIn(ROMEO)
    await addFollow(site.ctx.state, { follower: ROMEO, address: MALLORYS, since: LONG_AGO })
    assert.match((await romeo.get('/home')).body, /What you follow is being read/)
    await follow(site, MALLORYS)
    assert.match((await romeo.get('/home')).body, /What you follow is being read/)
    await updateNode(site.ctx.index, MALLORYS, { isWaiting: 0 })
    assert.match((await romeo.get('/home')).body, /<p>No posts yet\.<\/p>/)
  })

  it('has the posts of everything that I follow, on the web or not, and of nothing else', async () => {
    await using site = await followingSite()
    await seedPost(site, 'balcony', { title: 'Not followed' })
    const romeo = await site.signedIn(ROMEO)
    const { body, headers } = await romeo.get('/home')
    assert.match(body, /Title of quiet/)
    assert.match(body, /Title of weeds/)
    assert.match(body, /according to pubsub\.montague\.example/)
    assert.doesNotMatch(body, /Not followed/)
    assert.match(body, /<meta name="robots" content="noindex">/)
    assert.match(String(headers['cache-control']), /private/)
    const juliet = await (await site.signedIn(JULIET)).get('/home')
    assert.doesNotMatch(juliet.body, /Title of/)
    await deleteFollow(site.ctx.state, { follower: ROMEO, address: GARDEN })
    assert.doesNotMatch((await romeo.get('/home')).body, /Title of weeds/)
  })

  it('leads to older posts, page by page', async () => {
    await using site = await createTestSite()
    await follow(site, MALLORYS)
    for (let n = 1; n <= 25; n++) {
      const payload = entryOf({ title: `Post ${n}.`, published: new Date(Date.UTC(2026, 0, n)).toISOString() })
      await publishTo(site.ctx, itemOf(MALLORYS, `p${n}`), { payload, publisher: MALLORY })
    }
    const romeo = await site.signedIn(ROMEO)
    const first = await romeo.get('/home')
    assert.match(first.body, /Post 25\./)
    assert.doesNotMatch(first.body, /Post 5\./)
    const [, older = ''] = /<a rel="next" href="([^"]*)"/.exec(first.body) ?? []
    assert.match((await romeo.get(older)).body, /Post 5\.[\s\S]*Post 1\./)
  })

  it('says what is new until it is opened, by a person, here or on its blog', async () => {
    await using site = await followingSite()
    const romeo = await site.signedIn(ROMEO)
    assert.equal(newOn((await romeo.get('/home')).body), 2)
    assert.equal(newOn((await romeo.get('/@mallory@evil.example')).body), 1)
    const path = '/@mallory@evil.example/quiet'
    await romeo.get(path, { 'sec-purpose': 'prefetch' })
    await site.app.inject({ method: 'HEAD', url: path, cookies: Object.fromEntries(romeo.cookies) })
    assert.equal(newOn((await romeo.get('/home')).body), 2)
    assert.equal((await romeo.get(path)).statusCode, 200)
    const { body } = await romeo.get('/home')
    assert.equal(newOn(body), 1)
    assert.equal(newOn((await romeo.get('/@mallory@evil.example')).body), 0)
    assert.equal(newOn((await site.browser().get('/@mallory@evil.example')).body), 0)
  })

  it('counts as read as a whole, but not what came after the page', async () => {
    await using site = await followingSite()
    const romeo = await site.signedIn(ROMEO)
    const page = await romeo.get('/home')
    const later = new Date(Date.now() + 120_000)
    site.ctx.setNow(later)
    await post(site, GARDEN, 'roses')
    const answer = await romeo.submit(page.body, '/home/read', {})
    assert.equal(answer.statusCode, 303)
    const { body } = await romeo.get('/home')
    assert.equal(newOn(body), 1)
    await romeo.submit(body, '/home/read', {})
    const read = await romeo.get('/home')
    assert.equal(newOn(read.body), 0)
    assert.doesNotMatch(read.body, /Mark all as read/)
  })

  it('counts as read of one blog, too', async () => {
    await using site = await followingSite()
    const romeo = await site.signedIn(ROMEO)
    const blog = '/@mallory@evil.example'
    const page = await romeo.get(blog)
    site.ctx.setNow(new Date(Date.now() + 120_000))
    await post(site, MALLORYS, 'later')
    const answer = await romeo.submit(page.body, '/home/read', {})
    assert.equal(answer.headers.location, blog)
    const { body } = await romeo.get(blog)
    assert.equal(newOn(body), 1)
    assert.match((await romeo.get('/home')).body, /New<\/strong>[\s\S]*New<\/strong>/, 'weeds, and what came later')
    await romeo.submit(body, '/home/read', {})
    assert.doesNotMatch((await romeo.get(blog)).body, /Mark all as read/)
    const home = await romeo.get('/home')
    assert.equal(newOn(home.body), 1, 'weeds')
    const uri = `xmpp:${JULIET}?;node=${BLOG.node}`
    assert.equal((await romeo.submit(home.body, '/home/read', { feed: uri })).statusCode, 303)
    assert.equal(newOn((await romeo.get('/home')).body), 1, 'not followed, so nothing is marked')
  })

  it('is marked as read by my own form only', async () => {
    await using site = await followingSite()
    const romeo = await site.signedIn(ROMEO)
    const until = new Date().toISOString()
    assert.equal((await romeo.post('/home/read', { until })).statusCode, 403)
    assert.equal((await romeo.submit((await romeo.get('/home')).body, '/home/read', { until: 'now' })).statusCode, 400)
    assert.equal(newOn((await romeo.get('/home')).body), 2)
  })
})

describe('what I follow', () => {
  it('I see all of, with its threads; who does not follow it only what is on the web', async () => {
    await using site = await followingSite()
    const more = commentsLink({ service: MALLORY, node: 'urn:xmpp:microblog:0:comments/talk' })
    const payload = entryOf({ title: 'Talk to me', author: MALLORY, more })
    await publishTo(site.ctx, itemOf(MALLORYS, 'talk'), { payload, publisher: MALLORY })
    const [blog, garden] = ['/@mallory@evil.example', '/c/pubsub.montague.example/garden']
    const romeo = await site.signedIn(ROMEO)
    assert.match((await romeo.get(blog)).body, /Title of quiet/)
    assert.match((await romeo.get(garden)).body, /Title of weeds/)
    assert.match((await romeo.get(`${blog}/talk`)).body, /<textarea/)
    for (const browser of [site.browser(), await site.signedIn(JULIET)]) {
      assert.doesNotMatch((await browser.get(blog)).body, /Title of quiet/)
      assert.doesNotMatch((await browser.get(garden)).body, /Title of weeds/)
      for (const path of [`${blog}/quiet`, `${blog}/talk/live.events`, `${garden}/weeds`]) {
        assert.equal((await browser.get(path)).statusCode, 404, path)
      }
    }
    await deleteFollow(site.ctx.state, { follower: ROMEO, address: MALLORYS })
    assert.equal((await romeo.get(`${blog}/quiet`)).statusCode, 404)
  })

  it('others follow of mine I see too, and what I wrote elsewhere', async () => {
    await using site = await followingSite()
    const own: NodeAddress = { service: ROMEO, node: NS.MICROBLOG }
    await addNode(site.ctx.index, { address: own, kind: 'blog', owner: ROMEO, now: site.ctx.clock() })
    await post(site, own, 'sonnet', ROMEO)
    const elsewhere = { service: jidOf('pubsub.capulet.example'), node: 'hall' }
    await addNode(site.ctx.index, { address: elsewhere, kind: 'community', now: site.ctx.clock() })
    await post(site, elsewhere, 'masque', ROMEO)
    const paths = ['/@romeo@montague.example/sonnet', '/c/pubsub.capulet.example/hall/masque']
    for (const path of paths) {
      assert.equal((await (await site.signedIn(ROMEO)).get(path)).statusCode, 200, path)
      assert.equal((await (await site.signedIn(JULIET)).get(path)).statusCode, 404, path)
    }
    assert.match((await (await site.signedIn(ROMEO)).get('/@romeo@montague.example')).body, /Title of sonnet/)
  })

  it('is where I come to when I sign in', async () => {
    await using site = await followingSite()
    const signIn = async (jid: string) => {
      const browser = site.browser()
      return (await browser.submit((await browser.get('/signin')).body, '/signin', { jid, password: 'secret' })).headers
        .location
    }
    assert.equal(await signIn(ROMEO), '/home')
    assert.equal(await signIn('tybalt@capulet.example'), '/')
  })
})

describe('the feeds of my timeline', () => {
  const addressOf = (page: string) => /href="https:\/\/blog\.example(\/home\/[\w.-]+\/atom\.xml)"/.exec(page)?.[1] ?? ''

  it('are at an address that only I am told, and that another one takes the place of', async () => {
    await using site = await followingSite()
    const romeo = await site.signedIn(ROMEO)
    const before = await romeo.get('/home')
    assert.equal(addressOf(before.body), '')
    const made = await romeo.submit(before.body, '/home/address', {})
    const page = await romeo.get(String(made.headers.location).replace(/#.*/, ''))
    assert.match(page.body, /<details[^>]* open>/)
    const path = addressOf(page.body)
    const reader = site.browser()
    const answer = await reader.get(path, { accept: 'application/atom+xml' })
    assert.equal(answer.statusCode, 200)
    assert.match(String(answer.headers['cache-control']), /^private/)
    assert.equal(answer.headers['x-robots-tag'], 'noindex')
    assert.match(answer.body, /Title of quiet/)
    assert.match(answer.body, /Title of weeds/)
    const json = await reader.get(path.replace('atom.xml', 'feed.json'))
    assert.equal(JSON.parse(json.body).items.length, 2)
    await romeo.submit(page.body, '/home/address', {})
    assert.equal((await reader.get(path)).statusCode, 404)
    const fresh = addressOf((await romeo.get('/home')).body)
    assert.equal((await reader.get(fresh)).statusCode, 200)
    for (const none of [`/home/${'A'.repeat(43)}/atom.xml`, '/home//atom.xml', '/home/null/atom.xml']) {
      assert.equal((await reader.get(none)).statusCode, 404, none)
    }
  })

  it('hold nobody’s posts under another’s name, and none that takes the place of another’s', async () => {
    await using site = await followingSite()
    const forged = entryOf({ title: 'Forged', author: JULIET })
    await publishTo(site.ctx, itemOf(MALLORYS, 'forged'), { payload: forged, publisher: MALLORY })
    const id = 'tag:capulet.example,2026-01-02:juliet/balcony'
    const payload = xml(
      writeXml(entryOf({ title: 'Said to be hers', author: JULIET, name: 'Juliet' })).replace('>x<', `>${id}<`),
    )
    await publishTo(site.ctx, itemOf(GARDEN, 'balcony'), { payload, publisher: JULIET })
    const romeo = await site.signedIn(ROMEO)
    await romeo.submit((await romeo.get('/home')).body, '/home/address', {})
    const { body } = await romeo.get(addressOf((await romeo.get('/home')).body))
    assert.match(body, /Title of quiet/)
    assert.doesNotMatch(body, /Forged|juliet/)
    assert.match(
      body,
      /Said to be hers[\s\S]*<name>Juliet \(according to pubsub\.montague\.example\)<\/name><\/author>/,
    )
    assert.match(body, /<id>xmpp:pubsub\.montague\.example\?;node=garden;item=balcony<\/id>/)
  })

  it('are in no log, also where something breaks', async () => {
    await using site = await followingSite()
    const secret = await requireFeedSecret(site.ctx, ROMEO)
    await site.ctx.index.schema.dropTable('tag').execute()
    await site.ctx.index.schema.dropTable('entry').execute()
    const path = `/home/${secret}/atom.xml`
    assert.equal((await site.browser().get(path)).statusCode, 500)
    assert.match(site.ctx.lines.join(), /\/home\/…\/atom\.xml/)
    assert.ok(!site.ctx.lines.join().includes(secret))
  })

  it('can be of one feed that I follow, page by page, and of none that I do not', async () => {
    await using site = await followingSite()
    for (let n = 0; n < 25; n++) await post(site, GARDEN, `rose${n}`)
    const romeo = await site.signedIn(ROMEO)
    await romeo.submit((await romeo.get('/home')).body, '/home/address', {})
    const path = addressOf((await romeo.get('/home')).body)
    const of = (uri: string) => `${path}?${new URLSearchParams({ feed: uri })}`
    const garden = 'xmpp:pubsub.montague.example?;node=garden'
    const { body } = await romeo.get(of(garden))
    assert.match(body, /rose1/)
    assert.doesNotMatch(body, /Title of quiet/)
    assert.match(body, /<id>xmpp:pubsub\.montague\.example\?;node=garden<\/id>/)
    const [, next = ''] = /rel="next"[^>]*href="https:\/\/blog\.example([^"]*)"/.exec(body) ?? []
    const second = await romeo.get(next.replaceAll('&amp;', '&'))
    assert.match(second.body, /<entry/)
    assert.doesNotMatch(second.body, /Title of quiet/)
    for (const uri of [`xmpp:${JULIET}?;node=${BLOG.node}`, 'garden', '', 'xmpp:pubsub.montague.example?;node=other']) {
      assert.equal((await romeo.get(of(uri))).statusCode, 404, uri)
    }
  })
})
