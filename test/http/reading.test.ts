import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { addNode, updateNode } from '#server/store/node.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, MALLORY, ROMEO, THREAD } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedPost, seedThread } from './seed.ts'
import { createTestSite } from './test-site.ts'

const picture = '<p>Look: <img src="https://pictures.example/a.png?x=1&amp;y=2" alt="a picture"/></p>'
const withPicture = {
  text: '',
  more: `<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">${picture}</div></content>`,
}

describe('a post’s page', () => {
  it('says what it is, in its head', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const { path } = await seedThread(site, 'balcony')
    const { body } = await site.browser().get(path)
    assert.match(body, /<link rel="canonical" href="https:\/\/blog\.example\/@juliet\/balcony">/)
    assert.match(
      body,
      /<link rel="alternate" type="application\/atom\+xml" href="https:\/\/blog\.example\/@juliet\/atom\.xml"/,
    )
    assert.match(
      body,
      /<link rel="alternate" href="xmpp:juliet@capulet\.example\?;node=urn%3Axmpp%3Amicroblog%3A0;item=balcony">/,
    )
    assert.match(body, /<meta property="og:type" content="article">/)
    assert.doesNotMatch(body, /noindex/)
  })

  it('asks nobody else for a picture, and its address cannot be made by others', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const path = await seedPost(site, 'look', withPicture)
    const { body } = await site.browser().get(path)
    assert.doesNotMatch(body, /src="https?:/)
    const [, source = ''] = /<img[^>]* src="([^"]*)"/.exec(body) ?? []
    assert.match(source, /^\/picture\/[A-Za-z0-9_-]{43}\/[A-Za-z0-9_-]+$/)
    const [, , , encoded = ''] = source.split('/')
    assert.equal(Buffer.from(encoded, 'base64url').toString(), 'https://pictures.example/a.png?x=1&y=2')
    const forged = source.replace(encoded, Buffer.from('http://169.254.169.254/').toString('base64url'))
    assert.equal((await site.browser().get(forged)).statusCode, 404)
  })

  it('shows a picture by way of us, as nothing but a picture', async () => {
    const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(300)])
    const remote = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(png),
    )
    await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve))
    const { port } = remote.address() as AddressInfo
    await using site = await createTestSite({ isPublicAddress: (address) => address === '127.0.0.1' })
    await seedAuthor(site)
    const more = withPicture.more.replace('https://pictures.example', `http://127.0.0.1:${port}`)
    const { body } = await site.browser().get(await seedPost(site, 'look', { text: '', more }))
    const [, source = ''] = /<img[^>]* src="([^"]*)"/.exec(body) ?? []
    const answer = await site.browser().get(source)
    assert.equal(answer.headers['content-type'], 'image/png')
    assert.match(String(answer.headers['content-security-policy']), /sandbox/)
    assert.ok(answer.rawPayload.equals(png))
    remote.closeAllConnections()
    remote.close()
  })

  it('has the comments read that have not been for a while, after it was shown', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const { ctx } = site
    const pubsub = ctx.network.pubsubOf(JULIET)
    for (const address of [BLOG, THREAD]) await pubsub.createNode(address, { access_model: 'open' })
    await pubsub.publishItem(itemOf(BLOG, 'balcony'), entryOf({ author: JULIET, more: commentsLink(THREAD) }))
    await ctx.indexing.start()
    await ctx.indexing.idle()
    ctx.setNow(new Date(Date.now() + 3_600_000))
    const before = ctx.network.asked.length
    const isAsked = () => ctx.network.asked.slice(before).some((asked) => asked.address?.node === THREAD.node)
    await site.app.inject({ method: 'HEAD', url: '/@juliet/balcony' })
    await ctx.indexing.idle()
    assert.ok(!isAsked())
    assert.equal((await site.browser().get('/@juliet/balcony')).statusCode, 200)
    await until(isAsked)
  })

  it('tells who cannot comment here how to from their own client', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const { path } = await seedThread(site, 'balcony')
    const { body } = await site.browser().get(path)
    assert.match(body, /href="\/signin\?next=%2F%40juliet%2Fbalcony%23comment"/)
    assert.match(body, /xmpp:juliet@capulet\.example\?;node=urn%3Axmpp%3Amicroblog%3A0%3Acomments%2Fbalcony/)
    assert.doesNotMatch((await site.browser().get(await seedPost(site, 'silent'))).body, /<textarea/)
  })

  it('shows comments with who wrote them, and says what is not verified', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const { path, thread } = await seedThread(site, 'balcony')
    await seedComment(site, 'c1', { thread, from: ROMEO, name: 'Romeo', title: 'I take thee at thy word' })
    await site.ctx.index
      .updateTable('entry')
      .set({ credit: 'unverified' })
      .where('item', '=', 'c1' as never)
      .execute()
    const { body } = await site.browser().get(path)
    assert.match(body, /id="comment-c1"/)
    assert.match(body, /not verified/)
  })

  it('never prints what a remote author wrote as markup of ours', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const attack = '&lt;script&gt;alert(1)&lt;/script&gt;'
    const { path, thread } = await seedThread(site, 'balcony')
    await seedComment(site, 'c1', { thread, from: ROMEO, name: attack, title: attack, text: attack })
    await seedPost(site, 'attack', {
      title: attack,
      name: attack,
      text: attack,
      more: `<category term="${attack}"/><summary>${attack}</summary>`,
    })
    for (const page of [path, '/@juliet/attack', '/@juliet', '/', '/atom.xml', `${path}/atom.xml`]) {
      assert.doesNotMatch((await site.browser().get(page)).body, /<script>alert/, page)
    }
  })
})

