import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { applyAccess } from '#server/feeds/access.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { saveHearts } from '#server/store/heart.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { countReactions, deleteReactions, listReactors } from '#server/store/reaction.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { growThread } from '#test/support/long-thread.ts'
import { watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const HEARTS = 10_001
const POST = itemOf(BLOG, 'balcony')

function open(folder: TestFolder): Promise<TestContext> {
  return createTestContext({ ...folder.databases, network: createFakeNetwork() })
}

/** Juliet's post, with thousands of hearts of as many people in its thread. */
async function fill(ctx: TestContext): Promise<void> {
  await addAuthorRow(ctx.state, JULIET, new Date())
  await knowBlog(ctx)
  await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  const heart = entryOf({ title: '♥', text: '♥' })
  await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: heart, publisher: ROMEO })
  await growThread(ctx.index, { like: 'c0', count: HEARTS - 1 })
  await sql`UPDATE entry SET author = 'romeo-' || id || '@montague.example' WHERE is_like = 1`.execute(ctx.index)
  await deleteReactions(ctx.index, POST)
  await saveHearts(ctx.index, POST, await thread(ctx))
}

async function withHearts(test: (ctx: TestContext) => Promise<void>): Promise<void> {
  await using folder = await createTestFolder()
  await using ctx = await open(folder)
  await fill(ctx)
  await test(ctx)
}

async function thread({ index }: TestContext): Promise<NodeRow> {
  const node = await findNode(index, THREAD)
  assert.ok(node)
  return node
}

async function apply(ctx: TestContext, access: 'open' | 'restricted'): Promise<void> {
  await applyAccess(ctx, await thread(ctx), access)
}

/** How many hearts everybody is shown: the same everywhere. */
async function countHearts({ index }: TestContext): Promise<number> {
  const count = (await countReactions(index, POST))[0]?.count ?? 0
  const post = await findPost(index, POST)
  assert.equal(typeof post === 'object' && post.heartCount, count)
  assert.equal((await listReactors(index, POST, { limit: HEARTS, offset: 0 })).length, count)
  return count
}

async function countHeld({ index }: TestContext): Promise<number> {
  const query = index.selectFrom('reaction').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where('hold', 'is not', null).executeTakeFirstOrThrow()).count
}

/** Waits until work that has begun has done a part. */
async function untilHalfDone(ctx: TestContext): Promise<void> {
  const before = await countHeld(ctx)
  while ((await countHeld(ctx)) === before) await nextTurn()
  const held = await countHeld(ctx)
  assert.ok(held > 0 && held < HEARTS, `${held} are held back`)
}

describe('thousands of reactions on one node', () => {
  it('are held back and shown in slices', async () => {
    await withHearts(async (ctx) => {
      assert.equal(await countHearts(ctx), HEARTS)
      for (const [access, count] of [
        ['restricted', 0],
        ['open', HEARTS],
      ] as const) {
        const turns = await watchTurns(() => apply(ctx, access))
        assert.ok(turns.count > 3, `${turns.count} turns`)
        assert.ok(turns.longest < turns.total / 2, `${turns.longest} ms of ${turns.total} ms in one piece`)
        assert.equal(await countHearts(ctx), count)
        assert.equal((await thread(ctx)).emptying, undefined)
      }
    })
  })

  it('are shown to nobody as soon as their node is closed', async () => {
    await withHearts(async (ctx) => {
      const closing = apply(ctx, 'restricted')
      await untilHalfDone(ctx)
      assert.equal(await countHearts(ctx), 0)
      await closing
      assert.equal(await countHeld(ctx), HEARTS)
    })
  })

  it('stay hidden where their node is closed while they are being shown', async () => {
    await withHearts(async (ctx) => {
      await apply(ctx, 'restricted')
      const opening = apply(ctx, 'open')
      await untilHalfDone(ctx)
      await Promise.all([opening, apply(ctx, 'restricted')])
      assert.equal(await countHearts(ctx), 0)
      assert.equal(await countHeld(ctx), HEARTS)
      assert.equal((await thread(ctx)).emptying, undefined)
    })
  })

  for (const [access, count] of [
    ['restricted', 0],
    ['open', HEARTS],
  ] as const) {
    it(`are as their node says after a crash: ${access}`, async () => {
      await using folder = await createTestFolder()
      await (async () => {
        await using ctx = await open(folder)
        await fill(ctx)
        if (access === 'open') await apply(ctx, 'restricted')
        const working = assert.rejects(apply(ctx, access))
        await untilHalfDone(ctx)
        await ctx.index.destroy()
        await working
      })()
      await using ctx = await open(folder)
      if (access === 'restricted') assert.equal(await countHearts(ctx), 0)
      ctx.site.setStatus('waiting')
      await ctx.indexing.start()
      await ctx.indexing.idle()
      assert.equal(await countHearts(ctx), count)
      assert.equal(await countHeld(ctx), HEARTS - count)
      assert.equal((await thread(ctx)).emptying, undefined)
    })
  }
})
