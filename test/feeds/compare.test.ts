import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { compareAll, isFault } from '#server/feeds/compare.ts'
import { queuePost } from '#server/feeds/outbox.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import { asItemId } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO, THREAD } from './fixtures.ts'
import { withBounds } from './with-bounds.ts'

const DRAFT = { title: 'Hello', text: 'x', tags: [], language: 'en', summary: '', comments: false }

async function contextWithPosts(): Promise<TestContext> {
  const ctx = await createTestContext()
  ctx.signIn(JULIET)
  await addAuthor(ctx, JULIET)
  const juliet = ctx.network.pubsubOf(JULIET)
  for (const item of ['one', 'two', 'three']) await juliet.publishItem(itemOf(BLOG, item), entryOf({ title: item }))
  await ctx.indexing.start()
  await ctx.indexing.idle()
  return ctx
}

async function differences(ctx: TestContext): Promise<string[]> {
  const found: string[] = []
  for await (const { kind, address } of compareAll(ctx)) found.push(`${kind} ${address.item ?? address.node}`)
  return found.toSorted()
}

function itemsOf(ctx: TestContext) {
  const node = [...ctx.network.nodes.values()].find(({ address }) => address.node === BLOG.node)
  assert.ok(node)
  return node.items
}

describe('comparing', () => {
  it('finds nothing where nodes and index agree, and asks without changing anything', async () => {
    await using ctx = await contextWithPosts()
    assert.deepEqual(await differences(ctx), [])
  })

  it('names what is missing here, missing there, or another version', async () => {
    await using ctx = await contextWithPosts()
    const items = itemsOf(ctx)
    items.delete(asItemId('one'))
    items.set(asItemId('two'), { id: asItemId('two'), payload: entryOf({ title: 'two, edited' }), publisher: JULIET })
    items.set(asItemId('four'), { id: asItemId('four'), payload: entryOf({ title: 'four' }), publisher: JULIET })
    items.set(asItemId('test_post'), { id: asItemId('test_post'), payload: entryOf() })
    assert.deepEqual(await differences(ctx), ['differs two', 'missing-here four', 'missing-there one'])
    assert.deepEqual(await differences(ctx), ['differs two', 'missing-here four', 'missing-there one'], 'as before')
  })

  it('tells an overwrite by a stranger from a version that was missed', async () => {
    await using ctx = await contextWithPosts()
    await addNode(ctx.index, { address: THREAD, kind: 'comments', owner: JULIET, now: ctx.clock() })
    await ctx.network.pubsubOf(JULIET).createNode(THREAD, { publish_model: 'open' })
    await ctx.network.pubsubOf(ROMEO).publishItem(itemOf(THREAD, 'c1'), entryOf({ author: ROMEO }))
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    const mallory = entryOf({ author: MALLORY, title: 'mine' })
    await ctx.network.pubsubOf(MALLORY).publishItem(itemOf(THREAD, 'c1'), mallory)
    const [found, ...others] = await Array.fromAsync(compareAll(ctx))
    assert.deepEqual(others, [])
    assert.equal(found?.kind, 'overwritten')
    assert.match(found.words, /mallory.*romeo/)
    assert.equal(isFault(found), false)
  })

  it('names what was done by the outbox and is not on the node', async () => {
    await using ctx = await contextWithPosts()
    await ctx.outbox.start()
    const row = await queuePost(ctx, { author: JULIET, key: 'a', draft: DRAFT })
    assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
    await ctx.indexing.idle()
    assert.deepEqual(await differences(ctx), [])
    itemsOf(ctx).delete(row.address.item)
    await ctx.index.deleteFrom('entry').where('item', '=', row.address.item).execute()
    assert.deepEqual(await differences(ctx), [`not-done ${row.address.item}`])
  })

  it('says which nodes it could not read, unless the pages say so too', async () => {
    await using ctx = await contextWithPosts()
    await ctx.network.pubsubOf(JULIET).configureNode(BLOG, { access_model: 'presence' })
    assert.deepEqual(await differences(ctx), [`unread ${BLOG.node}`])
    await updateNode(ctx.index, BLOG, { nextTryAt: 0 })
    await until(async () => (await findNode(ctx.index, BLOG))?.status === 'hidden')
    assert.deepEqual(await differences(ctx), [])
  })

  it('compares a blog of the site to its end, whatever is read of others', async () => {
    await using ctx = await contextWithPosts()
    const juliet = ctx.network.pubsubOf(JULIET)
    for (let n = 0; n < 120; n++) await juliet.publishItem(itemOf(BLOG, `more-${n}`), entryOf())
    await ctx.indexing.idle()
    await ctx.index.deleteFrom('entry').where('item', '=', asItemId('one')).execute()
    await withBounds({ items: 50 }, async () => assert.deepEqual(await differences(ctx), ['missing-here one']))
  })

  it('says that older items of a stranger were left out, and compares those that are here', async () => {
    await using ctx = await createTestContext()
    const mallory = ctx.network.pubsubOf(MALLORY)
    const address = { service: MALLORY, node: BLOG.node }
    await mallory.createNode(address, { access_model: 'open' })
    for (let n = 0; n < 120; n++) await mallory.publishItem(itemOf(address, `item-${n}`), entryOf())
    await addFollow(ctx.state, { follower: SITE, address, since: ctx.clock() })
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const items = [...ctx.network.nodes.values()][0]?.items ?? assert.fail()
    items.set(asItemId('item-3'), { id: asItemId('item-3'), payload: entryOf({ title: 'edited' }), publisher: MALLORY })
    items.delete(asItemId('item-5'))
    await withBounds({ items: 50 }, async () => {
      assert.deepEqual(await differences(ctx), ['differs item-3', `left-out ${BLOG.node}`, 'missing-there item-5'])
    })
    // As if the older ones were never read.
    await updateNode(ctx.index, address, { backfill: 'cut' })
    await ctx.index.deleteFrom('entry').where('item', 'in', ['item-1', 'item-2'].map(asItemId)).execute()
    const found = await Array.fromAsync(compareAll(ctx))
    const [leftOut] = found.filter(({ kind }) => kind === 'left-out')
    assert.equal(leftOut?.words, 'Only its newest items are read here: 2 of its items were left out')
    assert.equal(isFault(leftOut), false)
    assert.deepEqual(found.map(({ kind }) => kind).toSorted(), ['differs', 'left-out', 'missing-there'])
  })
})
