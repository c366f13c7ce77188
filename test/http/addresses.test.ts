import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ingest } from '#server/feeds/ingest.ts'
import { BLOG, itemOf } from '../feeds/fixtures.ts'
import { seedAuthor, seedPost } from './seed.ts'
import { createTestSite } from './test-site.ts'

const ITEMS = [
  'plain-id_1',
  'a/b/c',
  '../../etc/passwd',
  'file.name',
  '100%',
  '%2F',
  'with space',
  'käse 日本語 🎭',
  'edit',
  'tag',
  'atom.xml',
  'live.events',
  'room',
  'delete',
  '2026',
  '~abc',
  '?a=b#c',
  "it's",
  'x'.repeat(1023),
  '🎭'.repeat(511),
]

describe('the address of a post', () => {
  it('works for every item id: page, feed entry, feed of comments, edit and deletion', async () => {
    await using site = await createTestSite()
    const owner = await site.signedIn('juliet@capulet.example')
    for (const item of ITEMS) {
      const path = await seedPost(site, item, { title: `Post ${ITEMS.indexOf(item)}` })
      const page = await site.browser().get(path)
      assert.equal(page.statusCode, 200, `${item}: ${path}`)
      assert.match(page.body, new RegExp(`<h1[^>]*>Post ${ITEMS.indexOf(item)}</h1>`))
      for (const end of ['edit', 'delete']) {
        const form = await owner.get(`${path}/${end}`)
        assert.equal(form.statusCode, 200, `${path}/${end}`)
        assert.ok(form.body.includes(`action="${path}/${end}"`), `${path}/${end}`)
      }
      const isOurWord = ['atom.xml', 'live.events', 'tag', '2026', 'room'].includes(item)
      if (isOurWord || path.endsWith(`/${item}`)) continue
      const encoded = await site.browser().get(`/@juliet/${encodeURIComponent(item)}`)
      assert.equal(encoded.statusCode, 301, item)
      assert.equal(encoded.headers.location, path)
    }
    const feed = await site.browser().get('/@juliet/atom.xml')
    for (const item of ITEMS) assert.ok(feed.body.includes(`<title>Post ${ITEMS.indexOf(item)}</title>`), item)
  })

  it('has one spelling; others lead there, with what follows', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    await seedPost(site, 'a b')
    const browser = site.browser()
    const expected = {
      '/@Juliet': '/@juliet',
      '/@juliet@capulet.example': '/@juliet',
      '/@JULIET@Capulet.Example/atom.xml?before=x': '/@juliet/atom.xml?before=x',
      '/%40juliet/a%20b': '/@juliet/a%20b',
      '/@juliet/a%20b?reply=x': '/@juliet/~YSBi?reply=x',
      '/@Juliet/~YSBi/atom.xml': '/@juliet/~YSBi/atom.xml',
      '/@juliet/?after=x': '/@juliet?after=x',
      '/@juliet/~YSBi/': '/@juliet/~YSBi',
      '/@Juliet/tag/Verona/atom.xml': '/@juliet/tag/Verona/atom.xml',
    }
    for (const [from, to] of Object.entries(expected)) {
      const answer = await browser.get(from)
      assert.equal(answer.statusCode, 301, from)
      assert.equal(answer.headers.location, to)
    }
  })

  it('is 404 for what never was and 410 for what was deleted', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    await seedPost(site, 'short-lived')
    const browser = site.browser()
    for (const path of [
      '//evil.example/',
      '/@juliet/none',
      '/@nobody',
      '/@nobody/x',
      '/nothing',
      '/@/x',
      '/@a@b@c/x',
      '/tag',
    ]) {
      assert.equal((await browser.get(path)).statusCode, 404, path)
    }
    await ingest(site.ctx, { kind: 'retracted', address: itemOf(BLOG, 'short-lived') })
    assert.equal((await browser.get('/@juliet/short-lived')).statusCode, 410)
  })
})
