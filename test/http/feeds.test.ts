import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JULIET, MALLORY, ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedPost, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const atom = { accept: 'application/atom+xml' }

async function siteWithPosts(count: number): Promise<TestSite> {
  const site = await createTestSite()
  await seedAuthor(site)
  for (let n = 1; n <= count; n++) {
    const published = new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString()
    await seedPost(site, `post-${n}`, { title: `Post ${n}`, published, more: '<category term="Verona"/>' })
  }
  return site
}

describe('a feed', () => {
  it('leads a reader from page to page to every post, once', async () => {
    await using site = await siteWithPosts(45)
    for (const start of ['/atom.xml', '/@juliet/atom.xml', '/tag/verona/atom.xml', '/@juliet/tag/verona/atom.xml']) {
      const titles: string[] = []
      let next: string | undefined = start
      while (next !== undefined) {
        const { statusCode, body } = await site.browser().get(next, atom)
        assert.equal(statusCode, 200)
        titles.push(...[...body.matchAll(/<title>(Post \d+)<\/title>/g)].map(([, title = '']) => title))
        const [, url] = /<link rel="next"[^>]* href="https:\/\/blog\.example([^"]*)"/.exec(body) ?? []
        next = url?.replaceAll('&amp;', '&')
      }
      assert.equal(titles.length, 45, start)
      assert.equal(new Set(titles).size, 45)
    }
  })

  it('is 304 for whoever has it, by ETag and by Last-Modified, and new after a new post', async () => {
    await using site = await siteWithPosts(2)
    const first = await site.browser().get('/@juliet/atom.xml', { ...atom, 'accept-encoding': 'br' })
    const { etag, 'last-modified': since } = first.headers
    assert.ok(etag !== undefined && since !== undefined)
    const conditions: Record<string, string>[] = [
      { 'if-none-match': String(etag) },
      { 'if-modified-since': String(since) },
    ]
    for (const condition of conditions) {
      const again = await site.browser().get('/@juliet/atom.xml', { ...atom, 'accept-encoding': 'br', ...condition })
      assert.equal(again.statusCode, 304)
    }
    await seedPost(site, 'newer', { published: '2026-02-01T00:00:00Z' })
    for (const condition of conditions) {
      const again = await site.browser().get('/@juliet/atom.xml', { ...atom, 'accept-encoding': 'br', ...condition })
      assert.equal(again.statusCode, 200)
    }
  })

  it('is the same bytes for a person, as XML with a style sheet of ours', async () => {
    await using site = await siteWithPosts(1)
    const machine = await site.browser().get('/atom.xml', { accept: '*/*' })
    const person = await site.browser().get('/atom.xml', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
    assert.match(String(machine.headers['content-type']), /^application\/atom\+xml/)
    assert.match(String(person.headers['content-type']), /^application\/xml/)
    assert.equal(person.body, machine.body)
    assert.match(String(person.headers.vary), /Accept\b/)
    const [, sheet = ''] = /<\?xml-stylesheet type="text\/css" href="([^"]*)"/.exec(person.body) ?? []
    assert.equal((await site.browser().get(sheet)).statusCode, 200)
  })

  it('has only what is credited, and no word of what is not', async () => {
    await using site = await siteWithPosts(1)
    await seedPost(site, 'forged', { title: 'Forged', publisher: MALLORY, author: JULIET })
    for (const path of ['/atom.xml', '/@juliet/atom.xml']) {
      assert.doesNotMatch((await site.browser().get(path)).body, /Forged/)
    }
  })

  it('has the comments of a post, of those whose authors are known', async () => {
    await using site = await siteWithPosts(0)
    const { path, thread } = await seedThread(site, 'balcony')
    await seedComment(site, 'c1', { thread, from: ROMEO, title: 'Shall I hear more?', text: 'Shall I hear more?' })
    const feed = await site.browser().get(`${path}/atom.xml`)
    assert.equal(feed.statusCode, 200)
    assert.match(feed.body, /Shall I hear more\?/)
    assert.match(feed.body, /href="https:\/\/blog\.example\/@juliet\/balcony\/comments\/c1"/)
    assert.match(feed.body, /<link rel="self"[^>]*href="https:\/\/blog\.example\/@juliet\/balcony\/atom\.xml"/)
    await seedPost(site, 'silent')
    assert.equal((await site.browser().get('/@juliet/silent/atom.xml')).statusCode, 404)
  })

  it('is there as JSON too, and all blogs of the site as OPML', async () => {
    await using site = await siteWithPosts(2)
    for (const path of ['/feed.json', '/@juliet/feed.json', '/tag/verona/feed.json']) {
      const feed = await site.browser().get(path)
      assert.match(String(feed.headers['content-type']), /^application\/feed\+json/)
      assert.equal(feed.json().items.length, 2, path)
      assert.equal(feed.json().feed_url, `https://blog.example${path}`)
    }
    const { body } = await site.browser().get('/opml.xml')
    assert.match(body, /xmlUrl="https:\/\/blog\.example\/@juliet\/atom\.xml"/)
  })

  it('without entries has the date when it came to be, and keeps it', async () => {
    await using site = await createTestSite()
    site.ctx.setNow('2026-03-01T10:00:00Z')
    await seedAuthor(site)
    const { path } = await seedThread(site, 'balcony')
    site.ctx.setNow('2026-04-01T10:00:00Z')
    await seedAuthor(site, 'nurse@capulet.example')
    for (const [feed, date] of [
      ['/tag/nothing/atom.xml', '2026-03-01T10:00:00Z'],
      ['/@juliet/tag/nothing/atom.xml', '2026-03-01T10:00:00Z'],
      ['/@nurse/atom.xml', '2026-04-01T10:00:00Z'],
      // The date of the post itself.
      [`${path}/atom.xml`, '2026-01-02T03:04:05Z'],
    ]) {
      const { statusCode, body } = await site.browser().get(String(feed), atom)
      assert.equal(statusCode, 200, feed)
      assert.match(body, new RegExp(`<updated>${date}</updated>`), feed)
      assert.doesNotMatch(body, /<entry>/)
    }
  })

  it('has the pictures of a post in its content, those of a gallery first', async () => {
    await using site = await siteWithPosts(0)
    const picture = '<link rel="enclosure" type="image/png" title="A &lt;rose&gt;" href="https://a.example/1.png"/>'
    await seedPost(site, 'rose', { text: 'In the rain', more: picture })
    const { body } = await site.browser().get('/@juliet/feed.json')
    const [item] = (JSON.parse(body) as { items: { content_html: string }[] }).items
    assert.equal(
      item?.content_html,
      '<p>In the rain</p><figure><img src="https://a.example/1.png" alt="A &lt;rose&gt;" /><figcaption>A &lt;rose&gt;</figcaption></figure>',
    )
    await site.ctx.index.updateTable('entry').set({ profile: 'gallery' }).execute()
    const gallery = await site.browser().get('/@juliet/atom.xml', atom)
    assert.match(gallery.body, /<figure>.*<p>In the rain/)
  })

  it('is nothing for a cursor that is none of ours, and for a blog that is not there', async () => {
    await using site = await siteWithPosts(1)
    assert.equal((await site.browser().get('/atom.xml?before=nonsense')).statusCode, 200)
    assert.equal((await site.browser().get('/@romeo@montague.example/atom.xml')).statusCode, 404)
  })
})
