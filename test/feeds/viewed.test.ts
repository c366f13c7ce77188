import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { listComments } from '#server/store/comment.ts'
import { findNode } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { createTestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, ROMEO } from './fixtures.ts'

const NOW = '2026-06-01T00:00:00Z'
const LATER = '2026-06-01T12:00:00Z'

const threadOf = (name: string): NodeAddress => ({ service: JULIET, node: `urn:xmpp:microblog:0:comments/${name}` })

describe('comments', () => {
  it('of recent posts are read after an absence, of others when somebody looks at them or within a day', async () => {
    await using ctx = await createTestContext()
    ctx.setNow(NOW)
    ctx.signIn(JULIET)
    await addAuthor(ctx, JULIET)
    const juliet = ctx.network.pubsubOf(JULIET)
    for (const [name, published] of [
      ['recent', '2026-05-30T00:00:00Z'],
      ['old', '2025-01-01T00:00:00Z'],
      ['older', '2024-01-01T00:00:00Z'],
    ] as const) {
      await juliet.createNode(threadOf(name), { publish_model: 'open' })
      await juliet.publishItem(itemOf(BLOG, name), entryOf({ published, more: commentsLink(threadOf(name)) }))
    }
    await ctx.indexing.start()
    await until(async () => (await findNode(ctx.index, threadOf('older')))?.subscription === 'subscribed')
    await ctx.indexing.idle()
    ctx.site.setStatus('waiting')
    for (const name of ['recent', 'old', 'older']) {
      await ctx.network.pubsubOf(ROMEO).publishItem(itemOf(threadOf(name), 'c1'), entryOf({ author: ROMEO }))
    }
    ctx.setNow(LATER)
    ctx.site.setStatus('online')
    await ctx.indexing.idle()
    const counts = async () =>
      Promise.all(
        ['recent', 'old', 'older'].map(async (name) => (await listComments(ctx.index, threadOf(name))).length),
      )
    assert.deepEqual(await counts(), [1, 0, 0])
    ctx.indexing.viewed(threadOf('old'))
    await ctx.indexing.idle()
    assert.deepEqual(await counts(), [1, 1, 0])
    const asked = ctx.network.asked.length
    ctx.indexing.viewed(threadOf('old'))
    ctx.indexing.viewed(BLOG)
    ctx.indexing.viewed({ ...threadOf('old'), service: ROMEO })
    await ctx.indexing.idle()
    assert.equal(ctx.network.asked.length, asked, 'what was just read is not asked for again')
    ctx.setNow('2026-06-02T12:00:01Z')
    await until(async () => (await counts()).join() === '1,1,1')
  })
})
