import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { BLOG, entryOf, itemOf, JULIET } from '../feeds/fixtures.ts'
import { createTestSite, type TestBrowser } from './test-site.ts'

const HOUR = 3_600_000

describe('the sign-in page', () => {
  it('gives a cookie that no script and no other site can use, and a new one each time', async () => {
    await using site = await createTestSite()
    const browser = site.browser()
    const page = await browser.get('/signin?next=/write')
    assert.match(page.body, /<label for="jid">XMPP address<\/label>/)
    assert.match(page.body, /<label for="password">Password<\/label>/)
    const answer = await browser.submit(page.body, '/signin', { jid: JULIET, password: 'secret' })
    assert.equal(answer.statusCode, 303)
    assert.equal(answer.headers.location, '/write')
    const cookie = answer.cookies.find(({ name }) => name === '__Host-canto')
    assert.ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === 'Lax' && cookie.path === '/')
    const again = site.browser()
    again.cookies.set('__Host-canto', 'planted'.padEnd(43, 'x'))
    const second = await again.submit((await again.get('/signin')).body, '/signin', { jid: JULIET, password: 'secret' })
    assert.notEqual(second.cookies.find(({ name }) => name === '__Host-canto')?.value, 'planted'.padEnd(43, 'x'))
  })

  it('keeps the address that was typed and never the password, and says what is wrong, with its status', async () => {
    await using site = await createTestSite()
    const browser = site.browser()
    const page = (await browser.get('/signin')).body
    const wrong = await browser.submit(page, '/signin', { jid: JULIET, password: 'wrong-one' })
    assert.equal(wrong.statusCode, 401)
    assert.match(wrong.body, /The address or the password is wrong/)
    assert.match(wrong.body, /value="juliet@capulet\.example"/)
    assert.doesNotMatch(wrong.body, /wrong-one/)
    const other = await browser.submit(page, '/signin', { jid: 'a@elsewhere.example', password: 'x' })
    assert.equal(other.statusCode, 403)
    const none = await browser.submit(page, '/signin', { jid: 'not an address', password: 'x' })
    assert.equal(none.statusCode, 400)
  })

  it('is 429 with Retry-After after too many wrong passwords', async () => {
    await using site = await createTestSite()
    const browser = site.browser()
    const page = (await browser.get('/signin')).body
    const guesses = Array.from({ length: 5 }, () => browser.submit(page, '/signin', { jid: JULIET, password: 'wrong' }))
    await Promise.all(guesses)
    const answer = await browser.submit(page, '/signin', { jid: JULIET, password: 'secret' })
    assert.equal(answer.statusCode, 429)
    assert.ok(Number(answer.headers['retry-after']) > 0)
    assert.match(answer.body, /Wait \d+ minutes/)
  })

  it('still lets somebody in on a browser where they signed in before, whatever others guess from the same network', async () => {
    await using site = await createTestSite()
    const signIn = async (browser: TestBrowser, password: string) => {
      const { body } = await browser.get('/signin')
      return (await browser.submit(body, '/signin', { jid: JULIET, password })).statusCode
    }
    const own = await site.signedIn(JULIET)
    await own.submit((await own.get('/settings')).body, '/signout', {})
    assert.equal((await own.get('/settings')).statusCode, 303)
    for (let guess = 0; guess < 5; guess++) assert.equal(await signIn(site.browser(), 'wrong'), 401)
    assert.equal(await signIn(site.browser(), 'secret'), 429)
    assert.equal(await signIn(own, 'secret'), 303)
  })

  it('believes the address of a client only from a proxy it was told of', async () => {
    await using site = await createTestSite({ env: { CANTO_PROXY: '127.0.0.1' } })
    await using open = await createTestSite()
    const guess = async (of: typeof site, client: string, name: number) => {
      const browser = of.browser()
      const page = (await browser.get('/signin')).body
      const [, token = ''] = /name="token" value="([^"]*)"/.exec(page) ?? []
      const fields = { token, jid: `user${name}@capulet.example`, password: 'wrong' }
      return (await browser.post('/signin', fields, { 'x-forwarded-for': client })).statusCode
    }
    const of = (app: typeof site) => Promise.all(Array.from({ length: 21 }, (_, n) => guess(app, `192.0.2.${n}`, n)))
    assert.ok(!(await of(site)).includes(429))
    assert.ok((await of(open)).includes(429))
  })

  it('is 503 where the account’s server does not answer, which is no wrong password', async () => {
    await using site = await createTestSite()
    site.failNextSignIn(new AppError('unavailable', 'connection refused'))
    const browser = site.browser()
    const page = (await browser.get('/signin')).body
    const answer = await browser.submit(page, '/signin', { jid: JULIET, password: 'secret' })
    assert.equal(answer.statusCode, 503)
    assert.match(answer.body, /The XMPP server of capulet\.example does not answer/)
    assert.ok(answer.headers['retry-after'] !== undefined)
  })

  it('sends nobody to another site afterwards', async () => {
    await using site = await createTestSite()
    for (const next of [
      '//evil.example/',
      'https://evil.example/',
      '/\\evil.example',
      'javascript:alert(1)',
      '/\t/evil.example',
      '/.//evil.example',
      '/a/..//evil.example',
      '/./\\evil.example',
    ]) {
      const browser = site.browser()
      const page = await browser.get(`/signin?${new URLSearchParams({ next })}`)
      const answer = await browser.submit(page.body, '/signin', { jid: JULIET, password: 'secret' })
      assert.equal(answer.statusCode, 303)
      const target = new URL(String(answer.headers.location), 'https://blog.example')
      assert.equal(target.origin, 'https://blog.example', next)
    }
  })

  it('works in no form that was made for another browser', async () => {
    await using site = await createTestSite()
    const page = (await site.browser().get('/signin')).body
    const answer = await site.browser().submit(page, '/signin', { jid: JULIET, password: 'secret' })
    assert.equal(answer.statusCode, 403)
    assert.equal(
      answer.cookies.find(({ name }) => name === '__Host-canto'),
      undefined,
    )
  })
})

