import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError, type AppErrorOptions, type ErrorCode } from '#server/errors.ts'
import { compareAll } from '#server/feeds/compare.ts'
import { describeManyLost, findManyLost } from '#server/feeds/lose-node.ts'
import { scanNews } from '#server/feeds/notify/scan.ts'
import { countEntries } from '#server/store/entry.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode, type NodeRow, updateNode } from '#server/store/node.ts'
import { listNotifications } from '#server/store/notification.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import { countReactions } from '#server/store/reaction.ts'
import type { NodeAddress } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, ROMEO, xml } from './fixtures.ts'

const SERVICE = jidOf('pubsub.montague.example')
const NODE: NodeAddress = { service: SERVICE, node: 'verona' }
const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.parse('2026-03-01T12:00:00Z')

/** A site that follows nodes of three posts each, and has read them. */
async function contextWith(nodes: readonly NodeAddress[] = [NODE]): Promise<TestContext> {
  const ctx = await createTestContext()
  ctx.setNow(new Date(START))
  for (const address of nodes) await follow(ctx, address)
  await ctx.indexing.start()
  await ctx.indexing.idle()
  for (const address of nodes) assert.equal(await countShown(ctx, address), 3)
  return ctx
}

async function follow(ctx: TestContext, address: NodeAddress): Promise<void> {
  const pubsub = ctx.network.pubsubOf(ROMEO)
  await pubsub.createNode(address, { access_model: 'open', max_items: 'max' })
  for (const n of [1, 2, 3]) {
    const published = `2026-01-0${n}T00:00:00Z`
    await pubsub.publishItem(itemOf(address, `post-${n}`), entryOf({ title: `post ${n}`, published, author: ROMEO }))
  }
  await addFollow(ctx.state, { follower: SITE, address, since: ctx.clock() })
}

async function nodeOf(ctx: TestContext, address: NodeAddress = NODE): Promise<NodeRow> {
  const node = await findNode(ctx.index, address)
  assert.ok(node)
  return node
}

async function countShown(ctx: TestContext, address: NodeAddress = NODE): Promise<number> {
  return (await listPosts(ctx.index, { scope: { kind: 'feeds', addresses: [address] }, limit: 10 })).rows.length
}

async function countKept(ctx: TestContext, address: NodeAddress = NODE): Promise<number> {
  return countEntries(ctx.index, (await nodeOf(ctx, address)).id)
}

interface Loss {
  readonly code: ErrorCode
  readonly options?: AppErrorOptions
}

const REFUSED: Loss = { code: 'forbidden' }
const MISSING: Loss = { code: 'not-found' }
const EMPTIED = 'emptied'
const certain = (pubsubCondition: string): Loss => ({ code: 'forbidden', options: { pubsubCondition } })

/** The node is read, and its service answers so. */
async function readLost(ctx: TestContext, loss: Loss | typeof EMPTIED, address: NodeAddress = NODE): Promise<void> {
  const { items } = [...ctx.network.nodes.values()].find((node) => node.address.node === address.node) ?? {}
  assert.ok(items)
  const kept = [...items]
  if (loss === EMPTIED) items.clear()
  else ctx.network.failNext('listItems', new AppError(loss.code, `${SERVICE} says no`, loss.options))
  await readAgain(ctx, address)
  if (loss === EMPTIED) for (const [id, item] of kept) items.set(id, item)
}

async function readAgain(ctx: TestContext, address: NodeAddress = NODE): Promise<void> {
  ctx.indexing.watch(address)
  await ctx.indexing.idle()
}

function later(ctx: TestContext, ms: number): void {
  ctx.setNow(new Date(ctx.clock().getTime() + ms))
}

function silence(ctx: TestContext): void {
  ctx.site.disco.readInfo = async (jid) => {
    throw new AppError('forbidden', `${jid} does not allow this`)
  }
}

