import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { createJoining } from '#server/feeds/mark.ts'
import { MIGRATIONS, migrateDown } from '#server/store/migrate.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import type { Item } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, ROMEO, THREAD } from './fixtures.ts'
import { contextWith, countOf, dateOf, nodeOf, ownerOf, putItem, read, titleOf, whileAway } from './followed-node.ts'

/** An account that neither pages nor counts nor lists ids, as on Prosody. */
const ROMEOS: NodeAddress = { ...BLOG, service: ROMEO }
const UNCOUNTED = { pages: false, listsIds: false, bytes: 100_000 }
const HOUR = 3_600_000

async function contextOnProsody(count: number): Promise<TestContext> {
  const ctx = await contextWith(ROMEOS, count)
  ctx.network.manners.set(ROMEO, UNCOUNTED)
  await read(ctx)
  return ctx
}

/** The site account comes back, and something happens when it has not asked for anything yet. */
async function comeBack(ctx: TestContext, beforeFirstPage: () => Promise<void>): Promise<void> {
  const { pages } = ctx.network.pubsubOf(ctx.site.jid)
  ctx.site.pubsub.pages = async function* (...args) {
    ctx.site.pubsub.pages = pages
    await beforeFirstPage()
    await ctx.indexing.inbox.idle()
    yield* pages.apply(ctx.site.pubsub, args)
  }
  ctx.site.setStatus('online')
  await ctx.indexing.idle()
}

async function publish(ctx: TestContext, i: number, title = `post ${i}`): Promise<void> {
  await ownerOf(ctx, ROMEOS).publishItem(itemOf(ROMEOS, `post-${i}`), entryOf({ title, published: dateOf(i) }))
}

describe('after an absence', () => {
  it('nothing is skipped because an event came before the first page', async () => {
    await using ctx = await contextOnProsody(60)
    ctx.site.setStatus('waiting')
    for (let i = 60; i < 90; i++) putItem(ctx, ROMEOS, i)
    await comeBack(ctx, async () => {
      for (let i = 90; i < 96; i++) await publish(ctx, i)
    })
    assert.equal(await countOf(ctx, ROMEOS), 96)
  })

  it('nothing is skipped behind known items that were published again', async () => {
    await using ctx = await contextOnProsody(60)
    ctx.site.setStatus('waiting')
    for (let i = 60; i < 70; i++) putItem(ctx, ROMEOS, i)
    // Two as they were, in their order, and some that were edited: all of them come first now.
    for (const i of [58, 59]) putItem(ctx, ROMEOS, i)
    for (const i of [50, 51, 52, 53, 54]) putItem(ctx, ROMEOS, i, 'edited')
    await comeBack(ctx, async () => publish(ctx, 70))
    assert.equal(await countOf(ctx, ROMEOS), 71)
    assert.equal(await titleOf(ctx, ROMEOS, 52), 'edited')
  })

  it('what is published again after all was purged is read to its end', async () => {
    await using ctx = await contextOnProsody(40)
    await ownerOf(ctx, ROMEOS).purgeNode(ROMEOS)
    await ctx.indexing.idle()
    assert.equal(await countOf(ctx, ROMEOS), 0)
    ctx.site.setStatus('waiting')
    for (let i = 0; i < 40; i++) putItem(ctx, ROMEOS, i)
    await comeBack(ctx, async () => publish(ctx, 40))
    assert.equal(await countOf(ctx, ROMEOS), 41)
  })

  it('a reading that failed on its way is made good by the next', async () => {
    await using ctx = await contextOnProsody(60)
    ctx.site.setStatus('waiting')
    for (let i = 60; i < 120; i++) putItem(ctx, ROMEOS, i)
    const { pages } = ctx.network.pubsubOf(ctx.site.jid)
    ctx.site.pubsub.pages = async function* (...args) {
      for await (const page of pages.apply(ctx.site.pubsub, args)) {
        yield page
        ctx.site.pubsub.pages = pages
        throw new AppError('timeout', 'montague.example does not answer')
      }
    }
    ctx.site.setStatus('online')
    await until(async () => (await titleOf(ctx, ROMEOS, 119)) !== undefined)
    await until(async () => (await countOf(ctx, ROMEOS)) === 120)
  })

  const LARGE = 4_000
  const putLarge = (ctx: TestContext, i: number) => putItem(ctx, ROMEOS, i, `post ${i} ${'x'.repeat(LARGE)}`)

  it('what lies beyond the one answer that its service gives is said to be missing', async () => {
    await using ctx = await contextOnProsody(60)
    assert.equal((await nodeOf(ctx, ROMEOS)).backfill, 'done')
    ctx.site.setStatus('waiting')
    for (let i = 60; i < 100; i++) putLarge(ctx, i)
    await comeBack(ctx, async () => publish(ctx, 100))
    const count = await countOf(ctx, ROMEOS)
    assert.ok(count > 70 && count < 95, `${count} posts`)
    assert.equal((await nodeOf(ctx, ROMEOS)).backfill, 'partial')
    const asked = await whileAway(ctx, () => {})
    assert.equal(asked.filter((method) => method === 'listItems').length, 1, asked.join())
  })

  it('the same where only the reading of all finds it', async () => {
    await using ctx = await contextOnProsody(60)
    for (let i = 60; i < 100; i++) putLarge(ctx, i)
    ctx.indexing.readWhole(ROMEOS)
    await until(async () => (await nodeOf(ctx, ROMEOS)).backfill === 'partial')
    await ctx.indexing.idle()
    assert.equal(await titleOf(ctx, ROMEOS, 59), 'post 59')
  })

  it('nothing is said to be missing of what was heard, though it is more than one answer', async () => {
    await using ctx = await contextOnProsody(60)
    for (let i = 60; i < 100; i++) await publish(ctx, i, `post ${i} ${'x'.repeat(LARGE)}`)
    await ctx.indexing.idle()
    const { deepReadAt, mark } = await nodeOf(ctx, ROMEOS)
    await updateNode(ctx.index, ROMEOS, { deepDueAt: ctx.clock().getTime() })
    await until(async () => (await nodeOf(ctx, ROMEOS)).deepReadAt?.getTime() !== deepReadAt?.getTime())
    await ctx.indexing.idle()
    ctx.indexing.watch(ROMEOS)
    await until(async () => (await nodeOf(ctx, ROMEOS)).mark !== mark)
    await ctx.indexing.idle()
    assert.equal(await countOf(ctx, ROMEOS), 100)
    assert.equal((await nodeOf(ctx, ROMEOS)).backfill, 'done')
  })
})

