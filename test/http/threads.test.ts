import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ingest } from '#server/feeds/ingest.ts'
import { updateNode } from '#server/store/node.ts'
import { growThread } from '#test/support/long-thread.ts'
import { itemOf, JULIET, ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const reply = (thread: string, item: string) =>
  `<in-reply-to xmlns='http://purl.org/syndication/thread/1.0' href='xmpp:${JULIET}?;node=${thread};item=${item}'/>`

async function siteWithThread(count = 0): Promise<{ site: TestSite; path: string; thread: string }> {
  const site = await createTestSite()
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'balcony')
  await seedComment(site, 'c0', { thread, from: ROMEO, text: 'Lady, by yonder blessed moon' })
  if (count > 0) await growThread(site.ctx.index, { like: 'c0', count })
  return { site, path, thread }
}

const itemsOn = (body: string) => [...body.matchAll(/id="comment-(c\d+)"/g)].map(([, item]) => item)

describe('a thread on its page', () => {
  it('gives each comment an address that leads to it on whatever page it is', async () => {
    const { site, path } = await siteWithThread(250)
    await using _ = site
    const first = await site.browser().get(path)
    assert.equal(itemsOn(first.body).length, 100)
    assert.match(first.body, /251 comments/)
    assert.match(first.body, new RegExp(`href="${path}/comments/c0"`))
    const found = await site.browser().get(`${path}/comments/c230`)
    assert.equal(found.statusCode, 302)
    assert.equal(found.headers.location, `${path}?comments=3#comment-c230`)
    const third = await site.browser().get(`${path}?comments=3`)
    assert.ok(itemsOn(third.body).includes('c230'))
    assert.match(third.body, /rel="prev"/)
    assert.doesNotMatch(third.body, /rel="next"/)
    for (const number of ['0', '-1', 'x', '1e99', '999']) {
      assert.equal((await site.browser().get(`${path}?comments=${number}`)).statusCode, 200, number)
    }
  })

  it('says of a comment that was removed that it is gone, and of one that was never there that it is not', async () => {
    const { site, path, thread } = await siteWithThread()
    await using _ = site
    const address = itemOf({ service: JULIET, node: thread }, 'c0')
    await ingest(site.ctx, { kind: 'retracted', address })
    assert.equal((await site.browser().get(`${path}/comments/c0`)).statusCode, 410)
    assert.equal((await site.browser().get(`${path}/comments/none`)).statusCode, 404)
    assert.equal((await site.browser().get(`${path}/comments/room.none`)).statusCode, 404)
    assert.equal((await site.browser().get(`${path}/comments/~~~`)).statusCode, 404)
  })

  it('reads by date from the first to the last, and from the last', async () => {
    const { site, path } = await siteWithThread(250)
    await using _ = site
    const seen: (string | undefined)[] = []
    let url: string | undefined = `${path}?view=flat`
    while (url !== undefined) {
      const { body } = await site.browser().get(url)
      seen.push(...itemsOn(body))
      url = /rel="next" href="([^"]*)"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 251 }, (_, n) => `c${n}`),
    )
    const newest = await site.browser().get(`${path}?view=flat&before=end`)
    assert.equal(itemsOn(newest.body).at(-1), 'c250')
    assert.match(newest.body, /rel="prev"/)
  })

  it('says that some comments are missing, of which there are too many or of which its service gave only a part', async () => {
    const { site, path, thread } = await siteWithThread()
    await using _ = site
    const words = /There are more comments than are read here/
    for (const [backfill, isSaid] of [
      ['done', false],
      ['cut', true],
      ['partial', true],
    ] as const) {
      await updateNode(site.ctx.index, { service: JULIET, node: thread }, { backfill })
      assert.equal(words.test((await site.browser().get(path)).body), isSaid, backfill)
    }
  })

  it('says whom a comment answers that is on another page', async () => {
    const { site, path, thread } = await siteWithThread(250)
    await using _ = site
    const late = { published: '2026-02-02T03:04:05Z', text: 'late', more: reply(thread, 'c7') }
    await seedComment(site, 'c999', { thread, from: ROMEO, ...late })
    const flat = await site.browser().get(`${path}?view=flat&before=end`)
    assert.match(flat.body, new RegExp(`<a href="${path}/comments/c7">to romeo`))
  })

  it('has a feed in pages, in which every comment says what it answers', async () => {
    const { site, path, thread } = await siteWithThread(60)
    await using _ = site
    await seedComment(site, 'c777', {
      thread,
      from: ROMEO,
      published: '2026-02-02T03:04:05Z',
      more: reply(thread, 'c0'),
    })
    const { body } = await site.browser().get(`${path}/atom.xml`)
    assert.equal(body.match(/<entry/g)?.length, 50)
    const href = 'https://blog.example/@juliet/balcony'
    assert.ok(body.includes(`type="text/html" href="${href}/comments/c0"/>`), 'the answer names the comment')
    assert.ok(body.includes(`type="text/html" href="${href}"/>`), 'the others name the post')
    const next = /rel="next"[^>]*href="([^"]*)"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const older = await site.browser().get(next.slice('https://blog.example'.length))
    assert.equal(older.body.match(/<entry/g)?.length, 12)
    assert.match(older.body, /rel="previous"/)
  })

  it('shows the first pictures of a comment when they are seen, and the others as links', async () => {
    const { site, path, thread } = await siteWithThread()
    await using _ = site
    const pictures = Array.from({ length: 48 }, (_, n) => `<img src="https://h${n}.example/p.png" alt="p${n}"/>`)
    const content = `<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">${pictures.join(' ')}</div></content>`
    await seedComment(site, 'c1', { thread, from: ROMEO, more: content })
    const { body } = await site.browser().get(path)
    assert.equal(body.match(/<img [^>]*alt="p\d+"[^>]*loading="lazy"/g)?.length, 10)
    assert.equal(body.match(/<img [^>]*alt="p\d+"/g)?.length, 10)
    assert.equal(body.match(/<a href="https:\/\/h\d+\.example\/p\.png" rel="[^"]*">p\d+<\/a>/g)?.length, 38)
  })

  it('leaves out of pages and feeds what is held', async () => {
    const { site, path } = await siteWithThread()
    await using _ = site
    await site.ctx.index.updateTable('entry').set({ hold: 'held' }).where('isPost', '=', 0).execute()
    for (const url of [path, `${path}?view=flat`, `${path}/atom.xml`, `${path}/feed.json`]) {
      assert.doesNotMatch((await site.browser().get(url)).body, /yonder/, url)
    }
    assert.equal((await site.browser().get(`${path}/comments/c0`)).statusCode, 404)
    const romeo = await site.signedIn(ROMEO)
    assert.match((await romeo.get(path)).body, /waits for approval/)
  })
})
