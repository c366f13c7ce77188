import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { AppError } from '#server/errors.ts'
import { findEntry, listEntryDates } from '#server/store/entry.ts'
import { findNode, updateNode } from '#server/store/node.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import { allPages } from '#server/xmpp/all-items.ts'
import type { ItemId } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createFakeNetwork } from '#test/support/fake-pubsub.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET, ROMEO } from './fixtures.ts'
import {
  askedWhile,
  COMMUNITY,
  contextWith,
  countOf,
  DAY,
  dateOf,
  follow,
  itemsOf,
  nodeOf,
  ownerOf,
  putItem,
  read,
  SERVICE,
  titleOf,
  waitADay,
  whileAway,
} from './followed-node.ts'

async function pragma(ctx: TestContext, text: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`PRAGMA ${sql.raw(text)}`.execute(ctx.index)
  return Object.values(rows[0] ?? {})[0]
}

describe('the first reading of a node', () => {
  it('shows the newest posts at once and reads the older ones after', async () => {
    await using ctx = await contextWith(COMMUNITY, 1_000)
    const { pages } = ctx.site.pubsub
    const gate = Promise.withResolvers<void>()
    let readings = 0
    ctx.site.pubsub.pages = async function* (...args) {
      if (++readings > 1) await gate.promise
      yield* pages.apply(ctx.site.pubsub, args)
    }
    await ctx.indexing.start()
    const early = await until(async () => {
      const node = await findNode(ctx.index, COMMUNITY)
      return node?.backfill === 'underway' ? node : undefined
    })
    assert.equal(early.isWaiting, false)
    const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address: COMMUNITY }, limit: 20 })
    assert.deepEqual(
      rows.map(({ title }) => title),
      Array.from({ length: 20 }, (_, i) => `post ${999 - i}`),
    )
    gate.resolve()
    await ctx.indexing.idle()
    assert.equal(await countOf(ctx, COMMUNITY), 1_000)
    const node = await nodeOf(ctx, COMMUNITY)
    assert.equal(node.backfill, 'done')
    assert.equal(node.itemCount, 1_000)
  })

  it('goes on where it was after a restart', async () => {
    await using folder = await createTestFolder()
    const lasting = { network: createFakeNetwork(), indexPath: folder.file('index'), statePath: folder.file('state') }
    lasting.network.manners.set(SERVICE, { bytes: 60_000 })
    {
      await using ctx = await contextWith(COMMUNITY, 1_000, lasting)
      await ctx.indexing.start()
      await until(async () => (await findNode(ctx.index, COMMUNITY)) && (await countOf(ctx, COMMUNITY)) > 300)
    }
    await using ctx = await createTestContext(lasting)
    const before = await countOf(ctx, COMMUNITY)
    assert.ok(before < 1_000, `${before} were read before the restart`)
    const pages = new Set<unknown>()
    const { pages: read } = ctx.site.pubsub
    ctx.site.pubsub.pages = (address, limits) => {
      pages.add(limits?.before)
      return read.call(ctx.site.pubsub, address, limits)
    }
    await ctx.indexing.start()
    await ctx.indexing.idle()
    assert.equal(await countOf(ctx, COMMUNITY), 1_000)
    assert.equal([...pages].filter((cursor) => cursor !== undefined).length, 1, 'from the cursor that was kept')
    assert.equal((await nodeOf(ctx, COMMUNITY)).backfill, 'done')
    const { deepDueAt } = await nodeOf(ctx, COMMUNITY)
    assert.ok(deepDueAt && deepDueAt.getTime() < Date.now() + DAY, 'what happened between is looked for')
  })

  it('neither loses nor doubles what happens meanwhile', async () => {
    await using ctx = await contextWith(COMMUNITY, 500)
    ctx.network.manners.set(SERVICE, { bytes: 20_000 })
    const owner = ownerOf(ctx, COMMUNITY)
    await ctx.indexing.start()
    for (let round = 0; round < 25; round++) {
      await until(async () => ctx.network.asked.length > round * 2)
      const published = dateOf(500 + round)
      await owner.publishItem(itemOf(COMMUNITY, `post-${500 + round}`), entryOf({ title: 'meanwhile', published }))
      await owner.retractItem(itemOf(COMMUNITY, `post-${round * 20}`))
      const address = itemOf(COMMUNITY, `post-${round * 20 + 7}`)
      await owner.publishItem(address, entryOf({ title: 'edited', published: dateOf(round * 20 + 7) }))
    }
    await ctx.indexing.idle()
    assert.equal(await countOf(ctx, COMMUNITY), 500)
    for (const item of itemsOf(ctx, COMMUNITY).keys()) {
      const post = await findPost(ctx.index, itemOf(COMMUNITY, item))
      assert.ok(typeof post === 'object', item)
    }
    assert.equal(await titleOf(ctx, COMMUNITY, 487), 'edited')
    assert.notEqual(await titleOf(ctx, COMMUNITY, 480), 'post 480')
  })

  it('does not bring back what was retracted while the answer that still has it was on its way', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    const { pages } = ctx.site.pubsub
    ctx.site.pubsub.pages = async function* (address, limits) {
      for await (const page of pages.call(ctx.site.pubsub, address, limits)) {
        for (const { id } of page.items) {
          if (id.endsWith('7')) await ownerOf(ctx, COMMUNITY).retractItem(itemOf(COMMUNITY, id))
        }
        yield page
      }
    }
    await read(ctx)
    assert.equal(await countOf(ctx, COMMUNITY), 27)
  })

  it('is no news: history keeps its own date, what comes after arrives now', async () => {
    await using ctx = await contextWith(COMMUNITY, 40)
    await read(ctx)
    const { id } = await nodeOf(ctx, COMMUNITY)
    for (const i of [0, 20, 39]) {
      const entry = await findEntry(ctx.index, id, itemOf(COMMUNITY, `post-${i}`).item)
      assert.equal(entry?.arrivedAt, Date.parse(dateOf(i)))
    }
    await whileAway(ctx, () => putItem(ctx, COMMUNITY, 40))
    const entry = await findEntry(ctx.index, id, itemOf(COMMUNITY, 'post-40').item)
    assert.ok(entry && Date.now() - entry.arrivedAt < 60_000)
  })

  it('says what a service does not give, without trying for ever', async () => {
    const address = { ...BLOG, service: ROMEO }
    await using ctx = await contextWith(address, 1_000)
    ctx.network.manners.set(ROMEO, { pages: false, listsIds: false, bytes: 100_000 })
    await read(ctx)
    const node = await nodeOf(ctx, address)
    assert.equal(node.backfill, 'partial')
    assert.equal(node.problem, undefined)
    assert.ok((await countOf(ctx, address)) > 100)
    assert.equal(await titleOf(ctx, address, 999), 'post 999')
    const asked = await askedWhile(ctx, async () => {
      ctx.indexing.watch(address)
      await ctx.indexing.idle()
    })
    assert.deepEqual(asked, ['listItems'])
  })

  it('goes by the ids where a service lists them but does not page', async () => {
    await using ctx = await contextWith(COMMUNITY, 1_000)
    ctx.network.manners.set(SERVICE, { pages: false, bytes: 100_000 })
    await read(ctx)
    assert.equal(await countOf(ctx, COMMUNITY), 1_000)
    assert.equal((await nodeOf(ctx, COMMUNITY)).backfill, 'done')
  })
})

