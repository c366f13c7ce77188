import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listProofs } from '#server/store/proof.ts'
import { addressKey } from '#shared/address.ts'
import { createElement, writeXml } from '#shared/xml.ts'
import { until } from '#test/support/until.ts'
import { JULIET, ROMEO } from '../feeds/fixtures.ts'
import { listen } from './listen.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

async function open(): Promise<TestSite & { path: string }> {
  const site = await createTestSite()
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'balcony')
  const config = { access_model: 'open', publish_model: 'open', itemreply: 'publisher' }
  await site.ctx.network.pubsubOf(JULIET).createNode({ service: JULIET, node: thread }, config)
  return Object.assign(site, { path })
}

const COMMENTS = 'urn:xmpp:microblog:0:comments/'
const FORM = '/comments/proof'

describe('the form for who is not signed in', () => {
  it('leads to a page with the code, which goes on to the comment', async () => {
    await using site = await open()
    const browser = site.browser()
    const page = await browser.get(site.path)
    assert.match(page.body, /<label for="comment-text">Comment<\/label>/)
    assert.match(page.body, /Sign in to comment/)
    const fields = { text: 'But *soft*!\r\n<b>x</b>', name: 'Romeo', jid: '' }
    const sent = await browser.submit(page.body, FORM, fields)
    const again = await browser.submit(page.body, FORM, fields)
    assert.equal(sent.statusCode, 303)
    assert.equal(again.headers.location, sent.headers.location)
    const shown = await browser.get(String(sent.headers.location))
    assert.equal(shown.headers['cache-control'], 'private, no-cache')
    assert.match(shown.body, /<noscript><meta http-equiv="refresh" content="10"><\/noscript>/)
    assert.match(shown.body, /<meta name="robots" content="noindex">/)
    assert.match(shown.body, /But <em>soft<\/em>!/)
    assert.doesNotMatch(shown.body, /<b>x/)
    const [, code = ''] = /class="code"><strong><bdi>([^<]*)/.exec(shown.body) ?? []
    assert.match(shown.body, new RegExp(`href="xmpp:canto@capulet.example\\?message;body=${code}"`))
    site.ctx.site.receive({ type: 'chat', from: { bare: ROMEO }, body: code, payloads: [] })
    const done = await until(async () => {
      const answer = await browser.get(String(sent.headers.location))
      return answer.statusCode === 303 ? answer : undefined
    })
    assert.match(String(done.headers.location), /^\/@juliet\/balcony\/comments\/[a-z0-9-]+$/)
    assert.match((await browser.get(site.path)).body, /But <em>soft<\/em>!/)
  })

  it('is left out where the site’s own private server hears of nobody from elsewhere', async () => {
    const env = { CANTO_XMPP_JID: '', CANTO_XMPP_PASSWORD: '', CANTO_LOCAL_DOMAIN: 'capulet.example' }
    await using site = await createTestSite({ env })
    await seedAuthor(site)
    const { body } = await site.browser().get((await seedThread(site, 'balcony')).path)
    assert.match(body, /Sign in to comment/)
    assert.doesNotMatch(body, /ithout signing in/)
  })

  it('says how much of a text fits', async () => {
    await using site = await open()
    const browser = site.browser()
    const fields = { text: 'O'.repeat(5_001), name: 'Romeo', jid: '' }
    const { statusCode, body } = await browser.submit((await browser.get(site.path)).body, FORM, fields)
    assert.equal(statusCode, 413)
    assert.match(body, /This comment is too long: it has 5,001 characters, and 5,000 fit\. Shorten it\./)
  })

  it('signs no lasting address for the pictures in a comment that nobody has proved', async () => {
    await using site = await open()
    const browser = site.browser()
    const page = await browser.get(site.path)
    const sent = await browser.submit(page.body, FORM, { text: '![x](https://slow.example/1)', name: 'Romeo', jid: '' })
    const shown = await browser.get(String(sent.headers.location))
    assert.match(shown.body, /src="\/picture\/[^"?]+\?until=\d+"/)
  })

  it('keeps what was typed when it cannot be taken', async () => {
    await using site = await open()
    const browser = site.browser()
    const page = await browser.get(site.path)
    const wrong = await browser.submit(page.body, FORM, { text: 'Hear me', name: 'Romeo', jid: 'nonsense' })
    assert.equal(wrong.statusCode, 400)
    assert.match(
      wrong.body,
      /id="comment-jid-problem" role="alert">An XMPP address looks like juliet@capulet\.example\.</,
    )
    assert.doesNotMatch(wrong.body, /id="comment-problem"/)
    assert.match(wrong.body, />Hear me<\/textarea>/)
    assert.match(wrong.body, /name="name"[^>]*value="Romeo"/)
    const long = await browser.submit(page.body, FORM, { text: 'x'.repeat(5_001), name: '', jid: '' })
    assert.equal(long.statusCode, 413)
    assert.equal((await browser.submit(page.body, FORM, { text: ' ', name: '', jid: '' })).statusCode, 400)
    const [first, ...others] = await Promise.all(
      Array.from({ length: 6 }, async (_, number) => {
        const form = (await browser.get(site.path)).body
        return browser.submit(form, FORM, { text: `Words ${number}`, name: '', jid: '' })
      }),
    )
    const statuses = [first, ...others].map((answer) => answer?.statusCode)
    assert.deepEqual(statuses.toSorted(), [303, 303, 303, 303, 303, 429])
    assert.equal((await listProofs(site.ctx.state, 'waiting')).length, 5)
    site.ctx.site.setStatus('waiting')
    assert.match((await browser.get(site.path)).body, /not possible at the moment/)
    const offline = await browser.submit(page.body, FORM, { text: 'Hear me', name: '', jid: '' })
    assert.equal(offline.statusCode, 503)
    assert.match(offline.body, />Hear me<\/textarea>/)
  })

  it('asks an address, says when it refuses, and lets one try again with the same words', async () => {
    await using site = await open()
    const browser = site.browser()
    const page = await browser.get(site.path)
    const sent = await browser.submit(page.body, FORM, { text: 'Line 1\n\nLine 2', name: 'R', jid: ROMEO })
    const location = String(sent.headers.location)
    assert.match((await browser.get(location)).body, /We have asked romeo@montague\.example/)
    assert.equal(site.ctx.site.sent[0]?.to, ROMEO)
    site.ctx.site.receive({ type: 'chat', from: { bare: ROMEO }, body: 'no', payloads: [] })
    const denied = await until(async () => {
      const { body } = await browser.get(location)
      return body.includes('was refused') ? body : undefined
    })
    assert.doesNotMatch(denied, /http-equiv="refresh"/)
    const again = await browser.submit(denied, FORM, {})
    assert.equal(again.statusCode, 303)
    assert.notEqual(again.headers.location, location)
    const [proof] = await listProofs(site.ctx.state, 'waiting')
    assert.equal(proof?.text, 'Line 1\n\nLine 2')
  })

  it('answers a comment', async () => {
    await using site = await open()
    await seedComment(site, 'c1', { from: JULIET, name: 'Juliet', thread: `${COMMENTS}balcony`, title: 'Ay me!' })
    const browser = site.browser()
    const page = await browser.get(site.path)
    const [, link = ''] = /href="([^"]*[?&;]reply=c1[^"]*)#comment"/.exec(page.body) ?? []
    const form = await browser.get(link.replaceAll('&amp;', '&'))
    assert.match(form.body, /<input type="hidden" name="reply" value="c1">/)
    await browser.submit(form.body, FORM, { text: 'She speaks', name: '', jid: '' })
    const [proof] = await listProofs(site.ctx.state, 'waiting')
    site.ctx.site.receive({ type: 'chat', from: { bare: ROMEO }, body: proof?.code, payloads: [] })
    const address = { service: JULIET, node: `${COMMENTS}balcony` }
    const [item] = await until(() => {
      const items = [...(site.ctx.network.nodes.get(addressKey(address))?.items.values() ?? [])]
      return items.length > 0 ? items : undefined
    })
    assert.match(writeXml(item?.payload ?? createElement('none')), /<in-reply-to [^>]*comments\/balcony;item=c1"/)
  })

  it('is told live when the code was heard', async () => {
    await using site = await open()
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    const browser = site.browser()
    const page = await browser.get(site.path)
    const sent = await browser.submit(page.body, FORM, { text: 'Hear me', name: '', jid: '' })
    const live = await listen(site, `${sent.headers.location}/live.events`)
    await until(() => live.versions.includes('waiting'))
    const [proof] = await listProofs(site.ctx.state, 'waiting')
    site.ctx.site.receive({ type: 'chat', from: { bare: ROMEO }, body: proof?.code, payloads: [] })
    await until(() => live.versions.includes('published'))
    live.answer.destroy()
  })

  it('is at the address of its own post alone, and another site cannot send it', async () => {
    await using site = await open()
    const other = await seedThread(site, 'orchard')
    const browser = site.browser()
    const page = await browser.get(site.path)
    const sent = await browser.submit(page.body, FORM, { text: 'Hear me', name: '', jid: '' })
    const wrong = String(sent.headers.location).replace(site.path, other.path)
    assert.equal((await browser.get(wrong)).statusCode, 404)
    assert.equal((await browser.get(`${site.path}/comments/proof/none-such`)).statusCode, 404)
    assert.equal((await browser.get(`${site.path}/comments/proof/x`)).statusCode, 400)
    const fields = { key: 'some-other-form', text: 'Hear me' }
    const foreign = await browser.post(`${site.path}${FORM}`, fields, { 'sec-fetch-site': 'cross-site' })
    assert.equal(foreign.statusCode, 403)
    assert.equal((await browser.post('/@juliet/none/comments/proof', fields)).statusCode, 404)
  })
})
