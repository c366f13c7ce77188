import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import type { Element } from 'ltx'
import { ingest } from '#server/feeds/ingest.ts'
import { knowBlogs, knowChanged } from '#server/feeds/known-blogs.ts'
import { clearEntries } from '#server/feeds/remove.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { countEntries } from '#server/store/entry.ts'
import { addFollow, deleteFollow } from '#server/store/follow.ts'
import { saveHearts } from '#server/store/heart.ts'
import { findNode, type NodeRow } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { ItemAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { blogOfAuthor, fillLargeIndex, itemOfPost, threadOfPost } from '#test/support/large-index.ts'
import { growThread } from '#test/support/long-thread.ts'
import { type Turns, watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const POSTS = 1_000
const COMMENTS = 10_000
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

/** Juliet's posts that link to one thread, whose comments are as many copies of `first`. */
async function withThread(
  { posts, first }: { readonly posts: readonly string[]; readonly first: Element },
  test: (ctx: TestContext) => Promise<void>,
): Promise<void> {
  await using folder = await createTestFolder()
  await using ctx = await createTestContext({ indexPath: folder.file('index.sqlite') })
  await knowBlog(ctx)
  for (const id of posts) {
    await publishTo(ctx, itemOf(BLOG, id), { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  }
  await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: first, publisher: ROMEO })
  await growThread(ctx.index, { like: 'c0', count: COMMENTS })
  await test(ctx)
}

function assertSliced({ count, longest, total }: Turns): void {
  assert.ok(count > 5, `${count} turns`)
  assert.ok(longest < total / 3, `${longest} ms of ${total} ms in one piece`)
}

async function countRows(ctx: TestContext, table: 'entry' | 'reaction'): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM ${sql.table(table)}`.execute(ctx.index)
  return rows[0]?.count ?? 0
}

describe('a large thread that several posts link to', () => {
  const [balcony, other] = [itemOf(BLOG, 'balcony'), itemOf(BLOG, 'other')]
  const posts = [balcony.item, other.item]
  const comment = entryOf({ author: ROMEO })
  const heart = entryOf({ author: ROMEO, title: '♥', text: '♥' })

  it('is forgotten in slices when they go in one piece', async () => {
    await withThread({ posts, first: comment }, async (ctx) => {
      assertSliced(await watchTurns(() => ingest(ctx, { kind: 'purged', address: BLOG })))
      assert.equal(await findNode(ctx.index, THREAD), undefined)
      assert.equal(await countRows(ctx, 'entry'), 0)
    })
  })

  it('is forgotten in slices when they go at the same time', async () => {
    await withThread({ posts, first: comment }, async (ctx) => {
      const retract = (address: ItemAddress) => ingest(ctx, { kind: 'retracted', address })
      assertSliced(await watchTurns(() => Promise.all([retract(balcony), retract(other)])))
      assert.equal(await findNode(ctx.index, THREAD), undefined)
      assert.equal(await countRows(ctx, 'entry'), 0)
    })
  })

  it('stays while one of them does, and the hearts of the other go in slices', async () => {
    await withThread({ posts, first: heart }, async (ctx) => {
      for (const post of [balcony, other]) await saveHearts(ctx.index, post, await requireNode(ctx, THREAD))
      assert.equal(await countRows(ctx, 'reaction'), 2 * (COMMENTS + 1))
      assertSliced(await watchTurns(() => ingest(ctx, { kind: 'retracted', address: other })))
      const thread = await requireNode(ctx, THREAD)
      assert.equal(thread.emptying, undefined)
      assert.equal(await countEntries(ctx.index, thread.id), COMMENTS + 1)
      assert.equal(await countRows(ctx, 'reaction'), COMMENTS + 1)
    })
  })
})

describe('a large thread that its post no longer links to', () => {
  it('is forgotten in slices', async () => {
    await withThread({ posts: ['balcony'], first: entryOf({ author: ROMEO }) }, async (ctx) => {
      const payload = entryOf({ updated: '2026-02-02T03:04:05Z' })
      assertSliced(await watchTurns(() => publishTo(ctx, itemOf(BLOG, 'balcony'), { payload, publisher: JULIET })))
      assert.equal(await findNode(ctx.index, THREAD), undefined)
      assert.equal(await countRows(ctx, 'entry'), 1)
    })
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