describe('a list', () => {
  it('leads to newer and older posts', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    for (let n = 1; n <= 25; n++) {
      await seedPost(site, `p${n}`, { title: `Post ${n}.`, published: new Date(Date.UTC(2026, 0, n)).toISOString() })
    }
    const first = await site.browser().get('/@juliet')
    assert.match(first.body, /Post 25\./)
    assert.doesNotMatch(first.body, /Post 5\./)
    const [, older = ''] = /<a rel="next" href="([^"]*)"/.exec(first.body) ?? []
    const second = await site.browser().get(older)
    assert.match(second.body, /Post 1\./)
    const [, newer = ''] = /<a rel="prev" href="([^"]*)"/.exec(second.body) ?? []
    assert.match((await site.browser().get(newer)).body, /Post 25\./)
    assert.match(second.body, /<link rel="canonical" href="https:\/\/blog\.example\/@juliet\?before=/)
  })
})

describe('who may see what', () => {
  it('is the site’s authors for everybody; of others only what they put on the web, with their address', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const address = { service: MALLORY, node: BLOG.node }
    await addNode(site.ctx.index, { address, kind: 'blog', owner: MALLORY, now: new Date() })
    const web = '<link rel="alternate" type="text/html" href="https://elsewhere.example/post"/>'
    const open = await seedPost(site, 'open', { jid: MALLORY, title: 'On the web', more: web })
    const quiet = await seedPost(site, 'quiet', { jid: MALLORY, title: 'Not on the web' })
    const browser = site.browser()
    const page = await browser.get(open)
    assert.equal(page.statusCode, 200)
    assert.match(page.body, /<meta name="robots" content="noindex">/)
    assert.match(page.body, /<link rel="canonical" href="https:\/\/elsewhere\.example\/post">/)
    assert.equal((await browser.get(quiet)).statusCode, 404)
    const blog = await browser.get('/@mallory@evil.example')
    assert.match(blog.body, /On the web/)
    assert.match(blog.body, /noindex/)
    assert.doesNotMatch(blog.body, /Not on the web/)
    for (const { body } of [page, blog]) assert.doesNotMatch(body, /mallory@evil\.example\/atom\.xml/)
    for (const path of ['/', '/atom.xml', '/sitemap-0.xml', '/sitemap-1.xml']) {
      assert.doesNotMatch((await browser.get(path)).body, /mallory|On the web/, path)
    }
    assert.equal((await browser.get('/@mallory@evil.example/atom.xml')).statusCode, 404)
  })

  it('is nothing of a node that became closed, and of a deleted one that it is gone', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const path = await seedPost(site, 'balcony')
    const browser = site.browser()
    await updateNode(site.ctx.index, BLOG, { status: 'closed' })
    for (const page of [path, '/@juliet', '/@juliet/atom.xml'])
      assert.equal((await browser.get(page)).statusCode, 404, page)
    await updateNode(site.ctx.index, BLOG, { status: 'deleted' })
    assert.equal((await browser.get('/@juliet')).statusCode, 410)
  })

  it('is in the sitemap, all of it', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const path = await seedPost(site, 'a&b')
    const { body, headers } = await site.browser().get('/sitemap.xml')
    assert.match(String(headers['content-type']), /xml/)
    const parts = [...body.matchAll(/<sitemap><loc>https:\/\/blog\.example(.*?)<\/loc><\/sitemap>/g)].map(
      ([, url]) => url,
    )
    assert.deepEqual(parts, ['/sitemap-0.xml', '/sitemap-1.xml'])
    const places = await site.browser().get('/sitemap-0.xml')
    assert.ok(places.body.includes('<loc>https://blog.example/@juliet</loc>'))
    const posts = await site.browser().get('/sitemap-1.xml')
    assert.ok(posts.body.includes(`<loc>https://blog.example${path}</loc>`), posts.body)
    assert.equal((await site.browser().get('/sitemap-2.xml')).statusCode, 404)
  })
})

describe('a blog', () => {
  it('is never called by its address', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const { body } = await site.browser().get('/@juliet')
    assert.match(body, /<h1[^>]*>juliet<\/h1>/)
    assert.doesNotMatch(body, new RegExp(`<title>${JULIET}`))
  })
})