describe('signing out', () => {
  it('ends this browser’s session', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const kept = new Map(browser.cookies)
    const answer = await browser.submit((await browser.get('/settings')).body, '/signout', {})
    assert.equal(answer.statusCode, 303)
    for (const [name, value] of kept) browser.cookies.set(name, value)
    assert.equal((await browser.get('/settings')).statusCode, 303)
  })

  it('that the account’s server did is said on the next page, and why', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const session = site.ctx.sessions(JULIET) as unknown as { setStatus(status: string): void }
    session.setStatus('refused')
    await new Promise((resolve) => setImmediate(resolve))
    const page = await browser.get('/')
    assert.match(page.body, /You were signed out\./)
    assert.match(page.body, /Your XMPP server no longer accepts/)
    assert.match((await browser.get('/signin')).body, /value="juliet@capulet\.example"/)
    assert.doesNotMatch((await browser.get('/')).body, /You were signed out/)
  })
})

describe('a blog that was there before', () => {
  it('is opened only at its owner’s word, with what would become public by number and date', async () => {
    await using site = await createTestSite()
    const theirs = site.ctx.network.pubsubOf(JULIET)
    await theirs.createNode(BLOG, { access_model: 'presence' })
    await theirs.publishItem(itemOf(BLOG, 'old'), entryOf({ published: '2020-02-03T00:00:00Z' }))
    const browser = site.browser()
    const form = (await browser.get('/signin?next=/write')).body
    const signedIn = await browser.submit(form, '/signin', { jid: JULIET, password: 'secret' })
    assert.equal(signedIn.headers.location, '/consent?next=%2Fwrite')
    assert.match((await browser.get('/write')).body, /href="\/consent"/)
    const question = await browser.get('/consent?next=/write')
    assert.match(question.body, /No\. 1, 3 February 2020/)
    const [, no = ''] = /href="(\/consent\?answer=no[^"]*)"/.exec(question.body) ?? []
    const refusal = await browser.get(no.replaceAll('&amp;', '&'))
    const answer = await browser.submit(refusal.body, '/consent', {})
    assert.equal(answer.statusCode, 303)
    assert.equal((await theirs.readConfig(BLOG)).access_model, 'presence')
    for (const page of ['/settings', '/@juliet']) assert.match((await browser.get(page)).body, /href="\/consent"/)
    const yes = await browser.submit((await browser.get('/consent')).body, '/consent', {})
    assert.equal(yes.statusCode, 303)
    assert.equal((await theirs.readConfig(BLOG)).access_model, 'open')
    assert.doesNotMatch((await browser.get('/settings')).body, /href="\/consent"/)
  })

  it('is not opened by a page that listed other posts than there are now', async () => {
    await using site = await createTestSite()
    const theirs = site.ctx.network.pubsubOf(JULIET)
    await theirs.createNode(BLOG, { access_model: 'whitelist' })
    await site.ctx.indexing.start()
    const browser = await site.signedIn(JULIET)
    const former = (await browser.get('/consent')).body
    assert.match(former, /it has no posts yet/)
    await theirs.publishItem(itemOf(BLOG, 'secret'), entryOf({ title: 'For friends', author: JULIET }))
    const answer = await browser.submit(former, '/consent', {})
    assert.match(String(answer.headers.location), /^\/consent\?changed/)
    assert.equal((await theirs.readConfig(BLOG)).access_model, 'whitelist')
    const again = await browser.get(String(answer.headers.location))
    assert.match(again.body, /this post would become public\. The list has changed/)
    // Another tab still shows the former list.
    await browser.submit(former, '/consent', {})
    assert.equal((await theirs.readConfig(BLOG)).access_model, 'whitelist')
    assert.equal((await browser.submit(again.body, '/consent', {})).headers.location, '/write')
    assert.equal((await theirs.readConfig(BLOG)).access_model, 'open')
  })

  it('shows at once when it is opened here, and within an hour when another client opens it', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    const theirs = ctx.network.pubsubOf(JULIET)
    await theirs.createNode(BLOG, { access_model: 'whitelist' })
    await theirs.publishItem(itemOf(BLOG, 'old'), entryOf({ title: 'It is the east', author: JULIET }))
    await ctx.indexing.start()
    const browser = await site.signedIn(JULIET)
    await ctx.indexing.idle()
    const isShown = async () => (await site.browser().get('/@juliet')).body.includes('It is the east')
    const session = ctx.sessions(JULIET)
    assert.ok(session && !(await isShown()))
    await browser.submit((await browser.get('/consent')).body, '/consent', {})
    await ctx.indexing.idle()
    assert.ok(await isShown())

    await theirs.configureNode(BLOG, { access_model: 'whitelist' })
    ctx.setNow(new Date(Date.now() + HOUR))
    await ctx.permits.ask(session)
    await ctx.indexing.idle()
    assert.ok(!(await isShown()))
    await theirs.configureNode(BLOG, { access_model: 'open' })
    ctx.setNow(new Date(Date.now() + 2 * HOUR))
    await ctx.permits.ask(session)
    await ctx.indexing.idle()
    assert.ok(await isShown())
  })
})
