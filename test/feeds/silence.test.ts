import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextReading } from '#server/feeds/next-reading.ts'
import { previewFeed } from '#server/feeds/preview.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import type { TestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'
import {
  askedWhile,
  COMMUNITY,
  contextWith,
  dateOf,
  itemsOf,
  nodeOf,
  ownerOf,
  putItem,
  read,
  titleOf,
  whileAway,
} from './followed-node.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A community read without a gap, from which no event comes for what is put on the node. */
async function listening(): Promise<TestContext> {
  const ctx = await contextWith(COMMUNITY, 30)
  ctx.setNow('2026-06-01T00:00:00Z')
  await read(ctx)
  return ctx
}

function wait(ctx: TestContext, ms: number): void {
  ctx.setNow(new Date(ctx.clock().getTime() + ms))
}

async function readNow(ctx: TestContext): Promise<void> {
  ctx.indexing.watch(COMMUNITY)
  await ctx.indexing.idle()
}

async function publish(ctx: TestContext, i: number): Promise<void> {
  const payload = entryOf({ title: `post ${i}`, published: dateOf(i) })
  await ownerOf(ctx, COMMUNITY).publishItem(itemOf(COMMUNITY, `post-${i}`), payload)
}

describe('a node that sends no events', () => {
  it('shows itself by a post that only a reading finds, and is read often from then on', async () => {
    await using ctx = await listening()
    putItem(ctx, COMMUNITY, 30)
    wait(ctx, 6 * HOUR)
    await until(async () => (await titleOf(ctx, COMMUNITY, 30)) === 'post 30', { what: 'the usual reading' })
    await ctx.indexing.idle()
    const { unheardAt, nextTryAt } = await nodeOf(ctx, COMMUNITY)
    assert.deepEqual(unheardAt, ctx.clock())
    assert.ok(nextTryAt <= ctx.clock().getTime() + 2 * MINUTE)
    putItem(ctx, COMMUNITY, 31)
    itemsOf(ctx, COMMUNITY).delete(itemOf(COMMUNITY, 'post-7').item)
    wait(ctx, 2 * MINUTE)
    await until(async () => (await titleOf(ctx, COMMUNITY, 31)) === 'post 31', { what: 'a reading in minutes' })
    await until(async () => (await titleOf(ctx, COMMUNITY, 7)) === 'gone', { what: 'the retraction, too' })
  })

  it('has its subscription looked at again', async () => {
    await using ctx = await listening()
    putItem(ctx, COMMUNITY, 30)
    await readNow(ctx)
    const asked = await askedWhile(ctx, () => readNow(ctx))
    assert.ok(asked.includes('listSubscriptions'), asked.join())
  })

  it('is read less often the longer nothing changes on it', async () => {
    await using ctx = await contextWith(COMMUNITY, 0)
    await addNode(ctx.index, { address: COMMUNITY, kind: 'community', now: ctx.clock() })
    const unheardAt = new Date('2026-06-01T00:00:00Z')
    await updateNode(ctx.index, COMMUNITY, { subscription: 'subscribed', unheardAt: unheardAt.getTime() })
    const node = await nodeOf(ctx, COMMUNITY)
    const after = (ms: number) => nextReading(node, new Date(unheardAt.getTime() + ms)) / MINUTE
    assert.deepEqual([0, HOUR, 5 * HOUR, 48 * HOUR].map(after), [2, 6, 30, 60])
  })

  it('is told from one whose events were missed while nobody listened', async () => {
    await using ctx = await listening()
    wait(ctx, HOUR)
    await whileAway(ctx, () => putItem(ctx, COMMUNITY, 30))
    assert.equal(await titleOf(ctx, COMMUNITY, 30), 'post 30')
    assert.equal((await nodeOf(ctx, COMMUNITY)).unheardAt, undefined)
  })

  it('is told from one whose event comes while it is read', async () => {
    await using ctx = await listening()
    const { pages } = ctx.site.pubsub
    ctx.site.pubsub.pages = async function* (...args) {
      ctx.site.pubsub.pages = pages
      await publish(ctx, 30)
      yield* pages.apply(ctx.site.pubsub, args)
    }
    await readNow(ctx)
    assert.equal(await titleOf(ctx, COMMUNITY, 30), 'post 30')
    assert.equal((await nodeOf(ctx, COMMUNITY)).unheardAt, undefined)
  })

  it('is one no longer once an event comes', async () => {
    await using ctx = await listening()
    putItem(ctx, COMMUNITY, 30)
    await readNow(ctx)
    assert.ok((await nodeOf(ctx, COMMUNITY)).unheardAt)
    await publish(ctx, 31)
    await until(async () => (await nodeOf(ctx, COMMUNITY)).unheardAt === undefined)
  })
})

describe('a look at a node that is followed', () => {
  it('has the site account read it, if the index lacks what is there', async () => {
    await using ctx = await listening()
    const person = ctx.signIn('juliet@capulet.example')
    const whole = await askedWhile(ctx, async () => void (await previewFeed(ctx, person, COMMUNITY)))
    assert.deepEqual(whole, [])
    putItem(ctx, COMMUNITY, 30)
    await previewFeed(ctx, person, COMMUNITY)
    await until(async () => (await titleOf(ctx, COMMUNITY, 30)) === 'post 30')
  })

  it('believes nothing that only the session of the person is told', async () => {
    await using ctx = await listening()
    const person = ctx.signIn('juliet@capulet.example')
    const item = { id: itemOf(COMMUNITY, 'post-30').item, payload: entryOf({ title: 'forged' }) }
    person.pubsub.listItems = async () => ({ items: [item], isComplete: false })
    const asked = await askedWhile(ctx, async () => {
      assert.equal((await previewFeed(ctx, person, COMMUNITY)).posts.length, 1)
      await ctx.indexing.idle()
    })
    assert.ok(asked.includes('listItems'), 'the site account looks')
    assert.equal(await titleOf(ctx, COMMUNITY, 30), undefined)
  })
})
