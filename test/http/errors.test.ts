import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { createTestSite } from './test-site.ts'

describe('an answer', () => {
  it('has a policy that lets nothing in from outside, and no inline script or style', async () => {
    await using site = await createTestSite()
    const page = await site.browser().get('/')
    const policy = String(page.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.ok(!policy.includes('unsafe') && !policy.includes('*') && !policy.includes('http'))
    assert.equal(page.headers['x-content-type-options'], 'nosniff')
    assert.match(String(page.headers['strict-transport-security']), /max-age=\d+/)
    assert.doesNotMatch(page.body, /<style|style="|<script(?![^>]* src="\/assets\/)/)
  })

  it('says no HSTS over plain http', async () => {
    await using site = await createTestSite({ env: { CANTO_URL: 'http://localhost:8080' } })
    assert.equal((await site.browser().get('/')).headers['strict-transport-security'], undefined)
  })
})

describe('an error', () => {
  it('is a page for a person, a line for a program, JSON for a script, each with its status', async () => {
    await using site = await createTestSite()
    const page = await site.browser().get('/nothing')
    assert.equal(page.statusCode, 404)
    assert.match(page.body, /<h1/)
    const line = await site.browser().get('/nothing', { accept: '*/*' })
    assert.equal(line.statusCode, 404)
    assert.equal(line.body, 'There is no such page.\n')
    const json = await site.browser().get('/nothing', { accept: 'application/json' })
    assert.equal(json.statusCode, 404)
    assert.equal(json.json().error, 'not-found')
  })

  it('is 400 for what the schema does not take, and for an address that cannot be decoded', async () => {
    await using site = await createTestSite()
    assert.equal((await site.browser().get('/?before=a&before=b')).statusCode, 400)
    const undecodable = await site.browser().get('/@juliet/%E0%A4%A')
    assert.equal(undecodable.statusCode, 400)
    assert.match(undecodable.body, /<h1[^>]*>[\s\S]*This address cannot be understood\./)
    assert.match(String(undecodable.headers['content-security-policy']), /default-src 'none'/)
    const owner = await site.signedIn('juliet@capulet.example')
    assert.equal((await owner.post('/write', { key: 'no spaces/allowed' })).statusCode, 400)
  })

  it('is never 500 for what somebody made up', async () => {
    await using site = await createTestSite()
    const owner = await site.signedIn('juliet@capulet.example')
    const paths = ['/signin', '/signout', '/write', '/@juliet/x/edit', '/@juliet/x/delete', '/@juliet/x/comments']
    paths.push('/@juliet/x/comments/y/remove', '/settings', '/consent', '/drafts/abcdefgh', '/drafts/abcdefgh/delete')
    paths.push('/outbox/1/drop', '/outbox/x/retry', '/drafts/%2e%2e/delete', `/@juliet/${'x'.repeat(9_000)}/edit`)
    const forms = [
      '',
      'token=a&token=b',
      'token=a.b.c',
      'token=.',
      '__proto__=x&constructor=y',
      '%00=%ff&key=%ff',
      '&&&===',
    ]
    for (const path of paths) {
      for (const form of forms) {
        const { statusCode } = await owner.send('POST', path, form)
        assert.ok(statusCode < 500, `${path} ${form}: ${statusCode}`)
      }
      for (const json of ['null', '[]', '"x"', '{"token":{"a":1},"key":7}', '{"jid":["a"],"password":{}}', '{']) {
        const { statusCode } = await owner.send('POST', path, json, { 'content-type': 'application/json' })
        assert.ok(statusCode < 500, `${path} ${json}: ${statusCode}`)
      }
      for (const query of [
        '?next=a&next=b',
        '?draft=%00',
        '?reply=~&reply=x',
        '?edits=a&edits=b',
        '?before=%ff&after=',
      ]) {
        const { statusCode } = await owner.get(path + query)
        assert.ok(statusCode < 500, `${path}${query}: ${statusCode}`)
      }
    }
  })

  it('is 413 for a body beyond bounds', async () => {
    await using site = await createTestSite()
    const answer = await site.browser().post('/signin', { jid: 'x'.repeat(300_000) })
    assert.equal(answer.statusCode, 413)
    assert.match(answer.body, /<h1/)
  })

  it('is 500 without a word about why when we fail, and the log has the reason', async () => {
    await using site = await createTestSite()
    await site.ctx.index.destroy()
    const answer = await site.browser().get('/')
    assert.equal(answer.statusCode, 500)
    assert.doesNotMatch(answer.body, /destroy|driver|stack|\.ts/)
    assert.ok(site.ctx.lines.some((line) => line.includes('A request failed')))
  })

  it('is 507 with the text in the form again where the disk is full', async () => {
    await using site = await createTestSite()
    const owner = await site.signedIn('juliet@capulet.example')
    const page = (await owner.get('/write')).body
    await sql`PRAGMA max_page_count = 1`.execute(site.ctx.state)
    // Longer than what is left of the last page.
    const text = 'What light through yonder window breaks? '.repeat(1000)
    const fields = { title: 'Lost?', text, action: 'publish' }
    const answer = await owner.submit(page, '/write', fields)
    assert.equal(answer.statusCode, 507)
    assert.match(answer.body, /There is no room left on the disk of this site: nothing was stored/)
    assert.match(answer.body, /yonder window/)
    await sql`PRAGMA max_page_count = 1000000`.execute(site.ctx.state)
    assert.equal((await owner.submit(answer.body, '/write', fields)).statusCode, 303)
  })

  it('is 403 for a form that another site sent', async () => {
    await using site = await createTestSite()
    const owner = await site.signedIn('juliet@capulet.example')
    const headers = { 'sec-fetch-site': 'cross-site' }
    assert.equal((await owner.post('/signout', {}, headers)).statusCode, 403)
    for (const path of ['/signout', '/settings', '/consent', '/drafts/abcdefgh/delete', '/outbox/1/drop']) {
      assert.equal((await owner.post(path, { token: 'forged', answer: 'yes' })).statusCode, 403, path)
    }
    assert.equal((await owner.get('/settings')).statusCode, 200)
  })
})

describe('what programs read', () => {
  it('is healthz, robots.txt and assets that never change', async () => {
    await using site = await createTestSite()
    const browser = site.browser()
    assert.equal((await browser.get('/healthz')).json().status, 'ok')
    assert.match((await browser.get('/robots.txt')).body, /Sitemap: https:\/\/blog\.example\/sitemap\.xml/)
    const [style = ''] = /\/assets\/[^"]*style\.css/.exec((await browser.get('/')).body) ?? []
    const css = await browser.get(style)
    assert.match(String(css.headers['cache-control']), /immutable/)
    assert.match(css.body, /font-display: optional/)
    assert.doesNotMatch(css.body, /font-display: swap|url\((?!fonts\/)/)
    const folder = style.replace('style.css', '')
    const script = await browser.get(`${folder}scripts/page.js`)
    assert.match(String(script.headers['content-type']), /javascript/)
    assert.doesNotMatch(script.body, /\.ts'/)
    for (const [, font = ''] of css.body.matchAll(/url\((fonts\/[^)]*)\)/g)) {
      assert.equal((await browser.get(folder + font)).statusCode, 200, font)
    }
    assert.equal((await browser.get(`${folder}../../package.json`)).statusCode, 404)
    assert.equal((await browser.get('/assets/older/style.css')).headers['cache-control'], 'no-cache')
  })
})
