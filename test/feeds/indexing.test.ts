import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { AppError } from '#server/errors.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import { askReindex } from '#server/feeds/indexing.ts'
import { isFull, listTrimmed } from '#server/feeds/trimmed.ts'
import { deleteAuthorRow } from '#server/store/author.ts'
import { findBlog } from '#server/store/blog.ts'
import { listComments } from '#server/store/comment.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode, updateNode } from '#server/store/node.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { createTestContext, type TestContext, type TestContextOptions } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, ROMEO, THREAD } from './fixtures.ts'

async function contextWithBlog(options: TestContextOptions = {}): Promise<TestContext> {
  const ctx = await createTestContext(options)
  ctx.signIn(JULIET)
  assert.deepEqual(await addAuthor(ctx, JULIET), { kind: 'ready' })
  return ctx
}

async function publish(ctx: TestContext, item: string, day: number, more = ''): Promise<void> {
  const published = `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`
  await pubsubOf(ctx).publishItem(itemOf(BLOG, item), entryOf({ title: item, published, more }))
}

function pubsubOf(ctx: TestContext, jid = JULIET) {
  return ctx.network.pubsubOf(jid)
}

async function titles(ctx: TestContext, address: NodeAddress = BLOG): Promise<string[]> {
  const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address }, limit: 100 })
  return rows.map(({ title }) => title)
}

