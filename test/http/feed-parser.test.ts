import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import FeedParser, { type Item } from 'feedparser'
import { ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedPost, seedThread } from './seed.ts'
import { createTestSite } from './test-site.ts'

/** What a feed reader makes of a feed. */
function readFeed(feed: string, url: string): Promise<{ title: string | null; link: string | null; items: Item[] }> {
  return new Promise((resolve, reject) => {
    const parser = new FeedParser({ feedurl: url })
    const items: Item[] = []
    parser.on('error', reject)
    parser.on('readable', () => {
      for (let item = parser.read() as Item | null; item !== null; item = parser.read() as Item | null) items.push(item)
    })
    parser.on('end', () => resolve({ title: parser.meta?.title ?? null, link: parser.meta?.link ?? null, items }))
    parser.end(feed)
  })
}

describe('a feed in a feed reader that is not ours', () => {
  it('has title, author, date, tags, id, address and the whole text of each post', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    await seedPost(site, 'lark', {
      title: 'The lark &amp; &lt;friends&gt;',
      published: '2026-03-14T10:00:00Z',
      text: 'It was the *nightingale* 日本語.',
      more: '<category term="astronomy"/>',
    })
    for (const path of ['/atom.xml', '/@juliet/atom.xml', '/@juliet/tag/astronomy/atom.xml']) {
      const { body } = await site.browser().get(path)
      const feed = await readFeed(body, `https://blog.example${path}`)
      assert.match(feed.link ?? '', /^https:\/\/blog\.example\//)
      assert.equal(feed.items.length, 1, path)
      const [item] = feed.items
      assert.equal(item?.title, 'The lark & <friends>')
      assert.match(item?.description ?? '', /It was the <em>nightingale<\/em> 日本語\./)
      assert.equal(item?.pubdate?.toISOString(), '2026-03-14T10:00:00.000Z')
      assert.equal(item?.link, 'https://blog.example/@juliet/lark')
      assert.match(item?.guid ?? '', /^(tag|xmpp):/)
      assert.deepEqual(item?.categories, ['astronomy'])
      assert.equal(item?.author, 'juliet')
    }
  })

  it('of the comments of a post has who wrote each', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const { path, thread } = await seedThread(site, 'balcony')
    await seedComment(site, 'c1', { from: ROMEO, thread, text: 'Wilt thou be gone?' })
    const { body } = await site.browser().get(`${path}/atom.xml`)
    const { items } = await readFeed(body, `https://blog.example${path}/atom.xml`)
    assert.equal(items.length, 1)
    assert.match(`${items[0]?.title} ${items[0]?.description}`, /Wilt thou be gone\?/)
    assert.match(items[0]?.author ?? '', /romeo/i)
  })
})
