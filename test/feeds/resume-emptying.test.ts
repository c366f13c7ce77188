import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { clearEntries } from '#server/feeds/remove.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { countEntries } from '#server/store/entry.ts'
import { MIGRATIONS, migrateDown } from '#server/store/migrate.ts'
import { findNode, updateNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { blogOfAuthor, fillLargeIndex, itemOfPost, threadOfPost } from '#test/support/large-index.ts'
import { growThread } from '#test/support/long-thread.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const POSTS = 400
const [FIRST, SECOND] = [blogOfAuthor(1), blogOfAuthor(2)]

/** The process ends after the first slices of some work. */
async function crashDuring(ctx: TestContext, nodeId: number, work: () => Promise<unknown>): Promise<void> {
  const before = await countEntries(ctx.index, nodeId)
  const working = assert.rejects(work())
  while ((await countEntries(ctx.index, nodeId)) === before) await nextTurn()
  assert.ok((await countEntries(ctx.index, nodeId)) > 0, 'it is not done yet')
  await ctx.index.destroy()
  await working
}

/** The next process, where the network has nothing to say. */
async function startAgain(folder: TestFolder): Promise<TestContext> {
  const ctx = await createTestContext({
    ...{ indexPath: folder.file('index.sqlite'), statePath: folder.file('state.sqlite') },
    network: createFakeNetwork(),
  })
  ctx.site.setStatus('waiting')
  await ctx.indexing.start()
  await ctx.indexing.idle()
  return ctx
}

async function countThreads(ctx: TestContext, owner: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM node WHERE kind IN ('comments', 'attachments') AND owner = ${owner}`.execute(
    ctx.index,
  )
  return rows[0]?.count ?? 0
}

describe('after the process ended in the middle', () => {
  for (const how of ['purged', 'deleted', 'closed'] as const) {
    it(`a ${how} blog is emptied at the next start, with what hangs on it`, async () => {
      await using folder = await createTestFolder()
      await fillLargeIndex(folder.file('index.sqlite'), { posts: POSTS, authors: 2 })
      const paths = { indexPath: folder.file('index.sqlite'), statePath: folder.file('state.sqlite') }
      const node = await (async () => {
        await using ctx = await createTestContext(paths)
        for (const { service } of [FIRST, SECOND]) await addAuthorRow(ctx.state, service, new Date())
        const found = await findNode(ctx.index, FIRST)
        assert.ok(found)
        await crashDuring(ctx, found.id, () => clearEntries(ctx, found, how))
        return found
      })()
      await using ctx = await startAgain(folder)
      assert.equal(await countEntries(ctx.index, node.id), 0)
      assert.equal((await findNode(ctx.index, FIRST))?.emptying, undefined)
      assert.equal((await findNode(ctx.index, FIRST))?.status, how === 'purged' ? 'open' : how)
      assert.equal(await countThreads(ctx, FIRST.service), 0)
      assert.ok((await countThreads(ctx, SECOND.service)) >= POSTS / 2)
      for (const number of [1, POSTS - 1]) {
        const post = await findPost(ctx.index, { ...FIRST, item: itemOfPost(number) })
        assert.equal(post, how === 'closed' ? undefined : 'gone')
      }
    })
  }

  it('a thread that its post no longer links to is forgotten at the next start', async () => {
    await using folder = await createTestFolder()
    const paths = { indexPath: folder.file('index.sqlite'), statePath: folder.file('state.sqlite') }
    await (async () => {
      await using ctx = await createTestContext(paths)
      await addAuthorRow(ctx.state, JULIET, new Date())
      await knowBlog(ctx)
      const post = itemOf(BLOG, 'balcony')
      await publishTo(ctx, post, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
      await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
      await growThread(ctx.index, { like: 'c0', count: 2_000 })
      const thread = await findNode(ctx.index, THREAD)
      assert.ok(thread)
      const payload = entryOf({ updated: '2026-02-02T03:04:05Z' })
      await crashDuring(ctx, thread.id, () => publishTo(ctx, post, { payload, publisher: JULIET }))
    })()
    await using ctx = await startAgain(folder)
    assert.equal(await findNode(ctx.index, THREAD), undefined)
    assert.equal(typeof (await findPost(ctx.index, itemOf(BLOG, 'balcony'))), 'object')
    const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM entry`.execute(ctx.index)
    assert.equal(rows[0]?.count, 1)
  })

  it('a thread that another post links to meanwhile stays', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    for (const id of ['balcony', 'other']) {
      const more = commentsLink(THREAD)
      await publishTo(ctx, itemOf(BLOG, id), { payload: entryOf({ more }), publisher: JULIET })
    }
    await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    const payload = entryOf({ updated: '2026-02-02T03:04:05Z' })
    await publishTo(ctx, itemOf(BLOG, 'balcony'), { payload, publisher: JULIET })
    const thread = await findNode(ctx.index, THREAD)
    assert.ok(thread)
    assert.equal(thread.emptying, undefined)
    assert.equal(await countEntries(ctx.index, thread.id), 1)
  })

  it('what a former Canto left half done is found by the upgrade', async () => {
    await using folder = await createTestFolder()
    await fillLargeIndex(folder.file('index.sqlite'), { posts: 20, authors: 2 })
    const paths = { indexPath: folder.file('index.sqlite'), statePath: folder.file('state.sqlite') }
    await (async () => {
      await using ctx = await createTestContext(paths)
      for (const { service } of [FIRST, SECOND]) await addAuthorRow(ctx.state, service, new Date())
      await updateNode(ctx.index, FIRST, { status: 'closed' })
      const post = { ...SECOND, item: itemOfPost(2) }
      const left = threadOfPost(post)
      await sql`UPDATE entry SET comments_service = NULL, comments_node = NULL
        WHERE comments_node = ${left.node}`.execute(ctx.index)
      const marks = sql`SELECT 1 FROM pragma_table_info('node') WHERE name = 'emptying'`
      while ((await marks.execute(ctx.index)).rows.length > 0)
        await migrateDown(ctx.index as unknown as Kysely<unknown>, MIGRATIONS.index)
    })()
    await using ctx = await startAgain(folder)
    const first = await findNode(ctx.index, FIRST)
    assert.ok(first)
    assert.equal(await countEntries(ctx.index, first.id), 0)
    assert.equal(await findNode(ctx.index, threadOfPost({ ...SECOND, item: itemOfPost(2) })), undefined)
    assert.ok(await findNode(ctx.index, threadOfPost({ ...SECOND, item: itemOfPost(4) })))
  })
})