describe('indexing', () => {
  it('reads a blog whole and hears from then on', async () => {
    await using ctx = await contextWithBlog()
    await publish(ctx, 'one', 1)
    await publish(ctx, 'two', 2)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.deepEqual(await titles(ctx), ['two', 'one'])
    assert.equal((await findBlog(ctx.index, BLOG))?.isWaiting, false)
    await publish(ctx, 'three', 3)
    await pubsubOf(ctx).retractItem(itemOf(BLOG, 'one'))
    await until(async () => (await titles(ctx)).join() === 'three,two')
  })

  it('reads the blogs that the site follows, though they are none of its own', async () => {
    await using ctx = await createTestContext()
    const address = { ...BLOG, service: ROMEO }
    await pubsubOf(ctx, ROMEO).createNode(address, { access_model: 'open', max_items: '100' })
    await pubsubOf(ctx, ROMEO).publishItem(itemOf(address, 'his'), entryOf({ author: ROMEO, title: 'his' }))
    await addFollow(ctx.state, { follower: SITE, address: { service: ROMEO, node: BLOG.node }, since: ctx.clock() })
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.deepEqual(await titles(ctx, address), ['his'])
    await pubsubOf(ctx, ROMEO).publishItem(itemOf(address, 'next'), entryOf({ author: ROMEO, title: 'next' }))
    await until(async () => (await titles(ctx, address)).includes('next'))
    const { rows } = await listPosts(ctx.index, { scope: { kind: 'site', authors: [JULIET] }, limit: 10 })
    assert.deepEqual(rows, [])
  })

  it('follows the comments of a post as soon as it knows the post', async () => {
    await using ctx = await contextWithBlog()
    await ctx.indexing.start()
    await pubsubOf(ctx).createNode(THREAD, { publish_model: 'open' })
    await pubsubOf(ctx, ROMEO).publishItem(itemOf(THREAD, 'c1'), entryOf({ author: ROMEO }))
    await publish(ctx, 'balcony', 1, commentsLink(THREAD))
    await until(async () => (await listComments(ctx.index, THREAD)).length === 1)
    await pubsubOf(ctx, ROMEO).publishItem(itemOf(THREAD, 'c2'), entryOf({ author: ROMEO }))
    await until(async () => (await listComments(ctx.index, THREAD)).length === 2)
  })

  it('makes the comments node that a post of another client links to in vain', async () => {
    await using ctx = await contextWithBlog()
    await ctx.indexing.start()
    await publish(ctx, 'balcony', 1, commentsLink(THREAD))
    await until(async () => (await findNode(ctx.index, THREAD))?.status === 'deleted')
    await addAuthor(ctx, JULIET)
    await until(async () => (await findNode(ctx.index, THREAD))?.status === 'open')
    assert.equal((await pubsubOf(ctx).readConfig(THREAD)).publish_model, 'open')
  })

  it('asks for an item of which it was only told the id', async () => {
    await using ctx = await contextWithBlog()
    await ctx.indexing.start()
    await ctx.indexing.idle()
    ctx.site.setStatus('connecting')
    await publish(ctx, 'one', 1)
    ctx.site.setStatus('online')
    await ctx.indexing.idle()
    await pubsubOf(ctx).retractItem(itemOf(BLOG, 'one'))
    await until(async () => (await titles(ctx)).length === 0)
    const { nodes } = ctx.network
    const [node] = nodes.values()
    node?.items.set(asItemId('two'), { id: asItemId('two'), payload: entryOf({ title: 'two' }) })
    ctx.site.emit({ kind: 'published', address: itemOf(BLOG, 'two') })
    await until(async () => (await titles(ctx)).join() === 'two')
  })

  it('catches up after a reconnection: posts, edits and retractions', async () => {
    await using ctx = await contextWithBlog()
    for (const [i, item] of ['one', 'two', 'three'].entries()) await publish(ctx, item, i + 1)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    ctx.site.setStatus('waiting')
    await pubsubOf(ctx).retractItem(itemOf(BLOG, 'one'))
    await pubsubOf(ctx).publishItem(
      itemOf(BLOG, 'two'),
      entryOf({ title: 'two, edited', published: '2026-01-02T00:00:00Z' }),
    )
    await publish(ctx, 'four', 4)
    assert.deepEqual(await titles(ctx), ['three', 'two', 'one'])
    ctx.site.setStatus('online')
    await ctx.indexing.idle()
    await until(async () => (await titles(ctx)).join() === 'four,three,two, edited')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'one')), 'gone')
  })

  it('keeps what the server trimmed, and only that', async () => {
    await using ctx = await contextWithBlog()
    await pubsubOf(ctx).configureNode(BLOG, { max_items: '3' })
    await addAuthor(ctx, JULIET)
    for (const [i, item] of ['one', 'two', 'three'].entries()) await publish(ctx, item, i + 1)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    await ctx.state.updateTable('author').set({ maxItems: 3 }).execute()
    ctx.site.setStatus('waiting')
    await publish(ctx, 'four', 4)
    await publish(ctx, 'five', 5)
    const [node] = ctx.network.nodes.values()
    for (const item of ['one', 'three']) node?.items.delete(asItemId(item))
    ctx.site.setStatus('online')
    await until(async () => (await titles(ctx)).join() === 'five,four,two,one')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'three')), 'gone')
  })

  it('loses and doubles nothing of what happens while it reads', async () => {
    await using ctx = await contextWithBlog()
    for (let i = 1; i <= 25; i++) await publish(ctx, `post-${i}`, i)
    await ctx.indexing.start()
    await publish(ctx, 'during', 26)
    await pubsubOf(ctx).retractItem(itemOf(BLOG, 'post-3'))
    await ctx.indexing.idle()
    const all = Array.from({ length: 25 }, (_, i) => `post-${25 - i}`)
    const left = ['during', ...all.filter((title) => title !== 'post-3')]
    await until(async () => isDeepStrictEqual(await titles(ctx), left), { what: 'all but what was taken back' })
  })

  it('doubts only the subscriptions at the service that says that one has ended', async () => {
    await using ctx = await contextWithBlog()
    const address = { ...BLOG, service: ROMEO }
    await pubsubOf(ctx, ROMEO).createNode(address, { access_model: 'open', max_items: '100' })
    await addFollow(ctx.state, { follower: SITE, address, since: ctx.clock() })
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const asked: string[] = []
    ctx.site.pubsub.listSubscriptions = async (service) => {
      asked.push(service)
      return []
    }
    ctx.site.emit({ kind: 'subscription', address, state: 'none' })
    await ctx.indexing.idle()
    ctx.indexing.watch(BLOG)
    await ctx.indexing.idle()
    assert.deepEqual(asked, [ROMEO])
  })

  it('takes a node that was closed off the pages, but not one whose server is down', async () => {
    await using ctx = await contextWithBlog()
    await publish(ctx, 'one', 1)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    ctx.network.failNext('listItems', new AppError('unavailable', 'capulet.example cannot be reached now'))
    ctx.indexing.watch(BLOG)
    await ctx.indexing.idle()
    assert.deepEqual(await titles(ctx), ['one'])
    assert.match((await findNode(ctx.index, BLOG))?.problem ?? '', /cannot be reached/)
    await pubsubOf(ctx).configureNode(BLOG, { access_model: 'presence' })
    ctx.site.emit({ kind: 'configured', address: BLOG })
    await until(async () => (await findBlog(ctx.index, BLOG))?.status === 'hidden')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'one')), undefined)
    await pubsubOf(ctx).configureNode(BLOG, { access_model: 'open' })
    await publish(ctx, 'two', 2)
    await until(async () => (await titles(ctx)).join() === 'two,one')
  })

  it('reads again what another process asked for while it was being read', async () => {
    await using ctx = await contextWithBlog()
    await pubsubOf(ctx).deleteNode(BLOG)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const { pubsub } = ctx.site
    const { pages } = pubsub
    pubsub.pages = async function* () {
      pubsub.pages = pages
      // `canto user add` makes the node just after the service was asked for it.
      await pubsubOf(ctx).createNode(BLOG, { access_model: 'open', max_items: '100' })
      await publish(ctx, 'one', 1)
      await updateNode(ctx.index, BLOG, { nextTryAt: 0 })
      yield* []
      throw new AppError('not-found', 'No such node')
    }
    await updateNode(ctx.index, BLOG, { nextTryAt: 0 })
    await until(async () => (await titles(ctx)).join() === 'one')
  })

  it('tries again within the hour what it cannot read, and a node that is there again shows again', async () => {
    await using ctx = await contextWithBlog()
    await pubsubOf(ctx).deleteNode(BLOG)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.equal((await findBlog(ctx.index, BLOG))?.status, 'deleted')
    const row = await ctx.index.selectFrom('node').select('nextTryAt').executeTakeFirstOrThrow()
    const minutes = (row.nextTryAt - Date.now()) / 60_000
    assert.ok(minutes > 55 && minutes <= 60, `in ${minutes} minutes`)
    await addAuthor(ctx, JULIET)
    await publish(ctx, 'one', 1)
    await updateNode(ctx.index, BLOG, { nextTryAt: 0 })
    await until(async () => (await titles(ctx)).join() === 'one')
  })

  it('forgets the blog of somebody who is no longer an author, and what hangs on it', async () => {
    await using ctx = await contextWithBlog()
    await publish(ctx, 'balcony', 1, commentsLink(THREAD))
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.deepEqual(await titles(ctx), ['balcony'])
    await deleteAuthorRow(ctx.state, JULIET)
    await until(async () => (await findNode(ctx.index, BLOG)) === undefined)
    assert.equal(await findNode(ctx.index, THREAD), undefined)
    await until(() => [...ctx.network.nodes.values()].every(({ subscribers }) => subscribers.size === 0))
  })

  it('makes the same pages from nothing', async () => {
    await using ctx = await contextWithBlog()
    await pubsubOf(ctx).createNode(THREAD, { publish_model: 'open' })
    await ctx.indexing.start()
    await publish(ctx, 'balcony', 2, commentsLink(THREAD))
    for (const item of ['b', 'c', 'a']) await publish(ctx, item, 1)
    await pubsubOf(ctx, ROMEO).publishItem(itemOf(THREAD, 'c1'), entryOf({ author: ROMEO, name: 'Romeo' }))
    await ctx.indexing.idle()
    const snapshot = async () => {
      const { rows } = await listPosts(ctx.index, { scope: { kind: 'site', authors: [JULIET] }, limit: 10 })
      // What is read again is no news.
      const posts = { rows: rows.map((row) => ({ ...row, arrivedAt: undefined })) }
      return { posts, comments: await listComments(ctx.index, THREAD) }
    }
    await until(async () => (await snapshot()).comments.length === 1)
    const before = await snapshot()
    await askReindex(ctx.state, ctx.clock())
    await until(async () => (await snapshot()).posts.rows.length === 0 || (await reindexed(ctx)))
    await until(async () => (await snapshot()).comments.length === 1)
    await ctx.indexing.idle()
    assert.deepEqual(await snapshot(), before)
  })

  it('catches up after a restart', async () => {
    await using folder = await createTestFolder()
    const lasting = { network: createFakeNetwork(), ...folder.databases }
    {
      await using ctx = await contextWithBlog(lasting)
      await publish(ctx, 'one', 1)
      await publish(ctx, 'two', 2)
      await ctx.indexing.start()
      await ctx.indexing.idle()
    }
    const juliet = lasting.network.pubsubOf(JULIET)
    await juliet.retractItem(itemOf(BLOG, 'one'))
    await juliet.publishItem(itemOf(BLOG, 'three'), entryOf({ title: 'three', published: '2026-01-03T00:00:00Z' }))
    await using ctx = await createTestContext(lasting)
    assert.deepEqual(await titles(ctx), ['two', 'one'])
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.deepEqual(await titles(ctx), ['three', 'two'])
  })
})

async function reindexed(ctx: TestContext): Promise<boolean> {
  return (await ctx.state.selectFrom('setting').selectAll().where('key', '=', 'reindex.begun').execute()).length > 0
}

describe('a node at its max_items', () => {
  it('is known by its number, or by a maximum that servers usually have', () => {
    assert.equal(isFull({ count: 20, maxItems: 20, mostItems: 20 }), true)
    assert.equal(isFull({ count: 19, maxItems: 20, mostItems: 20 }), false)
    assert.equal(isFull({ count: 256, maxItems: undefined, mostItems: 256 }), true)
    assert.equal(isFull({ count: 256, maxItems: undefined, mostItems: 257 }), false)
    assert.equal(isFull({ count: 7, maxItems: undefined, mostItems: 7 }), false)
  })

  it('trims only what is older than all that remain', () => {
    const known = ['a', 'b', 'c', 'd'].map((item, i) => ({ item: asItemId(item), publishedAt: i }))
    assert.deepEqual([...listTrimmed(known, new Set([asItemId('b'), asItemId('d')]))], ['a'])
  })
})
