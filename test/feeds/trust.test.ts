import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createInbox } from '#server/feeds/inbox.ts'
import { ingest } from '#server/feeds/ingest.ts'
import { noMeters } from '#server/meters.ts'
import { listComments } from '#server/store/comment.ts'
import { countEntries, findEntry } from '#server/store/entry.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { PubsubEvent } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, MALLORY, publishTo, ROMEO, THREAD } from './fixtures.ts'

/** Counts what is counted, by name. */
function createCounts() {
  const counts = new Map<string, number>()
  const count = (name: string, _: unknown, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by)
  return { counts, meters: { ...noMeters, count } }
}

/** Events as the site account hears them, in the order they came. */
async function hear(ctx: TestContext, events: readonly PubsubEvent[]): Promise<ReadonlyMap<string, number>> {
  const { counts, meters } = createCounts()
  const inbox = createInbox({ ...ctx, meters }, { onMissed: () => assert.fail('nothing is asked of anybody') })
  for (const event of events) inbox.push(event)
  await inbox.idle()
  return counts
}

function published(node: NodeAddress, item: string, publisher?: string): PubsubEvent {
  const address = itemOf(node, item)
  return { kind: 'published', address, item: { id: address.item, payload: entryOf(), ...(publisher && { publisher }) } }
}

describe('an event', () => {
  it('counts only where the site has a subscription: others are ignored, and counted as such', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await publishTo(ctx, itemOf(BLOG, 'post'))
    await updateNode(ctx.index, BLOG, { subscription: 'none' })
    const elsewhere = { ...BLOG, service: MALLORY }
    const events: PubsubEvent[] = [
      published(BLOG, 'forged'),
      { kind: 'retracted', address: itemOf(BLOG, 'post') },
      { kind: 'purged', address: BLOG },
      { kind: 'deleted', address: BLOG },
      published(elsewhere, 'post'),
    ]
    const counts = await hear(ctx, events)
    assert.equal(counts.get('strangers_events'), events.length)
    assert.equal(counts.get('ingest'), undefined)
    assert.equal(typeof (await findPost(ctx.index, itemOf(BLOG, 'post'))), 'object')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'forged')), undefined)
    assert.equal((await findNode(ctx.index, BLOG))?.status, 'open')
  })

  it('of a configuration that a stranger claims makes us ask for nothing', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    await updateNode(ctx.index, BLOG, { subscription: 'none' })
    const before = ctx.network.asked.length
    ctx.site.emit({ kind: 'configured', address: BLOG })
    ctx.site.emit({ kind: 'configured', address: { ...BLOG, service: MALLORY } })
    await ctx.indexing.idle()
    assert.equal(ctx.network.asked.length, before)
  })

  it('that says where a node has moved moves nobody', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await addFollow(ctx.state, { follower: SITE, address: BLOG, since: ctx.clock() })
    await publishTo(ctx, itemOf(BLOG, 'post'))
    const redirect = `xmpp:${MALLORY}?;node=${encodeURIComponent(BLOG.node)}`
    await hear(ctx, [{ kind: 'deleted', address: BLOG, redirect }])
    assert.equal((await findNode(ctx.index, BLOG))?.status, 'deleted')
    const nodes = await ctx.index.selectFrom('node').select('service').execute()
    assert.deepEqual(nodes, [{ service: JULIET }])
  })
})

describe('somebody else’s blog', () => {
  it('is not taken over by a node of another service, whatever its author field says', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const evil: NodeAddress = { service: jidOf('pubsub.evil.example'), node: BLOG.node }
    await addNode(ctx.index, { address: evil, kind: 'community', now: ctx.clock() })
    const claim = { payload: entryOf({ author: JULIET, name: 'Juliet' }) }
    await publishTo(ctx, itemOf(evil, 'without'), claim)
    await publishTo(ctx, itemOf(evil, 'stamped'), { ...claim, publisher: JULIET })
    await publishTo(ctx, itemOf(evil, 'own'), { ...claim, publisher: MALLORY })
    const credits = await ctx.index.selectFrom('entry').select(['item', 'credit', 'author']).orderBy('item').execute()
    assert.deepEqual(credits, [
      { item: 'own', credit: 'unverified', author: null },
      // Shown with the name of the service that says so.
      { item: 'stamped', credit: 'according', author: JULIET },
      { item: 'without', credit: 'unverified', author: null },
    ])
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'stamped')), undefined)
  })

  it('does not make us follow a third party’s node by its comments link', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const thirds: NodeAddress[] = [
      { service: ROMEO, node: 'urn:xmpp:microblog:0:comments/x' },
      { service: jidOf('pubsub.montague.example'), node: 'secrets' },
      { service: jidOf('evil.capulet.example.evil.example'), node: 'x' },
    ]
    for (const [i, third] of thirds.entries()) {
      await publishTo(ctx, itemOf(BLOG, `post-${i}`), { payload: entryOf({ more: commentsLink(third) }) })
      assert.equal(await findNode(ctx.index, third), undefined, third.service)
    }
  })
})

