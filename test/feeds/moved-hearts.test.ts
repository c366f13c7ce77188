import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { applyAccess } from '#server/feeds/access.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { countReactions } from '#server/store/reaction.ts'
import type { ItemAddress } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { growThread } from '#test/support/long-thread.ts'
import { type Turns, watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const HEARTS = 10_001
const [KEEPER, POST, OTHER] = [itemOf(BLOG, 'balcony'), itemOf(BLOG, 'garden'), itemOf(BLOG, 'tomb')]

function open(folder: TestFolder): Promise<TestContext> {
  return createTestContext({ ...folder.databases, network: createFakeNetwork() })
}

/** A thread with thousands of hearts of as many people, which one post links to. */
async function fill(ctx: TestContext): Promise<void> {
  await addAuthorRow(ctx.state, JULIET, new Date())
  await knowBlog(ctx)
  await link(ctx, KEEPER)
  await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ title: '♥', text: '♥' }), publisher: ROMEO })
  await growThread(ctx.index, { like: 'c0', count: HEARTS - 1 })
  await sql`UPDATE entry SET author = 'romeo-' || id || '@montague.example' WHERE is_like = 1`.execute(ctx.index)
}

async function withHearts(test: (ctx: TestContext) => Promise<void>): Promise<void> {
  await using folder = await createTestFolder()
  await using ctx = await open(folder)
  await fill(ctx)
  await test(ctx)
}

let seconds = 0

/** Publishes a post anew, which links to the thread or does not. */
async function link(ctx: TestContext, post: ItemAddress, { isLinked = true } = {}): Promise<void> {
  const updated = new Date(Date.UTC(2026, 1, 1) + seconds++ * 1000).toISOString()
  const payload = entryOf({ updated, more: isLinked ? commentsLink(THREAD) : '' })
  assert.equal(await publishTo(ctx, post, { payload, publisher: JULIET }), 'stored')
}

const unlink = (ctx: TestContext, post: ItemAddress) => link(ctx, post, { isLinked: false })

async function thread({ index }: TestContext): Promise<NodeRow> {
  const node = await findNode(index, THREAD)
  assert.ok(node)
  return node
}

/** How many hearts everybody is shown: the same everywhere. */
async function countHearts({ index }: TestContext, address: ItemAddress): Promise<number> {
  const count = (await countReactions(index, address))[0]?.count ?? 0
  const post = await findPost(index, address)
  assert.equal(typeof post === 'object' && post.heartCount, count)
  return count
}

/** Shown or not. */
async function countRows({ index }: TestContext, { item }: ItemAddress): Promise<number> {
  const query = index.selectFrom('reaction').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where('item', '=', item).executeTakeFirstOrThrow()).count
}

/** Waits until work that has begun has done a part. */
async function untilHalfDone(ctx: TestContext, post: ItemAddress): Promise<void> {
  const before = await countRows(ctx, post)
  while ((await countRows(ctx, post)) === before) await nextTurn()
  const rows = await countRows(ctx, post)
  assert.ok(rows > 0 && rows < HEARTS, `${rows} rows`)
}

function assertSliced({ count, longest, total }: Turns): void {
  assert.ok(count > 3, `${count} turns`)
  assert.ok(longest < total / 2, `${longest} ms of ${total} ms in one piece`)
}

describe('thousands of hearts in a thread', () => {
  it('are counted in slices for a post that links there now, and forgotten so when it does no more', async () => {
    await withHearts(async (ctx) => {
      assertSliced(await watchTurns(() => link(ctx, POST)))
      assert.equal(await countHearts(ctx, POST), HEARTS)
      assert.equal((await thread(ctx)).emptying, undefined)
      assertSliced(await watchTurns(() => unlink(ctx, POST)))
      assert.equal(await countRows(ctx, POST), 0)
      assert.equal((await thread(ctx)).emptying, undefined)
    })
  })

  it('are not looked at when a post is edited that links there as before', async () => {
    await withHearts(async (ctx) => {
      const whole = await watchTurns(() => link(ctx, POST))
      const again = await watchTurns(() => link(ctx, POST))
      assert.ok(again.total < whole.total / 10, `${again.total} ms, after ${whole.total} ms`)
      assert.equal(await countHearts(ctx, POST), HEARTS)
    })
  })

  it('are shown under no post that does not link there any more, from the first slice on', async () => {
    await withHearts(async (ctx) => {
      await link(ctx, POST)
      const leaving = unlink(ctx, POST)
      await untilHalfDone(ctx, POST)
      assert.equal(await countHearts(ctx, POST), 0)
      await leaving
    })
  })

  it('are those of each post when several change at once, and their node too', async () => {
    await withHearts(async (ctx) => {
      await link(ctx, OTHER)
      const joining = link(ctx, POST)
      await untilHalfDone(ctx, POST)
      const node = await thread(ctx)
      await Promise.all([joining, unlink(ctx, OTHER), applyAccess(ctx, node, 'restricted')])
      assert.equal(await countHearts(ctx, POST), 0)
      assert.equal(await countRows(ctx, POST), HEARTS)
      assert.equal(await countRows(ctx, OTHER), 0)
      assert.equal((await thread(ctx)).emptying, undefined)
      await applyAccess(ctx, await thread(ctx), 'open')
      assert.equal(await countHearts(ctx, POST), HEARTS)
    })
  })

  it('are none of a post that goes while they are being counted', async () => {
    await withHearts(async (ctx) => {
      const joining = link(ctx, POST)
      await untilHalfDone(ctx, POST)
      await Promise.all([joining, unlink(ctx, POST)])
      assert.equal(await countRows(ctx, POST), 0)
      assert.equal((await thread(ctx)).emptying, undefined)
    })
  })

  for (const isLinked of [true, false]) {
    it(`are as the post says after a crash, when it ${isLinked ? 'links there' : 'does no more'}`, async () => {
      await using folder = await createTestFolder()
      await (async () => {
        await using ctx = await open(folder)
        await fill(ctx)
        if (!isLinked) await link(ctx, POST)
        const working = assert.rejects(link(ctx, POST, { isLinked }))
        await untilHalfDone(ctx, POST)
        await ctx.index.destroy()
        await working
      })()
      await using ctx = await open(folder)
      if (!isLinked) assert.equal(await countHearts(ctx, POST), 0)
      ctx.site.setStatus('waiting')
      await ctx.indexing.start()
      await ctx.indexing.idle()
      assert.equal(await countHearts(ctx, POST), isLinked ? HEARTS : 0)
      assert.equal(await countRows(ctx, POST), isLinked ? HEARTS : 0)
      assert.equal((await thread(ctx)).emptying, undefined)
    })
  }
})
