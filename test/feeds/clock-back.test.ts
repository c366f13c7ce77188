import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import { requireWithinLimits } from '#server/feeds/moderation/limits.ts'
import { queueComment, queuePost } from '#server/feeds/outbox.ts'
import { beginAttempt } from '#server/people/throttle.ts'
import { addFollow } from '#server/store/follow.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { listDueNodes, listUnreadNodes } from '#server/store/node-schedule.ts'
import { addOriginal, listDueOriginals, saveOriginal } from '#server/store/original.ts'
import { findOutboxRow, listOutboxOf } from '#server/store/outbox.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET, ROMEO } from './fixtures.ts'
import { COMMUNITY, contextWith, DAY, nodeOf, read } from './followed-node.ts'

const NOW = new Date('2026-06-10T00:00:00Z')
const HOUR = 3_600_000
const TEXT = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }

function step(ctx: TestContext, ms: number): void {
  ctx.setNow(new Date(ctx.clock().getTime() + ms))
}

/** Juliet writes, and the clock stands still. */
async function startWriting(): Promise<TestContext> {
  const ctx = await createTestContext()
  ctx.setNow(NOW)
  ctx.signIn(JULIET)
  await addAuthor(ctx, JULIET)
  await ctx.indexing.start()
  await ctx.outbox.start()
  return ctx
}

describe('after the clock was put back', () => {
  it('what failed is sent again, no later than it would have been', async () => {
    await using ctx = await startWriting()
    step(ctx, DAY)
    ctx.network.failNext('publishItem', new AppError('timeout', 'Slow'))
    const { id } = await queuePost(ctx, { author: JULIET, key: 'a', draft: TEXT })
    await until(async () => (await findOutboxRow(ctx.state, id))?.nextTry)
    step(ctx, -2 * DAY)
    await until(async () => (await findOutboxRow(ctx.state, id))?.status === 'done', { what: 'the post to be sent' })
  })

  it('nodes are read again, and compared as a whole', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    ctx.setNow(NOW)
    await read(ctx)
    const { readAt, deepReadAt } = await nodeOf(ctx, COMMUNITY)
    assert.ok(readAt && deepReadAt)
    step(ctx, -30 * DAY)
    await until(
      async () => {
        const node = await nodeOf(ctx, COMMUNITY)
        return node.readAt && node.readAt < readAt && node.deepReadAt && node.deepReadAt < deepReadAt
      },
      { what: 'both readings' },
    )
    const planned = await nodeOf(ctx, COMMUNITY)
    assert.ok(planned.nextTryAt <= ctx.clock().getTime() + 7 * DAY)
  })

  it('only what is further ahead than anything is planned is due', async () => {
    await using ctx = await createTestContext()
    const longest = { feed: 6 * HOUR, thread: 7 * DAY }
    const [feed, thread] = [COMMUNITY, { ...COMMUNITY, node: 'comments' }]
    await addNode(ctx.index, { address: feed, kind: 'community', now: NOW })
    await addNode(ctx.index, { address: thread, kind: 'comments', now: NOW })
    for (const [ahead, due] of [
      [5 * HOUR, []],
      [7 * HOUR, [feed.node]],
      [8 * DAY, [feed.node, thread.node]],
    ] as const) {
      const at = NOW.getTime() + ahead
      for (const address of [feed, thread]) await updateNode(ctx.index, address, { nextTryAt: at, deepDueAt: at })
      const nodes = await listDueNodes(ctx.index, { now: NOW, longest, limit: 10 })
      assert.deepEqual(
        nodes.map(({ address }) => address.node),
        due,
      )
      const unread = await listUnreadNodes(ctx.index, { now: NOW, longest: 7 * DAY, limit: 10 })
      assert.equal(unread.length, ahead > 7 * DAY ? 2 : 0)
    }
  })

  it('originals of reposts are asked for again', async () => {
    await using ctx = await createTestContext()
    await addOriginal(ctx.index, itemOf(COMMUNITY, 'original'))
    await saveOriginal(ctx.index, itemOf(COMMUNITY, 'original'), { at: NOW })
    const patience = { unknown: HOUR, missing: HOUR, found: HOUR }
    const due = (now: Date) => listDueOriginals(ctx.index, { now, patience, limit: 10 })
    assert.equal((await due(NOW)).length, 0)
    assert.equal((await due(new Date(NOW.getTime() - DAY))).length, 1)
  })

  it('nobody is kept out for what they did by the former time', async () => {
    await using ctx = await startWriting()
    const { address: post } = await queuePost(ctx, { author: JULIET, key: 'a', draft: TEXT })
    await until(async () => (await listOutboxOf(ctx.state, post))[0]?.status === 'done')
    const thread = { ...BLOG, node: `${BLOG.node}:comments/${post.item}` }
    const who = { account: JULIET, who: JULIET, thread, post }
    for (let i = 0; i < 5; i++) await queueComment(ctx, { author: JULIET, key: `${i}`, post, text: `${i}` })
    await assert.rejects(requireWithinLimits(ctx, who), { code: 'too-many' })
    const guess = (now: Date) => beginAttempt(ctx.state, { jid: ROMEO, address: '192.0.2.1', now })
    for (let i = 0; i < 5; i++) await guess(NOW)
    await assert.rejects(guess(NOW), { code: 'too-many' })
    step(ctx, -DAY)
    await requireWithinLimits(ctx, who)
    await guess(ctx.clock())
  })

  it('a post that was removed elsewhere since is not published again', async () => {
    await using ctx = await startWriting()
    step(ctx, DAY)
    const { address } = await queuePost(ctx, { author: JULIET, key: 'a', draft: TEXT })
    const other = await queuePost(ctx, { author: JULIET, key: 'b', draft: TEXT })
    const isDone = async (id: number) => (await findOutboxRow(ctx.state, id))?.status === 'done'
    await until(() => isDone(other.id))
    step(ctx, -DAY)
    const session = ctx.sessions(JULIET) as FakeSession
    await session.pubsub.retractItem(address)
    await ctx.indexing.idle()
    session.setStatus('waiting')
    const asked = ctx.network.asked.length
    session.setStatus('online')
    // The other one is looked at, after the first.
    await until(() => ctx.network.asked.slice(asked).some(({ method }) => method === 'findItem'))
    const third = await queuePost(ctx, { author: JULIET, key: 'c', draft: TEXT })
    await until(() => isDone(third.id))
    assert.equal(await session.pubsub.findItem(address), undefined)
  })

  it('a permit ends, that was given for an hour', async () => {
    await using ctx = await createTestContext()
    ctx.setNow(NOW)
    const romeo = ctx.signIn(ROMEO)
    const owner = ctx.network.pubsubOf(JULIET)
    await owner.createNode(COMMUNITY, { access_model: 'open' })
    await owner.publishItem(itemOf(COMMUNITY, 'ball'), entryOf({ title: 'A ball' }))
    await addNode(ctx.index, { address: COMMUNITY, kind: 'community', now: NOW })
    await updateNode(ctx.index, COMMUNITY, { status: 'restricted' })
    await addFollow(ctx.state, { follower: ROMEO, address: COMMUNITY, since: NOW })
    await ctx.permits.ask(romeo)
    assert.equal(ctx.permits.has(ROMEO, COMMUNITY), true)
    step(ctx, -DAY)
    assert.equal(ctx.permits.has(ROMEO, COMMUNITY), false)
  })
})
