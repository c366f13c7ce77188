import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { createInbox } from '#server/feeds/inbox.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import type { PubsubEvent } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { BLOG, entryOf, itemOf, knowBlog, ROMEO } from './fixtures.ts'

const OTHER: NodeAddress = { service: ROMEO, node: BLOG.node }

function published(node: NodeAddress, item: string, title = item): PubsubEvent {
  const address = itemOf(node, item)
  return { kind: 'published', address, item: { id: address.item, payload: entryOf({ title }) } }
}

async function titleOf(ctx: TestContext, item: string): Promise<string | undefined> {
  const post = await findPost(ctx.index, itemOf(BLOG, item))
  return post === undefined || post === 'gone' ? post : post.title
}

describe('the inbox', () => {
  it('keeps the order of a node while an item of it is fetched, and does not hold up other nodes', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await knowBlog(ctx, OTHER)
    const fetched = Promise.withResolvers<undefined>()
    const findItem = async () => {
      await fetched.promise
      return { id: itemOf(BLOG, 'post').item, payload: entryOf({ title: 'First' }) }
    }
    const inbox = createInbox({ ...ctx, site: { pubsub: { findItem } } }, { onMissed: () => assert.fail() })
    inbox.push({ kind: 'published', address: itemOf(BLOG, 'post') })
    inbox.push(published(BLOG, 'post', 'Second'))
    inbox.push(published(OTHER, 'other'))
    const order: string[] = []
    const ran = inbox.run(BLOG, async () => order.push((await titleOf(ctx, 'post')) ?? 'nothing'))
    while ((await listPosts(ctx.index, { scope: { kind: 'blog', address: OTHER }, limit: 1 })).rows.length === 0) {
      await new Promise(setImmediate)
    }
    assert.equal(await titleOf(ctx, 'post'), undefined)
    fetched.resolve(undefined)
    await ran
    assert.deepEqual(order, ['Second'], 'the task came after the events before it')
  })

  it('asks for the node to be read again when an item cannot be fetched, or too much waits', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const missed: string[] = []
    const findItem = async () => Promise.reject(new AppError('timeout', 'Slow'))
    const inbox = createInbox(
      { ...ctx, site: { pubsub: { findItem } } },
      { onMissed: ({ service }) => missed.push(service) },
    )
    inbox.push({ kind: 'published', address: itemOf(BLOG, 'post') })
    await inbox.idle()
    assert.deepEqual(missed.splice(0), [BLOG.service])
    const held = Promise.withResolvers<void>()
    const ran = inbox.run(BLOG, () => held.promise)
    for (let i = 0; i < 1_100; i++) inbox.push({ kind: 'retracted', address: itemOf(BLOG, `x${i}`) })
    assert.deepEqual(missed, [], 'what comes until it has room again is missed too')
    held.resolve()
    await ran
    await inbox.idle()
    assert.deepEqual(missed, [BLOG.service])
  })
})
