import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { knowBlogs, knowChanged } from '#server/feeds/known-blogs.ts'
import { clearEntries } from '#server/feeds/remove.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { countEntries } from '#server/store/entry.ts'
import { addFollow, deleteFollow } from '#server/store/follow.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { blogOfAuthor, fillLargeIndex, itemOfPost, threadOfPost } from '#test/support/large-index.ts'
import { growThread } from '#test/support/long-thread.ts'
import { watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const POSTS = 1_000
const [FIRST, SECOND] = [blogOfAuthor(1), blogOfAuthor(2)]

async function withTwoBlogs(test: (ctx: TestContext) => Promise<void>): Promise<void> {
  await using folder = await createTestFolder()
  const indexPath = folder.file('index.sqlite')
  await fillLargeIndex(indexPath, { posts: POSTS, authors: 2 })
  await using ctx = await createTestContext({ indexPath })
  for (const { service } of [FIRST, SECOND]) await addAuthorRow(ctx.state, service, new Date())
  await knowBlogs(ctx)
  await test(ctx)
}

async function requireNode(ctx: TestContext, address: typeof FIRST): Promise<NodeRow> {
  const node = await findNode(ctx.index, address)
  assert.ok(node, address.node)
  return node
}

async function countNodes(ctx: TestContext, kind: 'comments' | 'attachments', owner: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM node WHERE kind = ${kind} AND owner = ${owner}`.execute(ctx.index)
  return rows[0]?.count ?? 0
}

describe('a large thread that its post no longer links to', () => {
  it('is forgotten in slices', async () => {
    await using folder = await createTestFolder()
    await using ctx = await createTestContext({ indexPath: folder.file('index.sqlite') })
    await knowBlog(ctx)
    const post = itemOf(BLOG, 'balcony')
    await publishTo(ctx, post, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
    await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    await growThread(ctx.index, { like: 'c0', count: 10_000 })
    const payload = entryOf({ updated: '2026-02-02T03:04:05Z' })
    const turns = await watchTurns(() => publishTo(ctx, post, { payload, publisher: JULIET }))
    assert.equal(await findNode(ctx.index, THREAD), undefined)
    const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM entry`.execute(ctx.index)
    assert.equal(rows[0]?.count, 1)
    assert.ok(turns.count > 5, `${turns.count} turns`)
    assert.ok(turns.longest < turns.total / 3, `${turns.longest} ms of ${turns.total} ms in one piece`)
  })
})

describe('a large blog', () => {
  it('is emptied in slices, with the comments and reactions of its posts, and nothing of other blogs', async () => {
    await withTwoBlogs(async (ctx) => {
      const node = await requireNode(ctx, FIRST)
      const turns = await watchTurns(() => clearEntries(ctx, node, 'deleted'))
      assert.equal(await countEntries(ctx.index, node.id), 0)
      for (const kind of ['comments', 'attachments'] as const) {
        assert.equal(await countNodes(ctx, kind, FIRST.service), 0, kind)
        assert.ok((await countNodes(ctx, kind, SECOND.service)) > 50, kind)
      }
      const { rows } = await sql`SELECT 1 FROM reaction WHERE service = ${FIRST.service}`.execute(ctx.index)
      assert.deepEqual(rows, [])
      assert.equal(await findPost(ctx.index, { ...FIRST, item: itemOfPost(1) }), 'gone')
      assert.ok(turns.count > 10, `${turns.count} turns`)
      assert.ok(turns.longest < turns.total / 5, `${turns.longest} ms of ${turns.total} ms in one piece`)
    })
  })

  it('is shown to nobody from the first slice on', async () => {
    await withTwoBlogs(async (ctx) => {
      const node = await requireNode(ctx, FIRST)
      const clearing = clearEntries(ctx, node, 'closed')
      while ((await countEntries(ctx.index, node.id)) === POSTS / 2) await new Promise(setImmediate)
      assert.ok((await countEntries(ctx.index, node.id)) > 0)
      assert.equal(await findPost(ctx.index, { ...FIRST, item: itemOfPost(POSTS - 1) }), undefined)
      await clearing
    })
  })

  it('goes from the index when its last follower leaves, and no other is looked at', async () => {
    await withTwoBlogs(async (ctx) => {
      const followed = { service: ROMEO, node: NS.MICROBLOG }
      await addFollow(ctx.state, { follower: FIRST.service, address: followed, since: new Date() })
      await addFollow(ctx.state, { follower: SECOND.service, address: followed, since: new Date() })
      await knowChanged(ctx)
      const node = await requireNode(ctx, followed)
      await sql`UPDATE entry SET node_id = ${node.id} WHERE node_id = (SELECT id FROM node WHERE service = ${FIRST.service} AND node = ${NS.MICROBLOG})`.execute(
        ctx.index,
      )
      await deleteFollow(ctx.state, { follower: FIRST.service, address: followed })
      await knowChanged(ctx, { isQuick: true })
      assert.equal((await requireNode(ctx, followed)).status, 'open')
      await deleteFollow(ctx.state, { follower: SECOND.service, address: followed })
      // While somebody waits for their page it is only hidden.
      await knowChanged(ctx, { isQuick: true })
      assert.equal((await requireNode(ctx, followed)).status, 'deleted')
      assert.equal(await countEntries(ctx.index, node.id), POSTS / 2)
      await knowChanged(ctx)
      assert.equal(await findNode(ctx.index, followed), undefined)
      assert.equal(await findNode(ctx.index, threadOfPost({ ...FIRST, item: itemOfPost(1) })), undefined)
      await requireNode(ctx, threadOfPost({ ...SECOND, item: itemOfPost(2) }))
    })
  })

  it('that is followed again while it goes is known again', async () => {
    await withTwoBlogs(async (ctx) => {
      const follow = { follower: FIRST.service, address: { service: ROMEO, node: NS.MICROBLOG }, since: new Date() }
      await addFollow(ctx.state, follow)
      await knowChanged(ctx)
      const before = await requireNode(ctx, follow.address)
      await sql`UPDATE entry SET node_id = ${before.id} WHERE is_post = 1`.execute(ctx.index)
      await deleteFollow(ctx.state, follow)
      const dropping = knowChanged(ctx)
      while ((await countEntries(ctx.index, before.id)) === POSTS) await new Promise(setImmediate)
      await addFollow(ctx.state, follow)
      await dropping
      await knowChanged(ctx)
      const now = await requireNode(ctx, follow.address)
      assert.notEqual(now.id, before.id)
      assert.equal(now.status, 'open')
    })
  })
})
