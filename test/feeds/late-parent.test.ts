import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { addAuthorRow } from '#server/store/author.ts'
import { findNode } from '#server/store/node.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { growThread } from '#test/support/long-thread.ts'
import { watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const REPLIES = 10_000

function open(folder: TestFolder): Promise<TestContext> {
  return createTestContext({ ...folder.databases, network: createFakeNetwork() })
}

/** Thousands of replies to a comment that has not come yet, by its `atom:id`. */
async function fill(ctx: TestContext): Promise<void> {
  await addAuthorRow(ctx.state, JULIET, new Date())
  await knowBlog(ctx)
  const payload = entryOf({ more: commentsLink(THREAD) })
  await publishTo(ctx, itemOf(BLOG, 'balcony'), { payload, publisher: JULIET })
  const more = `<thr:in-reply-to xmlns:thr='http://purl.org/syndication/thread/1.0' ref='parent'/>`
  await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ author: ROMEO, more }), publisher: ROMEO })
  await growThread(ctx.index, { like: 'c0', count: REPLIES - 1 })
}

async function publishParent(ctx: TestContext): Promise<void> {
  const payload = entryOf({ author: ROMEO })
  const id = payload.getChild('id')
  assert.ok(id)
  id.children = ['parent']
  await publishTo(ctx, itemOf(THREAD, 'late'), { payload, publisher: ROMEO })
}

async function countLinked({ index }: TestContext): Promise<number> {
  const query = index.selectFrom('entry').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await query.where('replyItem', '=', itemOf(THREAD, 'late').item).executeTakeFirstOrThrow()).count
}

describe('a comment that comes after thousands of replies to it', () => {
  it('gets all of them, in slices', async () => {
    await using folder = await createTestFolder()
    await using ctx = await open(folder)
    await fill(ctx)
    const turns = await watchTurns(() => publishParent(ctx))
    assert.equal(await countLinked(ctx), REPLIES)
    assert.ok(turns.longest < turns.total / 2, `${turns.longest} ms of ${turns.total} ms in one piece`)
    assert.equal((await findNode(ctx.index, THREAD))?.emptying, undefined)
  })

  it('gets the rest of them after a crash', async () => {
    await using folder = await createTestFolder()
    await (async () => {
      await using ctx = await open(folder)
      await fill(ctx)
      const working = assert.rejects(publishParent(ctx))
      while ((await countLinked(ctx)) === 0) await nextTurn()
      assert.ok((await countLinked(ctx)) < REPLIES)
      await ctx.index.destroy()
      await working
    })()
    await using ctx = await open(folder)
    ctx.site.setStatus('waiting')
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.equal(await countLinked(ctx), REPLIES)
    assert.equal((await findNode(ctx.index, THREAD))?.emptying, undefined)
  })
})