describe('a node that is not given to us any more', () => {
  for (const condition of ['closed-node', 'presence-subscription-required', 'not-in-roster-group']) {
    it(`is hidden at once and cleared after a day where its service says ${condition}`, async () => {
      await using ctx = await contextWith()
      // The domain's silence makes no difference.
      silence(ctx)
      await readLost(ctx, certain(condition))
      assert.equal((await nodeOf(ctx)).status, 'hidden')
      assert.equal(await countShown(ctx), 0)
      assert.equal(await countKept(ctx), 3)
      // Offline, the site account can ask nobody again.
      ctx.site.setStatus('waiting')
      later(ctx, DAY)
      await until(async () => (await nodeOf(ctx)).status === 'closed')
      assert.equal(await countKept(ctx), 0)
    })
  }

  for (const [words, loss, status, post] of [
    ['refused without a reason', REFUSED, 'closed', undefined],
    ['missing', MISSING, 'deleted', 'gone'],
    ['suddenly empty', EMPTIED, 'open', 'gone'],
  ] as const) {
    it(`is hidden where it is ${words}, and lost only when it still is a day later`, async () => {
      await using ctx = await contextWith()
      await readLost(ctx, loss)
      assert.equal((await nodeOf(ctx)).status, 'hidden')
      assert.equal(await countShown(ctx), 0)
      assert.equal(await findPost(ctx.index, itemOf(NODE, 'post-1')), undefined)
      later(ctx, DAY - HOUR)
      await readLost(ctx, loss)
      assert.equal((await nodeOf(ctx)).status, 'hidden')
      assert.equal(await countKept(ctx), 3)
      later(ctx, HOUR)
      await readLost(ctx, loss)
      assert.equal((await nodeOf(ctx)).status, status)
      assert.equal(await countKept(ctx), 0)
      assert.equal(await findPost(ctx.index, itemOf(NODE, 'post-1')), post)
    })

    it(`stays as it is where it is ${words} and its domain does not answer us either`, async () => {
      await using ctx = await contextWith()
      silence(ctx)
      await readLost(ctx, loss)
      assert.equal((await nodeOf(ctx)).status, 'open')
      assert.equal(await countShown(ctx), 3)
    })

    it(`is not cleared where it is ${words} a day later, and its domain does not answer us then`, async () => {
      await using ctx = await contextWith()
      await readLost(ctx, loss)
      later(ctx, DAY)
      silence(ctx)
      await readLost(ctx, loss)
      assert.equal((await nodeOf(ctx)).status, 'hidden')
      assert.equal(await countKept(ctx), 3)
    })

    it(`comes back as it was where it was ${words}, with its reactions and without news`, async () => {
      await using ctx = await contextWith()
      const post = itemOf(NODE, 'post-1')
      await scanNews(ctx)
      await readLost(ctx, loss)
      later(ctx, HOUR)
      await readAgain(ctx)
      assert.equal((await nodeOf(ctx)).status, 'open')
      const found = await findPost(ctx.index, post)
      assert.ok(typeof found === 'object')
      assert.equal(found.arrivedAt.toISOString(), '2026-01-01T00:00:00.000Z')
      const row = await nodeOf(ctx)
      assert.deepEqual([row.hiddenAt, row.hiddenFor], [undefined, undefined])
      await scanNews(ctx)
      assert.deepEqual(await listNotifications(ctx.state, ROMEO, { limit: 10 }), [])
      assert.equal(await countShown(ctx), 3)
    })
  }

  it('is lost at once where nothing of it is here', async () => {
    await using ctx = await createTestContext()
    await addFollow(ctx.state, { follower: SITE, address: NODE, since: ctx.clock() })
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.equal((await nodeOf(ctx)).status, 'deleted')
  })

  it('takes the reactions on it out of the pages, and brings them back', async () => {
    await using ctx = await contextWith()
    const post = itemOf(NODE, 'post-1')
    const attachments = attachmentsOf(post)
    const pubsub = ctx.network.pubsubOf(ROMEO)
    await pubsub.createNode(attachments, { access_model: 'open', publish_model: 'open' })
    const payload = xml(
      "<attachments xmlns='urn:xmpp:pubsub-attachments:1'><reactions timestamp='2026-01-03T00:00:00Z'><reaction>🐬</reaction></reactions></attachments>",
    )
    await pubsub.publishItem(itemOf(attachments, ROMEO), payload)
    ctx.indexing.viewed(attachments)
    const shown = async () => (await countReactions(ctx.index, post)).map(({ emoji }) => emoji)
    await until(async () => (await shown()).join() === '🐬')
    await readLost(ctx, REFUSED, attachments)
    assert.equal((await nodeOf(ctx, attachments)).status, 'hidden')
    assert.deepEqual(await shown(), [])
    await readAgain(ctx, attachments)
    assert.deepEqual(await shown(), ['🐬'])
  })
})

