import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { findNode } from '#server/store/node.ts'
import { listPosts } from '#server/store/post.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { growThread } from '#test/support/long-thread.ts'
import { watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from '../feeds/fixtures.ts'

const POSTS = 20
const COMMENTS = 5_000

const threadOf = (n: number) => ({ ...THREAD, node: `${THREAD.node}-${n}` })

async function withPosts(folder: TestFolder, count: number): Promise<TestContext> {
  const ctx = await createTestContext({ indexPath: folder.file('index.sqlite') })
  await knowBlog(ctx)
  for (let n = 0; n < count; n++) {
    const payload = entryOf({ more: commentsLink(threadOf(n)) })
    await publishTo(ctx, itemOf(BLOG, `post-${n}`), { payload, publisher: JULIET })
  }
  return ctx
}

describe('the numbers of comments', () => {
  it('are exact on a page of posts with long threads, and counted in slices', async () => {
    await using folder = await createTestFolder()
    await using ctx = await withPosts(folder, POSTS)
    await publishTo(ctx, itemOf(threadOf(0), 'c0'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    await growThread(ctx.index, { like: 'c0', count: COMMENTS })
    await sql`UPDATE entry SET is_like = 1 WHERE item = 'c7'`.execute(ctx.index)
    await sql`UPDATE entry SET hold = 'held' WHERE item = 'c8'`.execute(ctx.index)
    const { rows } = await sql<{ name: string }>`SELECT name FROM pragma_table_info('entry')`.execute(ctx.index)
    const columns = sql.raw(
      rows
        .map(({ name }) => name)
        .filter((name) => !['id', 'node_id'].includes(name))
        .join(', '),
    )
    const first = (await findNode(ctx.index, threadOf(0)))?.id
    for (let n = 1; n < POSTS; n++) {
      const node = (await findNode(ctx.index, threadOf(n)))?.id
      await sql`INSERT INTO entry (node_id, ${columns}) SELECT ${node}, ${columns} FROM entry WHERE node_id = ${first}`.execute(
        ctx.index,
      )
    }
    const list = () => listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: POSTS })
    const { longest, total } = await watchTurns(list)
    assert.ok(longest < total * 0.8, `${longest} ms of ${total} ms in one piece`)
    const counts = (await list()).rows.map(({ commentCount }) => commentCount)
    assert.deepEqual(counts, Array(POSTS).fill(COMMENTS - 1))
  })
})