describe('nodes of which nobody remembers how far they are known, as after the upgrade,', () => {
  it('are compared once: feeds first, the others within a day', async () => {
    await using folder = await createTestFolder()
    const lasting = { network: createFakeNetwork(), indexPath: folder.file('index'), statePath: folder.file('state') }
    lasting.network.manners.set(ROMEO, UNCOUNTED)
    {
      await using ctx = await contextWith(ROMEOS, 60, lasting)
      await read(ctx)
      await addNode(ctx.index, { address: THREAD, kind: 'comments', now: ctx.clock() })
      await updateNode(ctx.index, THREAD, { backfill: 'done' })
      await ctx.index.deleteFrom('entry').where('item', '=', asItemId('post-30')).execute()
      while ((await listMigrations(ctx)).at(-1) !== '0003-conversations') await migrateDown(ctx.index, MIGRATIONS.index)
    }
    await using ctx = await createTestContext(lasting)
    const hoursTo = async (address: NodeAddress) =>
      (((await nodeOf(ctx, address)).deepDueAt?.getTime() ?? 0) - Date.now()) / HOUR
    assert.ok((await hoursTo(ROMEOS)) < 6, 'a feed')
    const thread = await hoursTo(THREAD)
    assert.ok(thread > 5.9 && thread < 24, `comments in ${thread} hours`)
    await read(ctx)
    assert.equal(await titleOf(ctx, ROMEOS, 30), undefined)
    assert.equal((await nodeOf(ctx, ROMEOS)).mark, undefined)
    ctx.setNow(new Date(Date.now() + 6 * HOUR))
    await until(async () => (await titleOf(ctx, ROMEOS, 30)) === 'post 30', { what: 'the comparison' })
    await until(async () => (await nodeOf(ctx, ROMEOS)).mark !== undefined)
  })
})

async function listMigrations(ctx: TestContext): Promise<string[]> {
  const rows = await ctx.index
    .selectFrom('kysely_migration' as never)
    .select('name' as never)
    .execute()
  return rows.map(({ name }) => name as string).sort()
}

describe('a reading joins what was read before', () => {
  const items = (text: string): Item[] =>
    text.split(' ').map((word) => ({ id: asItemId(word.slice(0, 1)), payload: entryOf({ title: word }) }))
  const markOf = (text: string): string => {
    const joining = createJoining()
    joining.take(items(text))
    return joining.next
  }
  const joins = (mark: string, reading: string) => {
    const joining = createJoining(markOf(mark))
    const newer = [...joining.take(items(reading))].join('')
    return joining.isJoined ? `after ${newer || 'nothing'}` : 'not'
  }

  it('at three marked items, unchanged and in order', () => {
    assert.equal(joins('d c b a', 'd c b'), 'after nothing')
    assert.equal(joins('d c b a', 'f e d c b'), 'after fe')
    assert.equal(joins('d c b a', 'd c'), 'not')
    assert.equal(joins('d c b a', 'd c e b a'), 'not')
    assert.equal(joins('d c b a', 'b c d'), 'not')
    assert.equal(joins('d c b a', 'd c! b a'), 'not')
    assert.equal(joins('e d c b a', 'e d! c b a'), 'after d')
    assert.equal(joins('e d c b a', 'a f e d c'), 'after f')
    assert.equal(joins('e d c b a', 'e c a'), 'after nothing', 'others were retracted')
  })

  it('over pages of any size', () => {
    const joining = createJoining(markOf('d c b a'))
    for (const page of ['e', 'd', 'c', 'b']) {
      assert.equal(joining.isJoined, false)
      joining.take(items(page))
    }
    assert.equal(joining.isJoined, true)
    assert.deepEqual(joining.next, markOf('e d c b a'))
  })

  it('and remembers what it read, with what was edited below', () => {
    const joining = createJoining(markOf('f e d c b a'))
    assert.deepEqual([...joining.take(items('g f e d c! b'))], ['g'])
    assert.deepEqual(joining.next, markOf('g f e d c! b a'))
  })
})