describe('an overwrite by a stranger', () => {
  it('changes nothing and is counted once, however often the node is read again', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await publishTo(ctx, itemOf(BLOG, 'post'), { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: ROMEO, text: 'Mine' }), publisher: ROMEO })
    const { counts, meters } = createCounts()
    const deps = { ...ctx, meters }
    const payload = entryOf({ author: ROMEO, text: 'I never said so' })
    await publishTo(deps, itemOf(THREAD, 'c1'), { payload, publisher: MALLORY })
    for (let i = 0; i < 3; i++) {
      await publishTo(deps, itemOf(THREAD, 'c1'), { payload, publisher: MALLORY }, { readAt: new Date() })
    }
    assert.equal(counts.get('overwrites'), 1)
    const node = await findNode(ctx.index, THREAD)
    assert.equal((await findEntry(ctx.index, node?.id ?? 0, itemOf(THREAD, 'c1').item))?.overwrites, 1)
    const [comment] = await listComments(ctx.index, THREAD)
    assert.equal(comment?.author?.jid, ROMEO)
    assert.match(comment?.html ?? '', /Mine/)
  })

  it('is found when the node is read, too', async () => {
    await using ctx = await createTestContext()
    ctx.setNow('2026-01-05T00:00:00Z')
    await knowBlog(ctx)
    await addFollow(ctx.state, { follower: SITE, address: BLOG, since: ctx.clock() })
    await ctx.network.pubsubOf(JULIET).createNode(BLOG, { access_model: 'open' })
    await ctx.network.pubsubOf(JULIET).createNode(THREAD, { publish_model: 'open' })
    const post = entryOf({ author: JULIET, more: commentsLink(THREAD) })
    await ctx.network.pubsubOf(JULIET).publishItem(itemOf(BLOG, 'post'), post)
    await ctx.network.pubsubOf(ROMEO).publishItem(itemOf(THREAD, 'c1'), entryOf({ author: ROMEO, text: 'Mine' }))
    await ctx.indexing.start()
    await until(async () => (await listComments(ctx.index, THREAD)).length === 1)
    ctx.site.setStatus('waiting')
    const overwrite = entryOf({ author: ROMEO, text: 'I never said so' })
    await ctx.network.pubsubOf(MALLORY).publishItem(itemOf(THREAD, 'c1'), overwrite)
    ctx.site.setStatus('online')
    await ctx.indexing.idle()
    const node = await findNode(ctx.index, THREAD)
    await until(async () => (await findEntry(ctx.index, node?.id ?? 0, itemOf(THREAD, 'c1').item))?.overwrites === 1)
    assert.match((await listComments(ctx.index, THREAD))[0]?.html ?? '', /Mine/)
    assert.equal(await countEntries(ctx.index, node?.id ?? 0), 1)
  })
})

describe('what is told about ingesting', () => {
  it('is its outcome', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const outcomes: unknown[] = []
    const meters = { ...noMeters, count: (_: string, labels = {}) => void outcomes.push(labels) }
    await ingest({ ...ctx, meters }, published(BLOG, 'post'))
    await ingest({ ...ctx, meters }, published(BLOG, 'post'))
    await ingest({ ...ctx, meters }, { kind: 'retracted', address: itemOf(BLOG, 'post') })
    assert.deepEqual(outcomes, [{ outcome: 'stored' }, { outcome: 'unchanged' }, { outcome: 'removed' }])
  })
})