describe('catching up', () => {
  it('asks nothing where the stream was resumed', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    await read(ctx)
    Object.assign(ctx.site, { lastSignIn: 'resumed' })
    const asked = await askedWhile(ctx, async () => {
      ctx.site.setStatus('waiting')
      ctx.site.setStatus('online')
      await until(() => ctx.indexing.lastCatchUp?.how === 'resumed')
      await ctx.indexing.idle()
    })
    assert.deepEqual(asked, [])
    assert.equal(ctx.indexing.lastCatchUp?.nodes, 0)
  })

  it('asks each service once for its subscriptions, and each node for one item, where nothing happened', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    for (const node of ['mantua', 'padua']) {
      const address = { service: SERVICE, node }
      await ownerOf(ctx, address).createNode(address, { access_model: 'open' })
      for (let i = 0; i < 30; i++) putItem(ctx, address, i)
      await follow(ctx, address)
    }
    await read(ctx)
    const asked = await whileAway(ctx, () => {})
    assert.deepEqual(asked.toSorted(), ['listItems', 'listItems', 'listItems', 'listSubscriptions'])
    assert.equal(ctx.indexing.lastCatchUp?.nodes, 3)
  })

  it('reads only up to what it knows', async () => {
    await using ctx = await contextWith(COMMUNITY, 1_000)
    await read(ctx)
    const asked = await whileAway(ctx, () => {
      for (let i = 1_000; i < 1_005; i++) putItem(ctx, COMMUNITY, i)
    })
    assert.equal(await countOf(ctx, COMMUNITY), 1_005)
    assert.ok(asked.length <= 4, asked.join())
  })

  it('subscribes again where the service forgot', async () => {
    await using ctx = await contextWith(COMMUNITY, 3)
    await read(ctx)
    const asked = await whileAway(ctx, () => ctx.network.pubsubOf(ctx.site.jid).unsubscribeNode(COMMUNITY))
    assert.ok(asked.includes('subscribeNode'), asked.join())
    await ownerOf(ctx, COMMUNITY).publishItem(itemOf(COMMUNITY, 'post-3'), entryOf({ published: dateOf(3) }))
    await until(async () => (await countOf(ctx, COMMUNITY)) === 4)
  })

  it('subscribes once more where the service does not tell', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    await read(ctx)
    ctx.network.failNext('listSubscriptions', new AppError('timeout', 'Prosody does not answer this'))
    const asked = await whileAway(ctx, () => {})
    assert.deepEqual(asked.toSorted(), ['listItems', 'listSubscriptions', 'subscribeNode'])
    assert.equal((await nodeOf(ctx, COMMUNITY)).problem, undefined)
  })

  it('finds out by the ids what was retracted on a service', async () => {
    await using ctx = await contextWith(COMMUNITY, 200)
    await read(ctx)
    const asked = await whileAway(ctx, () => {
      for (const i of [3, 77]) itemsOf(ctx, COMMUNITY).delete(itemOf(COMMUNITY, `post-${i}`).item)
    })
    assert.equal(await titleOf(ctx, COMMUNITY, 3), 'gone')
    assert.equal(await titleOf(ctx, COMMUNITY, 77), 'gone')
    assert.equal(await countOf(ctx, COMMUNITY), 198)
    assert.deepEqual(asked, ['listSubscriptions', 'listItems', 'listItemIds'])
  })

  it('finds out by the ids what came and went before the newest', async () => {
    await using ctx = await contextWith(COMMUNITY, 60)
    await read(ctx)
    ctx.site.setStatus('waiting')
    const items = itemsOf(ctx, COMMUNITY)
    const later = [...items].slice(50)
    for (const [id] of later) items.delete(id)
    putItem(ctx, COMMUNITY, 1_000, 'missed')
    for (const [id, item] of later) items.set(id, item)
    await whileAway(ctx, () => {})
    assert.equal(await titleOf(ctx, COMMUNITY, 1_000), 'missed')
    assert.equal(await countOf(ctx, COMMUNITY), 61)
  })

  it('finds out by the number of items what was retracted on an account', async () => {
    const address = { ...BLOG, service: ROMEO }
    await using ctx = await contextWith(address, 200)
    ctx.network.manners.set(ROMEO, { listsIds: false })
    await read(ctx)
    await whileAway(ctx, () => void itemsOf(ctx, address).delete(itemOf(address, 'post-5').item))
    assert.equal(await titleOf(ctx, address, 5), 'gone')
    assert.equal(await countOf(ctx, address), 199)
  })

  it('finds the rest within a day where a service neither counts nor lists', async () => {
    const address = { ...BLOG, service: ROMEO }
    await using ctx = await contextWith(address, 1_000)
    ctx.network.manners.set(ROMEO, { pages: false, listsIds: false, bytes: 100_000 })
    await read(ctx)
    const owner = ownerOf(ctx, address)
    const older = 20
    await owner.publishItem(itemOf(address, `post-${older}`), entryOf({ published: dateOf(older) }))
    for (let i = 1_000; i < 1_300; i++) putItem(ctx, address, i)
    await until(async () => (await titleOf(ctx, address, older)) !== undefined, { what: 'an old post by its event' })
    await whileAway(ctx, () => void itemsOf(ctx, address).delete(itemOf(address, `post-${older}`).item))
    assert.equal(await titleOf(ctx, address, 1_299), 'post 1299')
    assert.equal(await titleOf(ctx, address, older), 'The balcony', 'nobody tells')
    waitADay(ctx)
    await until(async () => (await titleOf(ctx, address, older)) === 'gone', { what: 'the reading of what is known' })
    assert.equal(await titleOf(ctx, address, 1_150), 'post 1150', 'what is there stays')
  })

  describe('by the known ids', () => {
    const address = { ...BLOG, service: ROMEO }
    const isOlder = (id: string) => Number(id.slice('post-'.length)) < 1_000

    /** A node that shows its newest items alone, and more of which is known here. */
    async function contextWithOlder(): Promise<{ ctx: TestContext; countOlder(): Promise<number> }> {
      const ctx = await contextWith(address, 1_000)
      ctx.network.manners.set(ROMEO, { pages: false, listsIds: false, bytes: 100_000 })
      await read(ctx)
      for (let i = 1_000; i < 1_500; i++) putItem(ctx, address, i)
      await whileAway(ctx, () => {})
      const countOlder = async () => {
        const { id } = await nodeOf(ctx, address)
        return (await listEntryDates(ctx.index, id)).filter(({ item }) => isOlder(item)).length
      }
      assert.ok((await countOlder()) > 50)
      return { ctx, countOlder }
    }

    /** The service finds only some of the items that are asked for by their ids; counts how often it was asked. */
    function find(ctx: TestContext, isFound: (id: ItemId) => boolean): { asked: number } {
      const counted = { asked: 0 }
      const { findItems } = ctx.network.pubsubOf(ctx.site.jid)
      ctx.site.pubsub.findItems = async (of, ids) => {
        counted.asked++
        return (await findItems(of, ids)).filter(({ id }) => isFound(id))
      }
      return counted
    }

    async function readWholeAgain(ctx: TestContext, counted: { readonly asked: number }): Promise<void> {
      const before = counted.asked
      waitADay(ctx)
      ctx.indexing.readWhole(address)
      await until(() => counted.asked > before, { what: 'the reading of what is known' })
      await ctx.indexing.idle()
    }

    it('takes nothing for gone where the service finds none of its items any more', async () => {
      const { ctx, countOlder } = await contextWithOlder()
      await using _ = ctx
      const older = await countOlder()
      const counted = find(ctx, () => false)
      for (const _day of [1, 2]) {
        await readWholeAgain(ctx, counted)
        assert.equal(await countOlder(), older)
      }
    })

    it('takes all of them for gone only where they are not found a day later either', async () => {
      const { ctx, countOlder } = await contextWithOlder()
      await using _ = ctx
      const older = await countOlder()
      const counted = find(ctx, (id) => !isOlder(id))
      await readWholeAgain(ctx, counted)
      assert.equal(await countOlder(), older)
      await readWholeAgain(ctx, counted)
      assert.equal(await countOlder(), 0)
    })

    it('takes nothing for gone where the node is lost while it is read', async () => {
      const { ctx, countOlder } = await contextWithOlder()
      await using _ = ctx
      const older = await countOlder()
      const counted = find(ctx, () => counted.asked < 2)
      await readWholeAgain(ctx, counted)
      assert.ok(counted.asked > 2, `${counted.asked} questions`)
      assert.equal(await countOlder(), older)
    })
  })

  it('keeps what a service lists and does not send', async () => {
    await using ctx = await contextWith(COMMUNITY, 100)
    await read(ctx)
    ctx.network.manners.set(SERVICE, { pages: false, bytes: 5_000 })
    let asked = 0
    ctx.site.pubsub.pages = (of, limits) => {
      const { listItems, listItemIds } = ctx.site.pubsub
      const findItems = async () => {
        asked++
        return []
      }
      const deps = { listItems, listItemIds, findItems, pageBytes: 5_000, mostBytes: 5_000 }
      return allPages(deps, of, limits)
    }
    waitADay(ctx)
    await updateNode(ctx.index, COMMUNITY, { deepDueAt: ctx.clock().getTime(), averageBytes: 5_000 })
    const before = await nodeOf(ctx, COMMUNITY)
    await until(async () => (await nodeOf(ctx, COMMUNITY)).deepReadAt?.getTime() !== before.deepReadAt?.getTime())
    assert.ok(asked > 0)
    assert.equal(await countOf(ctx, COMMUNITY), 100)
  })

  it('finds within a day what was edited in its place', async () => {
    await using ctx = await contextWith(COMMUNITY, 200)
    await read(ctx)
    await whileAway(ctx, () => putItem(ctx, COMMUNITY, 10, 'edited'))
    assert.equal(await titleOf(ctx, COMMUNITY, 10), 'post 10')
    waitADay(ctx)
    await until(async () => (await titleOf(ctx, COMMUNITY, 10)) === 'edited')
  })

  it('is not led astray by items that are no entries', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    const id = itemOf(COMMUNITY, 'test_post').item
    itemsOf(ctx, COMMUNITY).set(id, { id, payload: entryOf() })
    await read(ctx)
    const asked = await whileAway(ctx, () => {})
    assert.deepEqual(asked, ['listSubscriptions', 'listItems'])
  })

  it('shows a node that was purged meanwhile as such', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    await read(ctx)
    await whileAway(ctx, () => itemsOf(ctx, COMMUNITY).clear())
    assert.equal((await nodeOf(ctx, COMMUNITY)).status, 'hidden')
    assert.equal(await titleOf(ctx, COMMUNITY, 7), undefined)
    waitADay(ctx)
    await whileAway(ctx, () => {})
    const node = await nodeOf(ctx, COMMUNITY)
    assert.equal(await countOf(ctx, COMMUNITY), 0)
    assert.equal(node.status, 'open')
    assert.ok(node.purgedAt)
    assert.equal(await titleOf(ctx, COMMUNITY, 7), 'gone')
  })

  it('shows a node that was deleted meanwhile as such, and one made anew under its name from its beginning', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    await read(ctx)
    const owner = ownerOf(ctx, COMMUNITY)
    await whileAway(ctx, () => owner.deleteNode(COMMUNITY))
    assert.equal((await nodeOf(ctx, COMMUNITY)).status, 'hidden')
    waitADay(ctx)
    await whileAway(ctx, () => {})
    assert.equal((await nodeOf(ctx, COMMUNITY)).status, 'deleted')
    assert.equal(await titleOf(ctx, COMMUNITY, 7), 'gone')
    await owner.createNode(COMMUNITY, { access_model: 'open' })
    putItem(ctx, COMMUNITY, 500)
    await updateNode(ctx.index, COMMUNITY, { nextTryAt: 0 })
    await until(async () => (await titleOf(ctx, COMMUNITY, 500)) === 'post 500')
    assert.equal((await nodeOf(ctx, COMMUNITY)).status, 'open')
    assert.equal((await nodeOf(ctx, COMMUNITY)).subscription, 'subscribed')
  })

  it('goes on with other servers while one does not answer, and catches up when it does', async () => {
    await using ctx = await contextWith(COMMUNITY, 3)
    for (const node of ['mantua', 'padua', 'venice']) {
      await ownerOf(ctx, { ...COMMUNITY, node }).createNode({ ...COMMUNITY, node }, { access_model: 'open' })
      await follow(ctx, { ...COMMUNITY, node })
    }
    await ctx.network.pubsubOf(JULIET).createNode(BLOG, { access_model: 'open' })
    await follow(ctx, BLOG)
    await read(ctx)
    const { pages } = ctx.site.pubsub
    let tried = 0
    ctx.site.pubsub.pages = async function* (address, limits) {
      if (address.service === SERVICE && ++tried > 0) throw new AppError('timeout', 'montague.example does not answer')
      yield* pages.call(ctx.site.pubsub, address, limits)
    }
    await whileAway(ctx, () => {
      putItem(ctx, BLOG, 1)
      putItem(ctx, COMMUNITY, 3)
    })
    assert.equal(await titleOf(ctx, BLOG, 1), 'post 1')
    assert.equal(tried, 1, 'one node is tried for all')
    const lane = ctx.indexing.lanes().find((state) => state.lane === SERVICE)
    assert.equal(lane?.waiting, 4)
    assert.ok(lane?.downUntil)
    assert.match((await nodeOf(ctx, COMMUNITY)).problem ?? '', /does not answer/)
    ctx.site.pubsub.pages = pages
    await ownerOf(ctx, COMMUNITY).publishItem(itemOf({ ...COMMUNITY, node: 'padua' }, 'sign-of-life'), entryOf())
    await until(async () => (await titleOf(ctx, COMMUNITY, 3)) === 'post 3')
    await ctx.indexing.idle()
    assert.equal((await nodeOf(ctx, COMMUNITY)).problem, undefined)
  })

  it('loses nothing while the disk is full, and goes on when there is room again', async () => {
    await using ctx = await contextWith(COMMUNITY, 5)
    await read(ctx)
    const pages = await pragma(ctx, 'page_count')
    await pragma(ctx, `max_page_count = ${pages}`)
    const owner = ownerOf(ctx, COMMUNITY)
    for (let i = 5; i < 40; i++) {
      const text = 'What light '.repeat(500)
      await owner.publishItem(
        itemOf(COMMUNITY, `post-${i}`),
        entryOf({ title: `post ${i}`, text, published: dateOf(i) }),
      )
    }
    await ctx.indexing.inbox.idle()
    assert.ok((await countOf(ctx, COMMUNITY)) < 40, 'there was no room')
    assert.ok(ctx.lines.some((line) => line.includes('no room')))
    await pragma(ctx, 'max_page_count = 1000000')
    await until(async () => (await countOf(ctx, COMMUNITY)) === 40)
  })

  it('takes changes for what they are when the clock was put back', async () => {
    await using ctx = await contextWith(COMMUNITY, 30)
    ctx.setNow('2026-06-02T00:00:00Z')
    await read(ctx)
    ctx.setNow('2026-06-01T00:00:00Z')
    await whileAway(ctx, () => {
      itemsOf(ctx, COMMUNITY).delete(itemOf(COMMUNITY, 'post-29').item)
      putItem(ctx, COMMUNITY, 28, 'edited')
    })
    assert.equal(await titleOf(ctx, COMMUNITY, 29), 'gone')
    assert.equal(await titleOf(ctx, COMMUNITY, 28), 'edited')
  })
})