describe('a node that answers, but has lost nearly everything', () => {
  const itemsOf = (ctx: TestContext, address: NodeAddress = NODE) => {
    return [...ctx.network.nodes.values()].find((node) => node.address.node === address.node)?.items ?? assert.fail()
  }

  function put(ctx: TestContext, name: string, address: NodeAddress = NODE): void {
    const id = itemOf(address, name).item
    itemsOf(ctx, address).set(id, { id, payload: entryOf({ title: name, author: ROMEO }), publisher: ROMEO })
  }

  /** The site has read so many posts; then the service lost them, and got another one. */
  async function contextWithThinned(count: number, nodes: readonly NodeAddress[] = [NODE]): Promise<TestContext> {
    const ctx = await contextWith(nodes)
    for (const address of nodes) {
      for (let n = 4; n <= count; n++) put(ctx, `post-${n}`, address)
      await readAgain(ctx, address)
      assert.equal(await countKept(ctx, address), count)
      lose(ctx, address)
      later(ctx, 1_000)
    }
    return ctx
  }

  function lose(ctx: TestContext, address: NodeAddress = NODE): void {
    itemsOf(ctx, address).clear()
    put(ctx, 'new', address)
  }

  it('is kept as it is, and loses what it lacks only when it still does a day later', async () => {
    await using ctx = await contextWithThinned(20)
    for (const hours of [1, 1, 21]) {
      await readAgain(ctx)
      assert.equal((await nodeOf(ctx)).status, 'open')
      assert.equal(await countKept(ctx), 21)
      const differences = await Array.fromAsync(compareAll(ctx))
      assert.deepEqual(
        differences.map(({ kind, words }) => `${kind}: ${words}`),
        ['left-out: Nearly everything on it is gone: what is here is kept until that is still so a day later'],
      )
      later(ctx, hours * HOUR)
    }
    later(ctx, HOUR)
    // Without being asked for: it is compared once more when a day is over.
    await until(async () => (await countKept(ctx)) === 1)
    assert.equal(await findPost(ctx.index, itemOf(NODE, 'post-1')), 'gone')
    assert.equal(typeof (await findPost(ctx.index, itemOf(NODE, 'new'))), 'object')
    assert.equal((await nodeOf(ctx)).hiddenFor, undefined)
  })

  it('loses nothing where its domain does not answer us', async () => {
    await using ctx = await contextWithThinned(20)
    await readAgain(ctx)
    silence(ctx)
    later(ctx, DAY)
    await readAgain(ctx)
    later(ctx, DAY)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 21)
  })

  it('loses nothing where its posts are back within the day, whatever happens later', async () => {
    await using ctx = await contextWithThinned(20)
    await readAgain(ctx)
    for (let n = 1; n <= 20; n++) put(ctx, `post-${n}`)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal((await nodeOf(ctx)).hiddenFor, undefined)
    lose(ctx)
    later(ctx, DAY)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 21)
  })

  it('is hidden when it is refused in the meantime', async () => {
    await using ctx = await contextWithThinned(20)
    await readAgain(ctx)
    assert.equal((await nodeOf(ctx)).hiddenFor, 'thinned')
    later(ctx, HOUR)
    await readLost(ctx, REFUSED)
    assert.equal((await nodeOf(ctx)).status, 'hidden')
  })

  for (const count of [3, 9, 10]) {
    it(`keeps all of ${count} posts until a day later, whatever comes meanwhile`, async () => {
      await using ctx = await contextWithThinned(count)
      for (const name of ['newer', 'newest']) {
        await readAgain(ctx)
        put(ctx, name)
        later(ctx, HOUR)
      }
      await readAgain(ctx)
      assert.equal(await countKept(ctx), count + 3)
      later(ctx, DAY - 2 * HOUR)
      await readAgain(ctx)
      assert.equal(await countKept(ctx), 3)
      assert.equal(await findPost(ctx.index, itemOf(NODE, 'post-1')), 'gone')
      assert.equal((await nodeOf(ctx)).hiddenFor, undefined)
    })
  }

  it('is not believed to have the others because a new post was heard of before they were missed', async () => {
    await using ctx = await contextWithThinned(3)
    await ctx.network.pubsubOf(ROMEO).publishItem(itemOf(NODE, 'heard'), entryOf({ author: ROMEO }))
    await ctx.indexing.idle()
    assert.equal(await countKept(ctx), 4)
    later(ctx, 1_000)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 5)
    assert.equal((await nodeOf(ctx)).hiddenFor, 'thinned')
  })

  it('keeps what is still missing where only some of its posts are back within the day', async () => {
    await using ctx = await contextWithThinned(8)
    await readAgain(ctx)
    for (const n of [1, 2]) put(ctx, `post-${n}`)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 9)
    later(ctx, DAY)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 3)
  })

  it('loses at once what its author may have deleted: all but one of a few, or half of many', async () => {
    await using ctx = await contextWith()
    for (let n = 4; n <= 9; n++) put(ctx, `post-${n}`)
    await readAgain(ctx)
    for (let n = 1; n <= 8; n++) itemsOf(ctx).delete(itemOf(NODE, `post-${n}`).item)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 1)
    for (let n = 1; n <= 20; n++) put(ctx, `other-${n}`)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 21)
    for (let n = 1; n <= 10; n++) itemsOf(ctx).delete(itemOf(NODE, `other-${n}`).item)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await countKept(ctx), 11)
  })

  it('loses at once what its service said was retracted, though all of it', async () => {
    await using ctx = await contextWith()
    for (const n of [1, 2, 3]) await ctx.network.pubsubOf(ROMEO).retractItem(itemOf(NODE, `post-${n}`))
    put(ctx, 'new')
    await readAgain(ctx)
    assert.equal(await findPost(ctx.index, itemOf(NODE, 'post-1')), 'gone')
    assert.equal(await countKept(ctx), 1)
    assert.equal((await nodeOf(ctx)).hiddenFor, undefined)
  })

  it('loses its only post at once where another is in its place', async () => {
    await using ctx = await contextWith()
    for (const n of [1, 2]) await ctx.network.pubsubOf(ROMEO).retractItem(itemOf(NODE, `post-${n}`))
    await ctx.indexing.idle()
    lose(ctx)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await findPost(ctx.index, itemOf(NODE, 'post-3')), 'gone')
    assert.equal(typeof (await findPost(ctx.index, itemOf(NODE, 'new'))), 'object')
  })

  it('keeps what a node that holds one item has replaced', async () => {
    await using ctx = await createTestContext()
    ctx.setNow(new Date(START))
    const blog: NodeAddress = { service: ROMEO, node: 'urn:xmpp:microblog:0' }
    await ctx.network.pubsubOf(ROMEO).createNode(blog, { access_model: 'open', max_items: '1' })
    await addFollow(ctx.state, { follower: SITE, address: blog, since: ctx.clock() })
    await ctx.indexing.start()
    for (const n of [1, 2, 3, 4]) {
      const { item: id } = itemOf(blog, `post-${n}`)
      itemsOf(ctx, blog).clear()
      itemsOf(ctx, blog).set(id, { id, payload: entryOf({ published: `2026-01-0${n}T00:00:00Z` }), publisher: ROMEO })
      later(ctx, HOUR)
      await readAgain(ctx, blog)
    }
    assert.equal(await countKept(ctx, blog), 4)
    assert.equal((await nodeOf(ctx, blog)).hiddenFor, undefined)
  })

  it('loses nothing where over twenty others have lost as much', async () => {
    const many = Array.from({ length: 21 }, (_, n): NodeAddress => ({ service: SERVICE, node: `verona-${n}` }))
    await using ctx = await contextWithThinned(12, many)
    for (const address of many) await readAgain(ctx, address)
    later(ctx, DAY)
    for (const address of many) await readAgain(ctx, address)
    for (const address of many) assert.equal(await countKept(ctx, address), 13)
    assert.ok(await findManyLost(ctx.state, ctx.clock()))
  })

  it('is empty where it has no more than its description, and hidden until it has posts again', async () => {
    await using ctx = await createTestContext()
    ctx.setNow(new Date(START))
    const blog: NodeAddress = { service: ROMEO, node: 'urn:xmpp:microblog:0' }
    await follow(ctx, blog)
    const description = itemOf(blog, '0')
    const payload = xml("<feed xmlns='http://www.w3.org/2005/Atom'><title>Verona</title></feed>")
    await ctx.network.pubsubOf(ROMEO).publishItem(description, payload)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.equal((await nodeOf(ctx, blog)).title, 'Verona')
    const posts = [...itemsOf(ctx, blog)].filter(([id]) => id !== description.item)
    for (const [id] of posts) itemsOf(ctx, blog).delete(id)
    for (const _ of [1, 2]) {
      await readAgain(ctx, blog)
      assert.equal((await nodeOf(ctx, blog)).status, 'hidden')
      assert.equal((await nodeOf(ctx, blog)).hiddenAt?.getTime(), START)
      assert.equal(await countKept(ctx, blog), 3)
      later(ctx, HOUR)
    }
    for (const [id, item] of posts) itemsOf(ctx, blog).set(id, item)
    await readAgain(ctx, blog)
    assert.equal(await countShown(ctx, blog), 3)
    for (const [id] of posts) itemsOf(ctx, blog).delete(id)
    await readAgain(ctx, blog)
    later(ctx, DAY)
    await readAgain(ctx, blog)
    assert.equal(await countKept(ctx, blog), 0)
  })
})

