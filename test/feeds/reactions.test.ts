import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { ingest } from '#server/feeds/ingest.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { MIGRATIONS, migrateDown } from '#server/store/migrate.ts'
import { findNode } from '#server/store/node.ts'
import { countReactions, listReactors } from '#server/store/reaction.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { createTestContext, jidOf, type TestContext, type TestContextOptions } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import {
  BLOG,
  commentsLink,
  entryOf,
  itemOf,
  JULIET,
  knowBlog,
  MALLORY,
  publishTo,
  ROMEO,
  THREAD,
  xml,
} from './fixtures.ts'

const POST = itemOf(BLOG, 'balcony')
const ATTACHED = attachmentsOf(POST)

async function contextWithPost(options?: TestContextOptions): Promise<TestContext> {
  const ctx = await createTestContext(options)
  await knowBlog(ctx)
  await addAuthorRow(ctx.state, JULIET, ctx.clock())
  await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }) })
  return ctx
}

const attachments = (...emoji: string[]) =>
  xml(
    `<attachments xmlns='urn:xmpp:pubsub-attachments:1'><noticed timestamp='2026-01-01T00:00:00Z'/><reactions>${emoji
      .map((each) => `<reaction>${each}</reaction>`)
      .join('')}</reactions></attachments>`,
  )
const react = (ctx: TestContext, who: string, ...emoji: string[]) =>
  publishTo(ctx, itemOf(ATTACHED, who), { payload: attachments(...emoji), publisher: `${who}/phone` })
const like = (ctx: TestContext, item: string, publisher?: string, title = '♥') =>
  publishTo(ctx, itemOf(THREAD, item), {
    payload: xml(
      `<entry xmlns='http://www.w3.org/2005/Atom'><title>${title}</title><updated>2026-01-02T00:00:00Z</updated></entry>`,
    ),
    ...(publisher === undefined ? {} : { publisher }),
  })
const counts = async (ctx: TestContext) =>
  (await countReactions(ctx.index, POST)).map(({ emoji, count }) => `${emoji} ${count}`)

