import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { checkOutbox } from '#server/doctor-server.ts'
import { AppError } from '#server/errors.ts'
import { followNode } from '#server/feeds/follow.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { createHealthCheck } from '#server/health.ts'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { findFollow, listFollows } from '#server/store/follow.ts'
import { updateNode } from '#server/store/node.ts'
import { countOutbox, listWaiting } from '#server/store/outbox.ts'
import { savePublicSubscriptions } from '#server/store/public-subscription.ts'
import { asItemId, type NodeAddress, writeXmppUri } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createElement as el } from '#shared/xml.ts'
import { jidOf } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { entryOf } from '../feeds/fixtures.ts'
import { seedAuthor, seedPost } from './seed.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const juliet = jidOf('juliet@capulet.example')
const romeo = jidOf('romeo@montague.example')
const ROMEOS = blogOf(romeo)
const URI = writeXmppUri(ROMEOS)
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(200)])

const remote = createServer((request, response) => {
  if (request.url === '/blog') return response.end(`<head><link rel="alternate" href="xmpp:${romeo}"></head>`)
  response.writeHead(404).end()
})
let origin = ''
before(async () => {
  await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`
})
after(() => remote.close())

interface Scene extends AsyncDisposable {
  readonly site: TestSite
  readonly browser: TestBrowser
}

async function open(): Promise<Scene> {
  const site = await createTestSite({ isPublicAddress: (address) => address === '127.0.0.1' })
  const browser = await site.signedIn(juliet)
  const pubsub = site.ctx.network.pubsubOf(romeo)
  const config = { access_model: 'open' }
  for (const node of [NS.MICROBLOG, NS.NICK, NS.AVATAR_METADATA, NS.AVATAR_DATA]) {
    await pubsub.createNode({ service: romeo, node }, config)
  }
  for (let n = 1; n <= 7; n++) {
    const payload = entryOf({ title: `Sonnet ${n}`, author: romeo, published: `2026-01-0${n}T12:00:00Z` })
    await pubsub.publishItem({ ...ROMEOS, item: asItemId(`sonnet-${n}`) }, payload)
  }
  const feed = el(
    'feed',
    { xmlns: NS.ATOM },
    el('title', {}, 'Letters <b>of</b> Romeo'),
    el('subtitle', {}, 'From exile'),
  )
  await pubsub.publishItem({ ...ROMEOS, item: asItemId('0') }, feed)
  await pubsub.publishItem(
    { service: romeo, node: NS.NICK, item: asItemId('current') },
    el('nick', { xmlns: NS.NICK }, 'Romeo M.'),
  )
  const info = el('info', { id: 'pic', bytes: String(PNG.length), type: 'image/png' })
  const metadata = el('metadata', { xmlns: NS.AVATAR_METADATA }, info)
  await pubsub.publishItem({ service: romeo, node: NS.AVATAR_METADATA, item: asItemId('pic') }, metadata)
  const data = el('data', { xmlns: NS.AVATAR_DATA }, PNG.toString('base64'))
  await pubsub.publishItem({ service: romeo, node: NS.AVATAR_DATA, item: asItemId('pic') }, data)
  return { site, browser, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
}

async function look({ browser }: Scene, address: string) {
  const page = await browser.get('/following')
  return browser.submit(page.body, '/following/preview', { address })
}

async function upload({ browser, site }: Scene, text: string) {
  const page = await browser.get('/following')
  const [, token = ''] = /name="token" value="([^"]*)"/.exec(page.body) ?? []
  const parts = [
    `--x\r\ncontent-disposition: form-data; name="token"\r\n\r\n${token}\r\n`,
    `--x\r\ncontent-disposition: form-data; name="file"; filename="a.opml"\r\ncontent-type: text/xml\r\n\r\n${text}\r\n--x--\r\n`,
  ]
  return site.app.inject({
    method: 'POST',
    url: '/following/import',
    headers: { 'content-type': 'multipart/form-data; boundary=x', accept: 'text/html' },
    cookies: Object.fromEntries(browser.cookies),
    payload: parts.join(''),
  })
}

const followed = async ({ site }: Scene) => (await listFollows(site.ctx.state, juliet)).map(({ address }) => address)
const settled = ({ site }: Scene) => until(async () => (await listWaiting(site.ctx.state, juliet)).length === 0)

describe('Following by address', () => {
  it('shows what a stranger may see before: title, name, picture and the last five posts', async () => {
    await using scene = await open()
    const { body, statusCode } = await look(scene, `xmpp:${romeo}`)
    assert.equal(statusCode, 200)
    assert.match(body, /<h1[^>]*>Letters &lt;b&gt;of&lt;\/b&gt; Romeo<\/h1>/)
    assert.match(body, /From exile/)
    assert.match(body, /Romeo M\./)
    assert.deepEqual(
      [...body.matchAll(/Sonnet (\d)<\/h2>/g)].map(([, n]) => n),
      ['7', '6', '5', '4', '3'],
    )
    const [, picture = ''] = /<img class="avatar" src="([^"]*)"/.exec(body) ?? []
    const answer = await scene.browser.get(picture)
    assert.equal(answer.headers['content-type'], 'image/png')
    assert.deepEqual(await followed(scene), [])
  })

  it('then follows it, and leads to its page', async () => {
    await using scene = await open()
    const preview = await look(scene, romeo)
    const answer = await scene.browser.submit(preview.body, '/following', {})
    assert.deepEqual([answer.statusCode, answer.headers.location], [303, '/@romeo@montague.example'])
    assert.deepEqual(await followed(scene), [ROMEOS])
    assert.equal((await scene.browser.get('/@romeo@montague.example')).statusCode, 200)
    assert.match((await look(scene, romeo)).body, /You follow it\./)
  })

  it('reads the web address of a blog that names one', async () => {
    await using scene = await open()
    assert.match((await look(scene, `${origin}/blog`)).body, /Letters/)
  })

  it('says at the field what is wrong, and keeps what was typed', async () => {
    await using scene = await open()
    for (const [typed, status, words] of [
      ['romeo@@montague', 400, /is no address of a blog/],
      [`${origin}/nothing`, 404, /The page is not there/],
      ['http://10.0.0.1/', 403, /not on the open internet/],
      [`xmpp:${romeo}?;node=${NS.COMMENTS_PREFIX}x`, 400, /no blog/],
    ] as const) {
      const { body, statusCode } = await look(scene, typed)
      assert.equal(statusCode, status, typed)
      assert.match(body, words)
      assert.ok(body.includes(`value="${typed}"`))
    }
  })

  it('says that there is no such blog, and lets nobody follow it', async () => {
    await using scene = await open()
    const { body } = await look(scene, 'tybalt@montague.example')
    assert.match(body, /There is no such blog/)
    assert.doesNotMatch(body, /<button class="primary">Follow</)
    assert.match(
      (await look(scene, 'pubsub.montague.example nothing')).body,
      /There is no “nothing” at pubsub\.montague/,
    )
  })

  it('takes a single word for an account of the site, and names it', async () => {
    await using scene = await open()
    for (const typed of ['tybalt', ' @Tybalt '])
      assert.match((await look(scene, typed)).body, /There is no such blog at tybalt@capulet\.example/)
  })

  it('tells a server that there is not, or that is silent, from a blog that is closed', async () => {
    await using scene = await open()
    for (const [server, mayFollow] of [
      ['not-found', false],
      ['silent', true],
    ] as const) {
      scene.site.ctx.network.failNext('listItems', new AppError('unavailable', 'Away', { server }), {
        service: jidOf('tybalt@nowhere.invalid'),
      })
      const { body } = await look(scene, 'tybalt@nowhere.invalid')
      assert.match(body, /There is no XMPP server nowhere\.invalid, or it does not answer now\./)
      assert.equal(/<button class="primary">Follow</.test(body), mayFollow, server)
    }
  })

  it('shows my own blog as my own, and does not follow it', async () => {
    await using scene = await open()
    const { body } = await look(scene, juliet)
    assert.match(body, /This is your own blog\./)
    assert.doesNotMatch(body, /<button class="primary">Follow</)
    const answer = await scene.browser.submit(body, '/following', {})
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /This is your own blog\./)
    const opml = `<opml version="2.0"><body><outline type="rss" text="Mine" xmlUrl="xmpp:${juliet}"/></body></opml>`
    assert.match((await upload(scene, opml)).body, /Mine<\/bdi>: This is your own blog\./)
    assert.deepEqual(await followed(scene), [])
  })

  it('says at once that a private server talks to no other, and follows nothing elsewhere', async () => {
    const env = { CANTO_XMPP_JID: '', CANTO_XMPP_PASSWORD: '', CANTO_LOCAL_DOMAIN: 'capulet.example' }
    await using site = await createTestSite({ env })
    const browser = await site.signedIn(juliet)
    const scene = { site, browser, [Symbol.asyncDispose]: async () => {} }
    const words = /talks to no other server: only accounts and communities of capulet\.example can be followed here/
    const page = (await browser.get('/following')).body
    const opml = `<opml version="2.0"><body><outline type="rss" text="R" xmlUrl="xmpp:${romeo}"/></body></opml>`
    const form = (await browser.get('/communities/new')).body
    const asked = [
      await look(scene, romeo),
      await browser.submit(page, '/following/of', { address: romeo }),
      await browser.post('/following', { token: /name="token" value="([^"]*)"/.exec(page)?.[1] ?? '', address: URI }),
      await upload(scene, opml),
      await browser.get('/communities?service=pubsub.montague.example'),
      await browser.submit(form, '/communities', { service: 'pubsub.montague.example', title: 'T', who: 'everyone' }),
    ]
    for (const { body } of asked) assert.match(body, words)
    assert.deepEqual(await followed(scene), [])
    assert.deepEqual(await listWaiting(site.ctx.state, juliet), [])
    assert.doesNotMatch((await look(scene, 'tybalt@capulet.example')).body, words)
    assert.doesNotMatch((await browser.get('/communities?service=pubsub.capulet.example')).body, words)
  })

  it('ignores hostile answers, and shows what is left', async () => {
    await using scene = await open()
    const pubsub = scene.site.ctx.network.pubsubOf(romeo)
    await pubsub.publishItem(
      { service: romeo, node: NS.NICK, item: asItemId('current') },
      el('entry', { xmlns: 'x' }, 'no'),
    )
    const script = el('data', { xmlns: NS.AVATAR_DATA }, Buffer.from('<svg onload="alert(1)"/>').toString('base64'))
    await pubsub.publishItem({ service: romeo, node: NS.AVATAR_DATA, item: asItemId('pic') }, script)
    const bomb = entryOf({ title: '<script>alert(1)</script>', author: romeo, published: '2026-02-01T12:00:00Z' })
    await pubsub.publishItem({ ...ROMEOS, item: asItemId('bomb') }, bomb)
    const { body } = await look(scene, romeo)
    assert.doesNotMatch(body, /<script>alert|class="avatar"|onload/)
    assert.match(body, /Sonnet 7/)
  })

  it('looks at a few addresses at once, and no more', async () => {
    await using scene = await open()
    const { site, browser } = scene
    const silent = Promise.withResolvers<never>()
    silent.promise.catch(() => {})
    const session = site.people.session(juliet)
    if (session === undefined) throw new Error('Juliet is not signed in')
    session.pubsub.listItems = () => silent.promise
    const page = await browser.get('/following')
    const looks = [1, 2, 3].map(() => browser.submit(page.body, '/following/preview', { address: romeo }))
    const fourth = await until(async () => {
      const answer = await browser.submit(page.body, '/following/preview', { address: 'x@@y' })
      return answer.statusCode === 429 ? answer : undefined
    })
    assert.match(fourth.body, /Try again in a moment/)
    silent.reject(new AppError('timeout', 'No answer'))
    for (const answer of await Promise.all(looks)) assert.match(answer.body, /does not answer now/)
  })

  it('needs the form of the one who is signed in', async () => {
    await using scene = await open()
    const stranger = scene.site.browser()
    assert.equal((await stranger.get('/following')).headers.location, '/signin?next=%2Ffollowing')
    for (const path of ['', '/preview', '/unfollow', '/public', '/of']) {
      const answer = await scene.browser.post(`/following${path}`, { token: 'forged', address: URI })
      assert.equal(answer.statusCode, 403, path)
    }
    assert.deepEqual(await followed(scene), [])
  })

  it('is one click on the page of a blog that is known here', async () => {
    await using scene = await open()
    const { site, browser } = scene
    await seedAuthor(site, 'nurse@capulet.example')
    await seedPost(site, 'a-post', { jid: 'nurse@capulet.example', author: 'nurse@capulet.example' })
    const page = await browser.get('/@nurse')
    const answer = await browser.submit(page.body, '/following', {})
    assert.equal(answer.headers.location, '/@nurse')
    assert.equal((await followed(scene)).length, 1)
    await browser.submit((await browser.get('/@nurse')).body, '/following/unfollow', {})
    assert.deepEqual(await followed(scene), [])
    assert.doesNotMatch((await site.browser().get('/@nurse')).body, /action="\/following"/)
  })
})

describe('The page of a blog', () => {
  it('shows what its owner lets everybody know that they follow: with a page here, or by its address', async () => {
    await using scene = await open()
    const { ctx } = scene.site
    await seedAuthor(scene.site)
    await seedAuthor(scene.site, 'nurse@capulet.example')
    const nurses = blogOf(jidOf('nurse@capulet.example'))
    const cats = { service: jidOf('pubsub.example'), node: 'cats' }
    await savePublicSubscriptions(ctx.index, juliet, [{ address: nurses }, { address: cats, title: 'Cats <i>' }])
    const { body } = await scene.site.browser().get('/@juliet')
    assert.match(body, /<summary>Follows<\/summary>/)
    assert.match(body, /<a href="\/@nurse"><bdi>nurse<\/bdi>/)
    assert.match(body, /<a href="xmpp:pubsub\.example\?;node=cats"><bdi>Cats &lt;i&gt;<\/bdi>/)
    assert.doesNotMatch((await scene.site.browser().get('/@nurse')).body, /<summary>Follows/)
  })
})

describe('The page of what I follow', () => {
  it('tells how each stands, in words', async () => {
    await using scene = await open()
    const { site, browser } = scene
    const { ctx } = site
    ctx.network.failNext('subscribeNode', new AppError('forbidden', 'It does not let you in'), ROMEOS)
    await browser.submit((await look(scene, romeo)).body, '/following', {})
    await settled(scene)
    await updateNode(ctx.index, ROMEOS, {
      ...{ isWaiting: 0, backfill: 'partial', readAt: Date.UTC(2026, 0, 2, 10), unheardAt: Date.UTC(2026, 0, 2) },
    })
    const { body } = await browser.get('/following')
    assert.match(body, /Letters &lt;b/)
    assert.match(body, /Its server does not let your account subscribe\./)
    assert.match(body, /It does not let you in\./)
    assert.match(body, /Its server gives only its newest posts: older ones may be missing\./)
    assert.match(body, /Its server does not announce new posts/)
    assert.match(body, /datetime="2026-01-02T10:00:00.000Z"/)
    await browser.submit(body, '/following/unfollow', {})
    assert.deepEqual(await followed(scene), [])
  })

  it('publishes it on wish only, after a warning', async () => {
    await using scene = await open()
    const { site, browser } = scene
    await browser.submit((await look(scene, romeo)).body, '/following', {})
    const page = await browser.get('/following')
    assert.match(page.body, /Everybody on the internet can then see/)
    const saved = await browser.submit(page.body, '/following/public', { public: 'on' })
    assert.match((await browser.get(String(saved.headers.location))).body, /Saved\.<\/strong> Everybody may know/)
    await settled(scene)
    const lists = [...site.ctx.network.nodes.values()].filter(({ address }) => address.service === juliet)
    const list = lists.find(({ address }) => address.node === NS.PUBLIC_SUBSCRIPTION_LIST)
    assert.equal(list?.items.size, 1)
    assert.match((await browser.get('/following')).body, /name="public"[^>]* checked/)
  })

  it('shows what a contact shows, by my own account and to me alone', async () => {
    await using scene = await open()
    const { site, browser } = scene
    const list: NodeAddress = { service: romeo, node: NS.SUBSCRIPTION_LIST }
    const pubsub = site.ctx.network.pubsubOf(romeo)
    await pubsub.createNode(list, { access_model: 'open' })
    const subscription = el(
      'subscription',
      { xmlns: NS.SUBSCRIPTION, server: 'pubsub.example', node: 'cats' },
      el('title', {}, 'Cats <i>'),
    )
    await pubsub.publishItem({ ...list, item: asItemId('a') }, subscription)
    const page = await browser.get('/following')
    const answer = await browser.submit(page.body, '/following/of', { address: romeo })
    assert.match(answer.body, /Cats &lt;i&gt;/)
    assert.match(
      answer.body,
      /<h2 class="part">What romeo@montague\.example follows<[\s\S]*<h2 class="part">What you follow</,
    )
    await pubsub.configureNode(list, { access_model: 'presence' })
    const refused = await browser.submit(page.body, '/following/of', { address: romeo })
    assert.match(refused.body, /does not show you what they follow/)
    assert.doesNotMatch(refused.body, /What romeo/)
    const everybodys: NodeAddress = { service: romeo, node: NS.PUBLIC_SUBSCRIPTION_LIST }
    await pubsub.createNode(everybodys, { access_model: 'open' })
    for (const node of ['cats', 'dogs']) {
      const payload = el('subscription', { xmlns: NS.PPS, jid: 'pubsub.example', node })
      await pubsub.publishItem({ ...everybodys, item: asItemId(node) }, payload)
    }
    assert.match((await browser.submit(page.body, '/following/of', { address: romeo })).body, /pubsub\.example dogs/)
    await pubsub.configureNode(list, { access_model: 'open' })
    const both = (await browser.submit(page.body, '/following/of', { address: romeo })).body
    assert.equal(both.match(/<li><a href="\/following\?address=/g)?.length, 2)
    const wrong = await browser.submit(page.body, '/following/of', { address: 'bla bla' })
    assert.match(wrong.body, /“bla bla” is no XMPP address/)
    assert.doesNotMatch(wrong.body, /What bla/)
  })
})

describe('What was written and waits', () => {
  it('is not lost among what is followed', async () => {
    await using scene = await open()
    const { site, browser } = scene
    site.people.session(juliet)?.stop()
    await browser.submit((await browser.get('/write')).body, '/write', {
      title: 'It waits',
      text: 'a',
      action: 'publish',
    })
    for (let n = 0; n < 3; n++) {
      const address = { service: romeo, node: `n${n}` }
      await followNode(site.ctx, juliet, { address })
    }
    const { body } = await browser.get('/drafts')
    assert.match(body, /It waits/)
    assert.doesNotMatch(body, /Following/)
  })

  it('is no worry to the operator while it is only the server of a followed blog that is away', async () => {
    await using scene = await open()
    const { ctx, people } = scene.site
    people.session(juliet)?.stop()
    await followNode(ctx, juliet, { address: ROMEOS })
    ctx.setNow(new Date(Date.now() + 5 * 3_600_000))
    const { problems } = await createHealthCheck(ctx)()
    assert.deepEqual(
      problems.filter((words) => words.includes('waits')),
      [],
    )
    assert.deepEqual(
      checkOutbox(await countOutbox(ctx.state), ctx.clock()).map(({ level }) => level),
      ['fine'],
    )
  })
})

describe('OPML', () => {
  it('goes out with XMPP addresses, and the secret feed of what has no public one', async () => {
    await using scene = await open()
    const { site, browser } = scene
    const secret = await requireFeedSecret(site.ctx, juliet)
    await seedAuthor(site, 'nurse@capulet.example')
    await browser.submit((await look(scene, 'nurse@capulet.example')).body, '/following', {})
    await browser.submit((await look(scene, romeo)).body, '/following', {})
    const { body, headers } = await browser.get('/following/opml.xml')
    assert.match(String(headers['content-type']), /opml/)
    assert.match(body, /xmlUrl="https:\/\/blog\.example\/@nurse\/atom\.xml"/)
    assert.match(
      body,
      new RegExp(
        `xmlUrl="https://blog.example/home/${secret.replace('.', '\\.')}/atom.xml\\?feed=[^"]*" xmppUri="${URI.replace('?', '\\?')}"`,
      ),
    )
    assert.equal((await site.browser().get('/following/opml.xml')).statusCode, 303)
    assert.match((await site.browser().get('/opml.xml')).body, /xmppUri="xmpp:juliet@capulet\.example\?;node=/)
  })

  it('comes in, nested and by any kind of address, and says what could not be followed', async () => {
    await using scene = await open()
    const opml = `<?xml version="1.0"?><opml version="2.0"><body>
      <outline text="Folder"><outline text="Romeo" xmppUri="${URI.replaceAll('&', '&amp;')}" xmlUrl="https://blog.example/home/S/atom.xml"/>
      <outline text="Again" xmlUrl="xmpp:${romeo}"/></outline>
      <outline text="By the web" htmlUrl="${origin}/blog" xmlUrl="${origin}/feed"/>
      <outline text="Cats" htmlUrl="xmpp:pubsub.example?;node=cats"/>
      <outline text="Nowhere &lt;b&gt;" htmlUrl="${origin}/nothing"/>
      <outline text="Inside" xmlUrl="http://192.168.0.1/feed"/>
    </body></opml>`
    const { body, statusCode } = await upload(scene, opml)
    assert.equal(statusCode, 200)
    assert.deepEqual(await followed(scene), [ROMEOS, { service: 'pubsub.example', node: 'cats' }])
    assert.match(body, /You follow 4 of the 6 feeds/)
    assert.match(body, /Nowhere &lt;b&gt;<\/bdi>: The page is not there/)
    assert.match(body, /Inside<\/bdi>: This address is not on the open internet/)
    assert.equal((await findFollow(scene.site.ctx.state, juliet, ROMEOS))?.feedUrl, undefined)
  })

  it('is bounded: too large, no list, or a bomb', async () => {
    await using scene = await open()
    assert.match((await upload(scene, 'x'.repeat(1_100_000))).body, /larger than 1 MB/)
    assert.match((await upload(scene, 'hello')).body, /names no feeds/)
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>${'<outline>'.repeat(50_000)}<outline text="&b;" xmlUrl="nothing"/>`
    assert.match((await upload(scene, bomb)).body, /Not imported/)
    const many = Array.from({ length: 2_500 }, (_, n) => `<outline xmppUri="xmpp:p.example?;node=n${n}"/>`).join('')
    assert.match((await upload(scene, many)).body, /You follow 2000 of the 2000/)
    assert.equal((await followed(scene)).length, 2_000)
  })
})