describe('many nodes that are not given to us any more', () => {
  const many = Array.from({ length: 21 }, (_, n): NodeAddress => ({ service: SERVICE, node: `verona-${n}` }))

  it('stay as they are, those hidden before them too, and who runs the site is told', async () => {
    await using ctx = await contextWith(many)
    for (const address of many.slice(0, 20)) await readLost(ctx, REFUSED, address)
    assert.equal(await countShown(ctx, many[0]), 0)
    assert.equal(await findManyLost(ctx.state, ctx.clock()), undefined)
    await readLost(ctx, MISSING, many[20])
    for (const address of many) assert.equal(await countShown(ctx, address), 3)
    const lost = await findManyLost(ctx.state, ctx.clock())
    assert.ok(lost)
    assert.equal(lost.count, 21)
    assert.match(ctx.lines.join('\n'), /The index is kept as it is: since .* 21 nodes/)
    assert.match(describeManyLost(lost), /nothing of them was hidden or removed/)
    // They are asked every hour, and each time the first of them is not hidden either.
    for (let hour = 0; hour < 3; hour++) {
      later(ctx, HOUR)
      for (const address of many) await readLost(ctx, REFUSED, address)
      for (const address of many) assert.equal(await countShown(ctx, address), 3, `${address.node} in hour ${hour}`)
    }
    later(ctx, 3 * HOUR)
    assert.equal(await findManyLost(ctx.state, ctx.clock()), undefined)
  })

  it('that were hidden over a day are not cleared all at once', async () => {
    await using ctx = await contextWith(many)
    for (const address of many) {
      await readLost(ctx, REFUSED, address)
      later(ctx, HOUR)
    }
    later(ctx, DAY)
    for (const address of many) await readLost(ctx, REFUSED, address)
    const kept = await Promise.all(many.map(async (address) => (await nodeOf(ctx, address)).status))
    assert.equal(kept.filter((status) => status === 'closed').length, 20)
    assert.equal(kept.at(-1), 'hidden')
  })

  it('are hidden all the same where that is certain', async () => {
    await using ctx = await contextWith(many)
    for (const address of many) await readLost(ctx, certain('closed-node'), address)
    for (const address of many) assert.equal((await nodeOf(ctx, address)).status, 'hidden')
  })

  it('let a timer in between, however fast they are refused', async () => {
    const crowd = Array.from({ length: 300 }, (_, n): NodeAddress => ({ service: SERVICE, node: `crowd-${n}` }))
    await using ctx = await contextWith(crowd)
    await ctx.index.updateTable('node').set({ nextTryAt: 0 }).execute()
    for (const _ of crowd) ctx.network.failNext('listItems', new AppError('forbidden', `${SERVICE} says no`))
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    count()
    for (const address of crowd) ctx.indexing.watch(address)
    await ctx.indexing.idle()
    isOver = true
    // Three at once in one lane: a signal is heard between any of them.
    assert.ok(turns >= crowd.length / 3, `${turns} turns for ${crowd.length} nodes`)
    assert.equal(await countShown(ctx, crowd[0]), 3)
  })
})

it('a node whose status another process changes is read as it is', async () => {
  await using ctx = await contextWith()
  await updateNode(ctx.index, NODE, { status: 'closed' })
  await readAgain(ctx)
  assert.equal((await nodeOf(ctx)).status, 'open')
})
