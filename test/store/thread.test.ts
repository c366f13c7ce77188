import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { arrangeThread } from '#server/store/arrange-thread.ts'
import { findComment, listCommentRows } from '#server/store/comment.ts'
import { saveEntry } from '#server/store/entry.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { listThread, readThreadStamp } from '#server/store/thread.ts'
import type { ItemAddress } from '#shared/address.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { assertLinear } from '#test/support/growth.ts'
import { growThread } from '#test/support/long-thread.ts'
import { watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from '../feeds/fixtures.ts'

const POST = itemOf(BLOG, 'balcony')
const PLACE = { address: POST, comments: THREAD }
const ROOM = { service: jidOf('room@mix.capulet.example'), node: 'urn:xmpp:mix:nodes:messages' }

const answering = ({ service, node, item }: ItemAddress) =>
  `<in-reply-to xmlns='http://purl.org/syndication/thread/1.0' href='xmpp:${service}?;node=${node};item=${item}'/>`

async function withPost(): Promise<TestContext> {
  const ctx = await createTestContext()
  await knowBlog(ctx)
  await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  return ctx
}

const say = (ctx: TestContext, item: string, words: Parameters<typeof entryOf>[0] = {}) =>
  publishTo(ctx, itemOf(THREAD, item), { payload: entryOf({ author: ROMEO, ...words }), publisher: ROMEO })

/** A row as a message from the blog's room is stored; the first comment has to be there. */
async function sayInRoom(ctx: TestContext, item: string, kind: 'answer' | 'announcement'): Promise<void> {
  await addNode(ctx.index, { address: ROOM, kind: 'room', owner: JULIET, now: ctx.clock() })
  const node = await findNode(ctx.index, ROOM)
  const first = await ctx.index
    .selectFrom('entry')
    .selectAll()
    .where('item', '=', itemOf(THREAD, 'first').item)
    .executeTakeFirstOrThrow()
  const root = { rootService: POST.service, rootNode: POST.node, rootItem: POST.item }
  const more = JSON.stringify({ kind, nick: 'night owl' })
  const row = { ...first, ...root, id: undefined, nodeId: node?.id ?? 0, item: itemOf(ROOM, item).item, more }
  await saveEntry(ctx.index, row, [])
}

describe('a thread', () => {
  it('is one of what is on its node and what is answered in the room, without the announcement', async () => {
    await using ctx = await withPost()
    await say(ctx, 'first')
    await sayInRoom(ctx, 'news', 'announcement')
    await sayInRoom(ctx, 'from-room', 'answer')
    const lines = await listThread(ctx.index, PLACE)
    assert.deepEqual(lines.map(({ item, isFromRoom }) => [item, isFromRoom]).sort(), [
      ['first', false],
      ['from-room', true],
    ])
    const rows = await listCommentRows(
      ctx.index,
      lines.map(({ id }) => id),
    )
    assert.ok([...rows.values()].some(({ author, isFromRoom }) => isFromRoom && author?.name === 'night owl'))
    const post = await findPost(ctx.index, POST)
    assert.equal(post !== 'gone' && post?.commentCount, 2)
  })

  it('shows what waits for approval to who wrote it, and to nobody else', async () => {
    await using ctx = await withPost()
    await say(ctx, 'first')
    await ctx.index
      .updateTable('entry')
      .set({ hold: 'held' })
      .where('item', '=', itemOf(THREAD, 'first').item)
      .execute()
    assert.deepEqual(await listThread(ctx.index, PLACE), [])
    assert.deepEqual(await listThread(ctx.index, PLACE, { jid: JULIET, readable: [] }), [])
    assert.equal((await listThread(ctx.index, PLACE, { jid: ROMEO, readable: [] })).length, 1)
    assert.equal(await findComment(ctx.index, itemOf(THREAD, 'first')), undefined)
    assert.equal((await findComment(ctx.index, itemOf(THREAD, 'first'), { jid: ROMEO, readable: [] }))?.isHeld, true)
    const post = await findPost(ctx.index, POST)
    assert.equal(post !== 'gone' && post?.commentCount, 0)
  })

  it('lets what answers something that is not there, or itself, stand for itself', async () => {
    await using ctx = await withPost()
    await say(ctx, 'to-nothing', { more: answering(itemOf(THREAD, 'missing')) })
    await say(ctx, 'to-itself', { more: answering(itemOf(THREAD, 'to-itself')) })
    const arranged = arrangeThread(await listThread(ctx.index, PLACE))
    assert.deepEqual(
      arranged.map(({ line, depth, parent }) => [line.item, depth, parent]),
      [
        ['to-itself', 0, undefined],
        ['to-nothing', 0, undefined],
      ],
    )
  })

  it('arranges 10,000 answers that hang one below the other, and 10,000 in one circle', async () => {
    await using ctx = await withPost()
    await say(ctx, 'c0')
    await growThread(ctx.index, { like: 'c0', count: 10_000, answers: `'c' || (n - 1)` })
    const deep = arrangeThread(await listThread(ctx.index, PLACE))
    assert.equal(deep.length, 10_001)
    assert.equal(deep.at(-1)?.depth, 10_000)
    await ctx.index
      .updateTable('entry')
      .set({ replyService: THREAD.service, replyNode: THREAD.node, replyItem: itemOf(THREAD, 'c10000').item })
      .where('item', '=', itemOf(THREAD, 'c0').item)
      .execute()
    const circle = arrangeThread(await listThread(ctx.index, PLACE))
    assert.equal(circle.length, 10_001)
    assert.ok(circle.every(({ depth }) => depth === 0))
  })

  it('is stamped in slices, however long it is', async () => {
    await using ctx = await withPost()
    await say(ctx, 'c0')
    await ctx.index
      .updateTable('entry')
      .set({ payload: 'x'.repeat(3_000), excerpt: 'y'.repeat(1_500) })
      .execute()
    await growThread(ctx.index, { like: itemOf(THREAD, 'c0').item, count: 40_000 })
    const { total, longest } = await watchTurns(() => readThreadStamp(ctx.index, PLACE))
    assert.ok(longest < total * 0.8, `${longest} of ${total} ms in one turn`)
  })

  it('is read from a room in slices, and each answer once, were they all said at one instant', async () => {
    const grown = async (count: number) => {
      const ctx = await withPost()
      await say(ctx, 'first')
      await sayInRoom(ctx, 'from-room', 'answer')
      await growThread(ctx.index, { like: itemOf(ROOM, 'from-room').item, count })
      return ctx
    }
    await using few = await grown(2_000)
    await using many = await grown(20_000)
    await assertLinear([2_000, 20_000], async (size) => {
      const lines = await listThread((size === 2_000 ? few : many).index, PLACE)
      assert.equal(lines.length, Math.min(size + 2, 20_000))
      assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length)
    })
    const { total, longest } = await watchTurns(() => readThreadStamp(many.index, PLACE))
    assert.ok(longest < total / 2, `${longest} of ${total} ms in one turn`)
  })

  it('is of all servers, and of those whose server is not known', async () => {
    await using ctx = await withPost()
    await say(ctx, 'first')
    await sayInRoom(ctx, 'from-room', 'answer')
    await growThread(ctx.index, { like: itemOf(ROOM, 'from-room').item, count: 5_000 })
    await sql`UPDATE entry SET arrived_at = id % 7, publisher =
      CASE WHEN id % 3 = 0 THEN NULL ELSE 'romeo@' || id % 1000 || '.montague.example' END WHERE item LIKE 'c%'`.execute(
      ctx.index,
    )
    await sql`UPDATE entry SET author = NULL WHERE publisher IS NULL`.execute(ctx.index)
    await sql`UPDATE entry SET hold = 'held' WHERE item = 'c4999'`.execute(ctx.index)
    const lines = await listThread(ctx.index, PLACE)
    const items = lines.map(({ item }) => item)
    assert.equal(items.length, 5_001)
    assert.equal(new Set(items).size, 5_001)
    assert.equal(items.at(-1), 'c5000')
  })

  it('has another stamp after everything that shows', async () => {
    await using ctx = await withPost()
    const stamps = new Set([await readThreadStamp(ctx.index, PLACE)])
    await say(ctx, 'first')
    stamps.add(await readThreadStamp(ctx.index, PLACE))
    await sayInRoom(ctx, 'from-room', 'answer')
    stamps.add(await readThreadStamp(ctx.index, PLACE))
    await ctx.index
      .updateTable('entry')
      .set({ hold: 'held' })
      .where('item', '=', itemOf(THREAD, 'first').item)
      .execute()
    stamps.add(await readThreadStamp(ctx.index, PLACE))
    assert.equal(stamps.size, 4)
  })
})