describe('reactions', () => {
  it('count one person once for each emoji, by whatever way and however it is written', async () => {
    await using ctx = await contextWithPost()
    await react(ctx, ROMEO, '❤️', '👍')
    await like(ctx, 'l1', ROMEO)
    await like(ctx, 'l2', ROMEO, '♥\ufe0f')
    await react(ctx, JULIET, '♥')
    assert.deepEqual(await counts(ctx), ['♥ 2', '👍 1'])
    const who = await listReactors(ctx.index, POST, { limit: 10, offset: 0 })
    assert.deepEqual(new Set(who.map(({ jid }) => jid)), new Set([ROMEO, JULIET]))
  })

  it('count only from whom the item is named after', async () => {
    await using ctx = await contextWithPost()
    const forged = { payload: attachments('👎'), publisher: MALLORY }
    assert.equal(await publishTo(ctx, itemOf(ATTACHED, ROMEO), forged), 'rejected')
    assert.equal(await publishTo(ctx, itemOf(ATTACHED, ROMEO), { payload: attachments('👎') }), 'rejected')
    await like(ctx, 'nobody')
    assert.deepEqual(await counts(ctx), [])
    // On Prosody anybody may write over the item of another.
    await react(ctx, ROMEO, '👍')
    await publishTo(ctx, itemOf(ATTACHED, ROMEO), forged)
    assert.deepEqual(await counts(ctx), ['👍 1'])
  })

  it('go when they are taken back, retracted, or the post goes', async () => {
    await using ctx = await contextWithPost()
    await react(ctx, ROMEO, '♥', '👍')
    await react(ctx, ROMEO, '👍')
    assert.deepEqual(await counts(ctx), ['👍 1'])
    await ingest(ctx, { kind: 'retracted', address: itemOf(ATTACHED, ROMEO) })
    assert.deepEqual(await counts(ctx), [])
    await like(ctx, 'l1', ROMEO)
    await react(ctx, JULIET, '👍')
    await ingest(ctx, { kind: 'retracted', address: itemOf(THREAD, 'l1') })
    assert.deepEqual(await counts(ctx), ['👍 1'])
    await ingest(ctx, { kind: 'retracted', address: POST })
    assert.deepEqual(await counts(ctx), [])
    assert.equal(await findNode(ctx.index, ATTACHED), undefined)
  })

  it('are known on a post that comes after the hearts on its comments node', async () => {
    await using ctx = await contextWithPost()
    await like(ctx, 'l1', ROMEO)
    const later = itemOf(BLOG, 'later')
    await publishTo(ctx, later, { payload: entryOf({ more: commentsLink(THREAD) }) })
    assert.deepEqual(
      (await countReactions(ctx.index, later)).map(({ emoji, count }) => [emoji, count]),
      [['♥', 1]],
    )
    await publishTo(ctx, later, { payload: entryOf({ text: 'Without' }) })
    assert.deepEqual(await countReactions(ctx.index, later), [])
    assert.deepEqual(await counts(ctx), ['♥ 1'])
  })

  it('that an older Canto took for comments of one heart are counted after the upgrade', async () => {
    await using folder = await createTestFolder()
    const indexPath = folder.file('index.sqlite')
    {
      await using ctx = await contextWithPost({ indexPath })
      await like(ctx, 'l1', ROMEO)
      const reactions = sql`SELECT 1 FROM sqlite_master WHERE name = 'reaction'`
      while ((await reactions.execute(ctx.index)).rows.length > 0)
        await migrateDown(ctx.index as Kysely<unknown>, MIGRATIONS.index)
    }
    await using ctx = await createTestContext({ indexPath })
    assert.deepEqual(await counts(ctx), ['♥ 1'])
    await ingest(ctx, { kind: 'retracted', address: itemOf(THREAD, 'l1') })
    assert.deepEqual(await counts(ctx), [])
  })

  it('stop being hearts when a comment is edited into words', async () => {
    await using ctx = await contextWithPost()
    await like(ctx, 'l1', ROMEO)
    await like(ctx, 'l1', ROMEO, 'I love it')
    assert.deepEqual(await counts(ctx), [])
  })

  it('hold no novel, no markup, and no more than twenty of one person', async () => {
    await using ctx = await contextWithPost()
    await react(ctx, ROMEO, 'Once upon a time '.repeat(5_000), 'ok', '👍👍', '&lt;b&gt;', '👨‍👩‍👧‍👦')
    assert.deepEqual(await counts(ctx), ['👨‍👩‍👧‍👦 1'])
    const many = Array.from({ length: 80 }, (_, n) => String.fromCodePoint(0x1f600 + n))
    await react(ctx, JULIET, ...many)
    assert.equal((await countReactions(ctx.index, POST)).length, 21)
  })

  it('are asked for on posts of the site, and on posts of others when somebody looks', async () => {
    await using ctx = await contextWithPost()
    const blog: NodeAddress = { service: ROMEO, node: BLOG.node }
    await knowBlog(ctx, blog)
    assert.notEqual(await findNode(ctx.index, ATTACHED), undefined)
    const theirs = attachmentsOf(itemOf(blog, 'theirs'))
    await publishTo(ctx, itemOf(blog, 'theirs'))
    assert.equal(await findNode(ctx.index, theirs), undefined)
    await ctx.indexing.start()
    ctx.indexing.viewed(theirs)
    await until(async () => (await findNode(ctx.index, theirs))?.kind === 'attachments')
    await ctx.indexing.stop()
  })

  it('of ten thousand people are counted, and listed a page at a time', async () => {
    await using ctx = await contextWithPost()
    const rows = Array.from({ length: 10_000 }, (_, n) => ({
      ...POST,
      reactor: jidOf(`p${n}@x.example`),
      emoji: n % 4 === 0 ? '👍' : '♥',
      ...{ sourceService: POST.service, sourceNode: ATTACHED.node, sourceItem: asItemId(`p${n}@x.example`) },
      ...{ at: n, arrivedAt: n, hold: null, sourceId: null },
    }))
    for (let at = 0; at < rows.length; at += 1_000) {
      await ctx.index
        .insertInto('reaction')
        .values(rows.slice(at, at + 1_000))
        .execute()
    }
    assert.deepEqual(await counts(ctx), ['♥ 7500', '👍 2500'])
    const page = await listReactors(ctx.index, POST, { limit: 100, offset: 9_950 })
    assert.equal(page.length, 50)
    assert.equal(page.at(-1)?.jid, 'p0@x.example')
  })
})
