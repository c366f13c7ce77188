import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { addAuthor, answerConsent, findConsentQuestion, listAuthors } from '#server/feeds/authors.ts'
import { ensureBlogNode, isConfigured } from '#server/feeds/blog-node.ts'
import { queuePost } from '#server/feeds/outbox.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { BLOG, entryOf, itemOf, JULIET, MALLORY } from './fixtures.ts'

const DRAFT = { title: 'Hello', text: 'x', tags: [], language: 'en', summary: '', comments: false }

/** A blog that another client made for contacts only. */
async function contextWithShyBlog(): Promise<TestContext> {
  const ctx = await createTestContext()
  const { pubsub } = ctx.signIn(JULIET)
  await pubsub.createNode(BLOG, { access_model: 'presence' })
  for (const [item, published] of [
    ['old', '2025-01-01T00:00:00Z'],
    ['new', '2026-01-01T00:00:00Z'],
  ] as const) {
    await pubsub.publishItem(itemOf(BLOG, item), entryOf({ published }))
  }
  return ctx
}

function accessOf(ctx: TestContext): string | undefined {
  return [...ctx.network.nodes.values()][0]?.config.access_model
}

describe('an author', () => {
  it('gets a node with everything a blog needs, and adding them again does no harm', async () => {
    await using ctx = await createTestContext()
    ctx.signIn(JULIET)
    assert.deepEqual(await addAuthor(ctx, JULIET), { kind: 'ready' })
    assert.deepEqual(await addAuthor(ctx, JULIET), { kind: 'ready' })
    const [node] = ctx.network.nodes.values()
    for (const [field, value] of Object.entries({
      access_model: 'open',
      max_items: 'max',
      notify_retract: '1',
      itemreply: 'publisher',
      presence_based_delivery: '0',
    })) {
      assert.equal(node?.config[field], value, field)
    }
    assert.deepEqual(await listAuthors(ctx), [JULIET])
  })

  it('who is not signed in waits, and keeps what an open node of another client is like', async () => {
    await using ctx = await createTestContext()
    assert.deepEqual(await addAuthor(ctx, JULIET), { kind: 'waiting' })
    const { pubsub } = ctx.signIn(JULIET)
    await pubsub.createNode(BLOG, { access_model: 'open', publish_model: 'open', title: 'Mine', max_items: '10' })
    assert.deepEqual(await addAuthor(ctx, JULIET), { kind: 'ready' })
    const config = await pubsub.readConfig(BLOG)
    assert.equal(config.title, 'Mine')
    assert.equal(config.publish_model, 'open')
    assert.equal(config.max_items, 'max')
  })

  it('is asked before a node that was there is opened, with number and date of what would be public', async () => {
    await using ctx = await contextWithShyBlog()
    const outcome = await addAuthor(ctx, JULIET)
    assert.ok(outcome.kind === 'needs-consent')
    assert.deepEqual(
      outcome.posts.map(({ n, date }) => [n, date?.getUTCFullYear()]),
      [
        [1, 2026],
        [2, 2025],
      ],
    )
    assert.deepEqual(await findConsentQuestion(ctx, JULIET), outcome.posts)
    assert.equal(accessOf(ctx), 'presence')
    await assert.rejects(answerConsent(ctx, MALLORY, true), { code: 'forbidden' })
    assert.deepEqual(await answerConsent(ctx, JULIET, true), { kind: 'ready' })
    assert.equal(accessOf(ctx), 'open')
    assert.equal(await findConsentQuestion(ctx, JULIET), undefined)
  })

  it('is asked again where posts came that they had not seen when they said yes', async () => {
    await using ctx = await contextWithShyBlog()
    await addAuthor(ctx, JULIET)
    const { pubsub } = ctx.signIn(JULIET)
    await pubsub.publishItem(itemOf(BLOG, 'secret'), entryOf({ published: '2026-02-02T00:00:00Z' }))
    const outcome = await answerConsent(ctx, JULIET, true)
    assert.ok(outcome.kind === 'needs-consent')
    assert.deepEqual([outcome.posts.length, accessOf(ctx)], [3, 'presence'])
    assert.deepEqual(await answerConsent(ctx, JULIET, true), { kind: 'ready' })
    assert.equal(accessOf(ctx), 'open')
  })

  it('who says no is not asked again, and nothing is published there', async () => {
    await using ctx = await contextWithShyBlog()
    await addAuthor(ctx, JULIET)
    assert.deepEqual(await answerConsent(ctx, JULIET, false), { kind: 'refused' })
    assert.deepEqual(await addAuthor(ctx, JULIET), { kind: 'refused' })
    assert.equal(await findConsentQuestion(ctx, JULIET), undefined)
    await ctx.outbox.start()
    const row = await queuePost(ctx, { author: JULIET, key: 'a', draft: DRAFT })
    const last = await ctx.outbox.settle(row.id, 30_000)
    assert.equal(last.status, 'refused')
    assert.match(last.problem ?? '', /shall stay so/)
    assert.equal(accessOf(ctx), 'presence')
  })

  it('is not taken for ready when the server does not open the node', async () => {
    await using ctx = await contextWithShyBlog()
    const { pubsub } = ctx.signIn(JULIET)
    const outcome = await addAuthor(ctx, JULIET)
    assert.ok(outcome.kind === 'needs-consent')
    const stubborn = {
      ...pubsub,
      createNode: pubsub.createNode,
      configureNode: async () => ({ access_model: 'presence' }),
    }
    await assert.rejects(ensureBlogNode(stubborn, BLOG, { agreed: outcome.posts }), AppError)
  })
})

describe('a configuration', () => {
  it('is as wanted whatever words its server has for it', () => {
    assert.equal(isConfigured({ a: 'true', max_items: '20000' }, { a: '1', max_items: 'max', unknown: '1' }), true)
    assert.equal(isConfigured({ a: 'false' }, { a: '1' }), false)
    assert.equal(isConfigured({ max_items: '20' }, { max_items: 'max' }), false)
  })
})
