import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { listComments } from '#server/store/comment.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import { asItemId } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD, xml } from './fixtures.ts'

const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  '<svg/onload=alert(1)>',
  "'; DROP TABLE entry; --",
  '\u202Egnp.exe',
]

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function deepEntry(depth: number): Element {
  const entry = entryOf()
  let inner = entry.c('content', { type: 'xhtml' })
  for (let i = 0; i < depth; i++) inner = inner.c('div', { xmlns: NS.XHTML })
  inner.t('deep')
  return entry
}

async function countOf(ctx: TestContext): Promise<number> {
  return (await listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: 100 })).rows.length
}

describe('hostile items', () => {
  it('too deep, too wide or too large are rejected with one line each', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const wide = entryOf()
    for (let i = 0; i < 200_000; i++) wide.c('x')
    const large = entryOf()
    large.c('summary').t('x'.repeat(9_000_000))
    const attributes = entryOf()
    for (let i = 0; i < 10_000; i++) attributes.attrs[`a${i}`] = 'x'
    const items = { deep: deepEntry(10_000), wide, attributes, large }
    for (const [name, payload] of Object.entries(items)) {
      assert.equal(await publishTo(ctx, itemOf(BLOG, name), { payload }), 'rejected', name)
    }
    assert.equal(ctx.lines.length, 4)
    assert.equal(await countOf(ctx), 0)
    assert.equal(await publishTo(ctx, itemOf(BLOG, 'fine'), { payload: deepEntry(100) }), 'stored')
  })

  it('of other kinds are rejected, and what was there stays', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await publishTo(ctx, itemOf(BLOG, 'post'))
    const others = [
      "<entry xmlns='jabber:client'><title>x</title></entry>",
      "<tune xmlns='http://jabber.org/protocol/tune'/>",
      "<entry xmlns='http://www.w3.org/2005/Atom'/>",
      "<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title></feed>",
    ]
    for (const text of others) {
      assert.equal(await publishTo(ctx, itemOf(BLOG, 'post'), { payload: xml(text) }), 'rejected', text)
      assert.equal(await publishTo(ctx, itemOf(BLOG, '0'), { payload: xml("<x xmlns='y'/>") }), 'rejected')
    }
    assert.equal(await publishTo(ctx, itemOf(BLOG, 'none'), { payload: undefined }), 'stored', 'the fixture’s default')
    assert.equal(await countOf(ctx), 2)
  })

  it('with prefixes, two contents, no dates or an enormous title are read as far as they go', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const atom = 'http://www.w3.org/2005/Atom'
    const items = {
      prefixed: `<a:entry xmlns:a='${atom}'><a:title>Prefixed</a:title><a:id>i</a:id></a:entry>`,
      two: `<entry xmlns='${atom}'><title>Two</title><content type='html'>&lt;b&gt;x&lt;/b&gt;</content><content type='xhtml'><div xmlns='${NS.XHTML}'><i>y</i></div></content></entry>`,
      bare: `<entry xmlns='${atom}'><title>Bare</title></entry>`,
      textless: `<entry xmlns='${atom}'><content type='text'>Only text</content></entry>`,
      enormous: `<entry xmlns='${atom}'><title>${'x'.repeat(1_000_000)}</title></entry>`,
      dates: `<entry xmlns='${atom}'><title>D</title><published>yesterday</published><updated>99999-99-99T99:99:99Z</updated></entry>`,
    }
    for (const [name, text] of Object.entries(items)) {
      assert.equal(await publishTo(ctx, itemOf(BLOG, name), { payload: xml(text) }), 'stored', name)
    }
    const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: 10 })
    assert.equal(rows.length, Object.keys(items).length)
    for (const row of rows) {
      assert.ok(row.title.length <= 300, `${row.address.item} has a title of one line`)
      assert.ok(row.excerpt.length <= 200)
      assert.ok(row.published <= new Date() && row.updated <= new Date())
      assert.ok(row.updated >= row.published)
    }
  })

  it('leave no script in any field that is printed as it is', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    for (const [i, attack] of ATTACKS.entries()) {
      const text = escapeMarkup(attack)
      const payload = xml(
        `<entry xmlns='${NS.ATOM}' xml:lang='${text}'><title type='html'>${text}</title><id>${text}</id>
        <summary type='html'>${text}</summary><updated>2026-01-01T00:00:00Z</updated><category term="${text}"/>
        <author><name>${text}</name><uri>${text}</uri></author><link rel='alternate' type='text/html' href="${text}"/>
        <link rel='replies' title='comments' href="${text}"/><content type='html'>${text}</content></entry>`,
      )
      await publishTo(ctx, itemOf(BLOG, `attack-${i}`), { payload, publisher: JULIET })
    }
    const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: 50 })
    assert.equal(rows.length, ATTACKS.length)
    for (const { html, alternate, language, author } of rows) {
      assert.doesNotMatch(html, /<(script|svg)|<[^>]*\son\w+=/i)
      assert.equal(alternate, undefined)
      assert.match(language ?? 'en', /^[a-z]+$/i)
      assert.ok(!/[\u202a-\u202e]/.test(author?.name ?? ''))
    }
    assert.ok(rows.some(({ tags }) => tags.length > 0))
  })

  it('have an id of any kind and are found by it', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const ids = [
      '../../etc/passwd',
      '%00',
      'a b\n',
      '愛',
      "'; --",
      'x'.repeat(1023),
      'edit',
      'atom.xml',
      '.',
      '\ud800',
      '0 ',
    ]
    for (const id of ids) {
      await publishTo(ctx, itemOf(BLOG, id), { payload: entryOf({ published: '2026-01-01T00:00:00Z' }) })
    }
    for (const id of ids.filter((text) => text.isWellFormed())) {
      const post = await findPost(ctx.index, { ...BLOG, item: asItemId(id) })
      assert.ok(post !== undefined && post !== 'gone', JSON.stringify(id).slice(0, 50))
    }
    const seen: string[] = []
    for (let before: string | undefined; ; ) {
      const page = await listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: 3, before })
      seen.push(...page.rows.map(({ address }) => address.item))
      if (page.older === undefined) break
      before = page.older
    }
    assert.equal(new Set(seen).size, ids.length)
    assert.equal(seen.length, ids.length)
  })

  it('cannot make a thread point into itself or into the blog', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await publishTo(ctx, itemOf(BLOG, 'loop'), { payload: entryOf({ more: commentsLink(BLOG) }) })
    await publishTo(ctx, itemOf(BLOG, 'post'), { payload: entryOf({ more: commentsLink(THREAD) }) })
    await publishTo(ctx, itemOf(THREAD, 'c'), { payload: entryOf({ more: commentsLink(THREAD) }), publisher: ROMEO })
    assert.equal((await listComments(ctx.index, BLOG)).length, 0)
    assert.equal((await listComments(ctx.index, THREAD)).length, 1)
    assert.equal(await countOf(ctx), 2)
  })

  it('from strangers make us ask for nothing', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const asked: string[] = []
    ctx.site.pubsub.findItem = async ({ service }) => void asked.push(service)
    for (const kind of ['published', 'retracted'] as const) ctx.site.emit({ kind, address: itemOf(THREAD, 'x') })
    for (const kind of ['configured', 'purged', 'deleted'] as const) ctx.site.emit({ kind, address: THREAD })
    ctx.site.emit({ kind: 'subscription', address: THREAD, state: 'subscribed' })
    await ctx.indexing.idle()
    assert.deepEqual(asked, [])
  })

  it('do not stop what comes after them', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    ctx.site.emit({ kind: 'published', address: itemOf(BLOG, 'x') })
    const broken = { id: asItemId('broken'), payload: new Element('entry') }
    ctx.indexing.inbox.push({ kind: 'published', address: itemOf(BLOG, 'broken'), item: broken })
    ctx.indexing.inbox.push({
      kind: 'published',
      address: itemOf(BLOG, 'deep'),
      item: { id: asItemId('deep'), payload: deepEntry(20_000) },
    })
    ctx.indexing.inbox.push({
      kind: 'published',
      address: itemOf(BLOG, 'fine'),
      item: { id: asItemId('fine'), payload: entryOf() },
    })
    await ctx.indexing.inbox.idle()
    assert.equal(await countOf(ctx), 1)
  })
})
