import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { checkBlogs } from '#server/doctor-server.ts'
import { ensureBlogNode } from '#server/feeds/blog-node.ts'
import { LIST_CONFIG, readList } from '#server/feeds/follow-list.ts'
import { createInbox } from '#server/feeds/inbox.ts'
import { postTopic } from '#server/feeds/live.ts'
import { createReading } from '#server/feeds/reading.ts'
import { BOUNDS, boundsOf, type ReadingBounds } from '#server/feeds/reading-bounds.ts'
import { noMeters } from '#server/meters.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { countEntries, listOldestEntries } from '#server/store/entry.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { sumHeldBytes } from '#server/store/held-bytes.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import { listPostsOfThread, listRightfulPosts } from '#server/store/thread-node.ts'
import type { Item, ItemPage } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { writeSubscription } from '#shared/subscription-list.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { measureKept } from '#test/support/kept-heap.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, MALLORY, publishTo, ROMEO } from './fixtures.ts'
import { withBounds } from './with-bounds.ts'

const EVIL: NodeAddress = { service: jidOf('pubsub.evil.example'), node: 'endless' }

let made = 0
/** An item that was never there before. */
function freshItem(text = 'x'): Item {
  return { id: asItemId(`item-${made++}`), payload: entryOf({ text }) }
}

/** A service whose pages never end. */
async function contextWithEndless(page: (size: number) => ItemPage): Promise<TestContext> {
  const ctx = await createTestContext()
  await ctx.network.pubsubOf(MALLORY).createNode(EVIL, { access_model: 'open' })
  await knowBlog(ctx, EVIL)
  await addFollow(ctx.state, { follower: SITE, address: EVIL, since: ctx.clock() })
  ctx.network.forge(EVIL.service, ({ max = 1 }) => page(max))
  return ctx
}

/** Reads to the end, with bounds that a test can reach. */
async function readAll(ctx: TestContext, bounds: Partial<ReadingBounds>): Promise<{ pages: number; error: unknown }> {
  const node = await findNode(ctx.index, EVIL)
  assert.ok(node)
  const counted: string[] = []
  const meters = {
    ...noMeters,
    count: (name: string, labels = {}) => void counted.push(`${name} ${JSON.stringify(labels)}`),
  }
  const inbox = createInbox(ctx, { onMissed: () => {} })
  const { signal } = new AbortController()
  const reading = createReading({ ...ctx, meters, inbox }, node, {
    ...{ isHistory: true, signal, size: 5 },
    bounds: { ...BOUNDS, ...bounds },
  })
  let pages = 0
  try {
    while ((await reading.next()) !== undefined) pages++
    return { pages, error: undefined }
  } catch (error) {
    assert.equal(reading.isCut, true)
    assert.ok(counted.some((line) => line.startsWith('bounds_hit')))
    return { pages, error }
  }
}

describe('a list of what somebody follows, on a server without end', () => {
  const LIST = { service: JULIET, node: NS.PRIVATE_SUBSCRIPTION_LIST }
  const listed = (title: string): Item => {
    const id = asItemId(`item-${made++}`)
    return { id, payload: writeSubscription({ address: { service: EVIL.service, node: id }, title }) }
  }

  async function readFrom(answer: () => readonly Item[]) {
    await using ctx = await createTestContext()
    const pubsub = ctx.network.pubsubOf(JULIET)
    await pubsub.createNode(LIST, LIST_CONFIG)
    let pages = 0
    ctx.network.forge(JULIET, () => ({ items: answer(), isComplete: false, cursor: `${pages++}` }))
    const list = await readList(pubsub, LIST)
    assert.ok(list)
    return { list, pages }
  }

  it('is read for so many pages, however few items each has', async () => {
    const { list, pages } = await readFrom(() => [listed('One at a time')])
    assert.ok(pages <= 400, `${pages} pages`)
    assert.equal(list.isComplete, false, 'what was not read was not taken off the list')
  })

  it('is read for so many bytes, also where its items say nothing', async () => {
    const large = (): Item => ({ id: asItemId(`item-${made++}`), payload: new Element('x').t('y'.repeat(100_000)) })
    const { list, pages } = await readFrom(() => [listed('Small'), ...Array.from({ length: 10 }, large)])
    assert.ok(pages * 1_000_000 < 12_000_000, `${pages} pages`)
    assert.equal(list.isComplete, false)
    assert.ok(list.items.length > 0)
  })

  it('keeps no memory of titles and items that are longer than what is read of them', async () => {
    const items = 300
    const { kept, bytes } = await measureKept(async () => {
      let left = items
      const { list } = await readFrom(() => {
        const page = Array.from({ length: Math.min(20, left) }, () => {
          const { id, payload } = listed('')
          // Cut in its first words, out of which nothing has to be joined anew.
          payload?.c('title').t(`Title ${made} `.padEnd(19_000, 'many words '))
          return { id, payload }
        })
        left -= page.length
        return page
      })
      return list.items
    })
    assert.equal(kept.length, items)
    assert.ok(bytes < (items * 19_000) / 3, `${bytes} bytes kept`)
  })
})

describe('the posts of a blog that is not open', () => {
  it('are not listed where their ids alone are too much', async () => {
    await using ctx = await createTestContext()
    const pubsub = ctx.network.pubsubOf(JULIET)
    await pubsub.createNode(BLOG, { access_model: 'presence' })
    const text = 'x'.repeat(100_000)
    ctx.network.forge(JULIET, () => ({
      items: [{ ...freshItem(), id: asItemId(`${made} ${text}`) }],
      isComplete: false,
      cursor: `${made}`,
    }))
    await assert.rejects(ensureBlogNode(pubsub, BLOG, { agreed: undefined }), { code: 'too-large' })
  })
})

describe('a service without end', () => {
  const endless = (max: number): ItemPage => {
    const items = Array.from({ length: max }, () => freshItem())
    return { items, isComplete: false, cursor: `${made}`, count: 1_000_000_000 }
  }

  it('is read up to so many items, pages, bytes and milliseconds, and no further', async () => {
    for (const bounds of [{ items: 30 }, { pages: 3 }, { bytes: 30_000 }, { time: 20 }]) {
      await using ctx = await contextWithEndless(endless)
      const { pages, error } = await readAll(ctx, bounds)
      const name = JSON.stringify(bounds)
      assert.match(String(error), /more than is read here/, name)
      assert.ok(pages < 40, `${name}: ${pages} pages`)
    }
  })

  it('is cut at its bound: what was read stays, and the page says that there is more', async () => {
    await using ctx = await contextWithEndless(endless)
    const { pages } = ctx.site.pubsub
    ctx.site.pubsub.pages = (address, limits) => pages.call(ctx.site.pubsub, address, { ...limits, max: 60 })
    await withBounds({ items: 50 }, async () => {
      await ctx.indexing.start()
      await ctx.indexing.idle()
    })
    const node = await findNode(ctx.index, EVIL)
    assert.equal(node?.backfill, 'cut')
    assert.match(ctx.lines.join(), /only the newest are shown/)
    assert.ok((await countEntries(ctx.index, node?.id ?? 0)) > 20)
    assert.ok(node && node.nextTryAt > Date.now() + 1_800_000, 'it is not asked again at once')
    const told = checkBlogs({ nodes: [node], authors: [], cutThreads: 0 }).filter(({ level }) => level === 'note')
    assert.match(told.map(({ words }) => words).join(), /evil\.example.*node=endless: .* only the newest are shown/)
  })

  it('of one of our own authors is read whole, however large', async () => {
    await using ctx = await createTestContext()
    const items = Array.from({ length: 120 }, (_, n) => ({ id: asItemId(`own-${n}`), payload: entryOf() }))
    const owner = ctx.network.pubsubOf(JULIET)
    await owner.createNode(BLOG, { access_model: 'open' })
    for (const { id, payload } of items) await owner.publishItem({ ...BLOG, item: id }, payload)
    await addAuthorRow(ctx.state, JULIET, ctx.clock())
    await withBounds({ items: 50, bytes: 1_000 }, async () => {
      await ctx.indexing.start()
      for (const again of [false, true]) {
        if (again) await ctx.indexing.reindex()
        await ctx.indexing.idle()
        const node = await findNode(ctx.index, BLOG)
        assert.equal(node?.backfill, 'done')
        assert.equal(await countEntries(ctx.index, node?.id ?? 0), 120)
      }
    })
  })

  it('of one stranger is bounded over all nodes together, and each shows its newest', async () => {
    await using ctx = await createTestContext()
    const mallory = ctx.network.pubsubOf(MALLORY)
    const nodes = ['one', 'two'].map((node): NodeAddress => ({ service: MALLORY, node }))
    const bytes = 300_000
    // Neither is over the bound alone.
    for (const address of nodes) {
      await mallory.createNode(address, { access_model: 'open' })
      for (let n = 0; n < 300; n++)
        await mallory.publishItem(itemOf(address, `${n}`), entryOf({ text: 'x'.repeat(500) }))
    }
    await withBounds({ bytes }, async () => {
      for (const address of nodes) {
        await addFollow(ctx.state, { follower: SITE, address, since: ctx.clock() })
        await ctx.indexing.start()
        await ctx.indexing.idle()
      }
    })
    const [one, two] = await Promise.all(nodes.map((address) => findNode(ctx.index, address)))
    assert.ok(one && two)
    assert.deepEqual([one.backfill, two.backfill].toSorted(), ['cut', 'done'])
    const counts = [await countEntries(ctx.index, one.id), await countEntries(ctx.index, two.id)].toSorted(
      (a, b) => a - b,
    )
    assert.equal(counts[1], 300)
    assert.ok(counts[0] && counts[0] >= 20 && counts[0] < 300, `${counts[0]} of the other`)
    assert.match(ctx.lines.join('\n'), /xmpp:mallory@evil.example.*only the newest are shown/)
    const told = checkBlogs({ nodes: [one, two], authors: [], cutThreads: 3 }).map(({ words }) => words)
    assert.match(told.join('\n'), /xmpp:mallory.*more posts than are read.*\n3 posts have more comments than are read/)
  })

  it('of one stranger makes way for what its events bring, the oldest first', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await knowBlog(ctx, EVIL)
    await addAuthorRow(ctx.state, JULIET, ctx.clock())
    const most = 100_000
    await withBounds({ bytes: most }, async () => {
      for (const address of [BLOG, EVIL]) {
        for (let n = 0; n < 200; n++) {
          const published = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString()
          const item = { id: asItemId(`item-${n}`), payload: entryOf({ published, text: 'x'.repeat(500) }) }
          ctx.indexing.inbox.push({ kind: 'published', address: { ...address, item: item.id }, item })
        }
        await ctx.indexing.inbox.idle()
      }
    })
    const [own, evil] = [await findNode(ctx.index, BLOG), await findNode(ctx.index, EVIL)]
    assert.equal(await countEntries(ctx.index, own?.id ?? 0), 200)
    assert.ok(evil && own && own.bytes > most && evil.bytes <= most && evil.bytes > most / 2, `${evil?.bytes} bytes`)
    assert.equal(evil.backfill, 'cut')
    const left = (await listOldestEntries(ctx.index, evil.id, 1000)).map(({ item }) => item)
    assert.deepEqual(left.slice(-1), ['item-199'])
    assert.deepEqual(
      left,
      Array.from({ length: left.length }, (_, n) => `item-${200 - left.length + n}`),
    )
    assert.equal(ctx.lines.filter((line) => /endless has more than is kept here/.test(line)).length, 1)
  })

  it('of another stranger has a bound of its own, and comments take no space from posts', async () => {
    await using ctx = await createTestContext()
    const service = jidOf('pubsub.evil.example')
    const [owned, unowned] = [ROMEO, undefined]
    await addNode(ctx.index, {
      address: { service: ROMEO, node: 'blog' },
      kind: 'community',
      owner: ROMEO,
      now: ctx.clock(),
    })
    const known = [
      { address: { service, node: 'comments/one' }, kind: 'comments', owner: owned },
      { address: { service, node: 'comments/two' }, kind: 'comments', owner: owned },
      { address: { service, node: 'first' }, kind: 'community', owner: unowned },
      { address: { service, node: 'second' }, kind: 'community', owner: unowned },
    ] as const
    const held: number[] = []
    for (const each of known) {
      await addNode(ctx.index, { ...each, now: ctx.clock() })
      await publishTo(ctx, itemOf(each.address, 'item'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    }
    for (const { address } of known) {
      const node = await findNode(ctx.index, address)
      held.push(Math.round((await sumHeldBytes(ctx.index, node ?? assert.fail())) / (node?.bytes ?? 0)))
    }
    assert.deepEqual(held, [2, 2, 1, 1])
    await ctx.index.deleteFrom('entry').execute()
    const left = await ctx.index.selectFrom('node').select('bytes').where('bytes', '>', 0).execute()
    assert.deepEqual(left, [])
  })

  it('that sends the same page again and again is asked twice', async () => {
    const items = [freshItem(), freshItem()]
    await using ctx = await contextWithEndless(() => ({ items, isComplete: false, cursor: 'again', count: 99 }))
    const { pages, error } = await readAll(ctx, {})
    assert.equal(error, undefined)
    assert.equal(pages, 2)
  })

  it('that lies about how many items it has is read as a whole once, and then believed to lie', async () => {
    const items = [freshItem(), freshItem(), freshItem()]
    await using ctx = await contextWithEndless(() => ({ items, isComplete: false, count: 77 }))
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const asked = ctx.network.asked.length
    for (let i = 0; i < 5; i++) {
      ctx.indexing.watch(EVIL)
      await ctx.indexing.idle()
    }
    assert.ok(ctx.network.asked.length - asked <= 15, `${ctx.network.asked.length - asked} questions`)
  })

  it('that sends ever new items for the newest is not asked for all of them each time', async () => {
    await using ctx = await contextWithEndless(endless)
    await updateNode(ctx.index, EVIL, { backfill: 'done', isWaiting: 0, averageBytes: 2_000, itemCount: 3 })
    await ctx.indexing.start()
    await until(async () => (await findNode(ctx.index, EVIL))?.deepDueAt !== undefined)
    const node = await findNode(ctx.index, EVIL)
    const count = await countEntries(ctx.index, node?.id ?? 0)
    assert.ok(count < 5_000, `${count} were read in one go`)
  })
})

describe('a flood on the posts of one of our own authors', () => {
  const THREADS: readonly NodeAddress[] = [
    { service: jidOf('pubsub.capulet.example'), node: 'comments/balcony' },
    { service: JULIET, node: 'comments/garden' },
  ]
  const [FLOODED, OTHER] = THREADS as [NodeAddress, NodeAddress]
  const TEXT = 'x'.repeat(1_000)
  const [LEGITIMATE, MORE] = [100, 40]
  const bytes = 400_000

  /** Both threads have more than is kept of a node in any case. */
  async function contextWithThreads(): Promise<TestContext> {
    const ctx = await createTestContext()
    ctx.setNow('2026-03-01T12:00:00Z')
    await knowBlog(ctx)
    await addAuthorRow(ctx.state, JULIET, ctx.clock())
    for (const [n, thread] of THREADS.entries()) {
      const payload = entryOf({ more: commentsLink(thread) })
      await publishTo(ctx, itemOf(BLOG, `post-${n}`), { payload, publisher: JULIET })
      await updateNode(ctx.index, thread, { subscription: 'subscribed' })
      for (let n = 0; n < LEGITIMATE; n++) say(ctx, thread, { item: `kind-${n}`, from: `reader@s${n}.example` })
    }
    await ctx.indexing.inbox.idle()
    for (const thread of THREADS) assert.equal(await countShown(ctx, thread), LEGITIMATE)
    ctx.setNow('2026-03-01T13:00:00Z')
    return ctx
  }

  function commentOf(ctx: TestContext, { item, from }: { item: string; from: string }): Item {
    const payload = entryOf({ author: from, text: TEXT, published: ctx.clock().toISOString() })
    return { id: asItemId(item), payload, publisher: jidOf(from) }
  }

  function say(ctx: TestContext, thread: NodeAddress, words: { item: string; from: string }): void {
    const item = commentOf(ctx, words)
    ctx.indexing.inbox.push({ kind: 'published', address: { ...thread, item: item.id }, item })
  }

  /** Comments of the readers that are shown. */
  async function countShown(ctx: TestContext, thread: NodeAddress): Promise<number> {
    const node = await findNode(ctx.index, thread)
    const query = ctx.index.selectFrom('entry').select('item').where('hold', 'is', null)
    const rows = await query.where('nodeId', '=', node?.id ?? 0).execute()
    return rows.filter(({ item }) => item.startsWith('kind-')).length
  }

  async function sumThreads(ctx: TestContext): Promise<number> {
    return sumHeldBytes(ctx.index, (await findNode(ctx.index, FLOODED)) ?? assert.fail())
  }

  it('costs only what is held, under that post and under the others', async () => {
    await using ctx = await contextWithThreads()
    await withBounds({ bytes }, async () => {
      for (let n = 0; n < 800; n++) {
        say(ctx, FLOODED, { item: `flood-${n}`, from: MALLORY })
        if (n % 100 === 99) await ctx.indexing.inbox.idle()
      }
      for (let n = 0; n < MORE; n++) say(ctx, OTHER, { item: `kind-more-${n}`, from: `late@s${n}.example` })
      await ctx.indexing.inbox.idle()
    })
    assert.equal(await countShown(ctx, FLOODED), LEGITIMATE)
    assert.equal(await countShown(ctx, OTHER), LEGITIMATE + MORE)
    const sum = await sumThreads(ctx)
    assert.ok(sum <= bytes && sum > bytes / 2, `${sum} bytes are kept`)
    assert.equal((await findNode(ctx.index, FLOODED))?.backfill, 'cut')
    assert.notEqual((await findNode(ctx.index, OTHER))?.backfill, 'cut')
  })

  it('takes the oldest under that post alone where it is shown', async () => {
    await using ctx = await contextWithThreads()
    await withBounds({ bytes }, async () => {
      for (let n = 0; n < 800; n++) {
        say(ctx, FLOODED, { item: `flood-${n}`, from: `mallory@evil${n}.example` })
        if (n % 100 === 99) await ctx.indexing.inbox.idle()
      }
      for (let n = 0; n < MORE; n++) say(ctx, OTHER, { item: `kind-more-${n}`, from: `late@s${n}.example` })
      await ctx.indexing.inbox.idle()
    })
    assert.equal(await countShown(ctx, OTHER), LEGITIMATE + MORE)
    const sum = await sumThreads(ctx)
    assert.ok(sum <= bytes && sum > bytes / 2, `${sum} bytes are kept`)
  })

  for (const isHeld of [false, true]) {
    it(`of one writer makes way before what others say under that post, ${isHeld ? 'where all is held' : 'where it is shown'}`, async () => {
      await using ctx = await contextWithThreads()
      say(ctx, FLOODED, { item: 'kind-own', from: JULIET })
      await withBounds({ bytes }, async () => {
        for (let n = 0; n < 800; n++) {
          // Slowly enough for nothing to be held.
          ctx.setNow(new Date(ctx.clock().getTime() + 60_000))
          say(ctx, FLOODED, { item: `flood-${n}`, from: MALLORY })
          if (n % 50 !== 49) continue
          await ctx.indexing.inbox.idle()
          if (isHeld) await ctx.index.updateTable('entry').set({ hold: 'held' }).where('isPost', '=', 0).execute()
        }
        await ctx.indexing.inbox.idle()
      })
      await ctx.index.updateTable('entry').set({ hold: null }).execute()
      assert.equal(await countShown(ctx, FLOODED), LEGITIMATE + 1)
      assert.equal(await countShown(ctx, OTHER), LEGITIMATE)
      const sum = await sumThreads(ctx)
      assert.ok(sum <= bytes && sum > bytes / 2, `${sum} bytes are kept`)
      const left = (await listOldestEntries(ctx.index, (await findNode(ctx.index, FLOODED))?.id ?? 0, 1_000))
        .map(({ item }) => item)
        .filter((item) => item.startsWith('flood-'))
      assert.equal(left.at(-1), 'flood-799', 'of the writer the newest stay')
    })
  }

  it('is bounded where it is read off the node later, and the other threads are read whole', async () => {
    await using ctx = await contextWithThreads()
    const owner = ctx.network.pubsubOf(JULIET)
    for (const thread of THREADS) await owner.createNode(thread, { access_model: 'open', publish_model: 'open' })
    async function put(thread: NodeAddress, from: string, item: string): Promise<void> {
      const { payload } = commentOf(ctx, { item, from })
      await ctx.network.pubsubOf(jidOf(from)).publishItem(itemOf(thread, item), payload ?? assert.fail())
    }
    for (let n = 0; n < LEGITIMATE; n++) {
      for (const thread of THREADS) await put(thread, `reader@s${n}.example`, `kind-${n}`)
    }
    for (let n = 0; n < 500; n++) await put(FLOODED, MALLORY, `flood-${n}`)
    await withBounds({ bytes }, async () => {
      await ctx.indexing.start()
      await ctx.indexing.idle()
      const sum = await sumThreads(ctx)
      assert.ok(sum <= bytes && sum > bytes / 2, `${sum} bytes are kept`)
      const other = (await findNode(ctx.index, OTHER)) ?? assert.fail()
      assert.ok((await boundsOf(ctx, other)).bytes >= bytes)
      assert.equal(other.backfill, 'done')
      // Newest first, the flood came before the others.
      assert.equal((await findNode(ctx.index, FLOODED))?.backfill, 'cut')
    })
    for (const thread of THREADS) assert.equal(await countShown(ctx, thread), LEGITIMATE)
  })
})

describe('an item without measure', () => {
  it('has an id of a megabyte and is not stored', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const address = { ...BLOG, item: asItemId('x'.repeat(1_000_000)) }
    ctx.indexing.inbox.push({ kind: 'published', address, item: { id: address.item, payload: entryOf() } })
    ctx.indexing.inbox.push({ kind: 'retracted', address })
    await ctx.indexing.inbox.idle()
    assert.equal((await ctx.index.selectFrom('entry').selectAll().execute()).length, 0)
    assert.equal((await ctx.index.selectFrom('tombstone').selectAll().execute()).length, 0)
    assert.ok(
      ctx.lines.every((line) => line.length < 2_000),
      'nor is it written to the log',
    )
  })

  it('comes with ten thousand others in one event, and a few of them wait while the node is read instead', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await ctx.network.pubsubOf(BLOG.service).createNode(BLOG, { access_model: 'open' })
    await addFollow(ctx.state, { follower: SITE, address: BLOG, since: ctx.clock() })
    await ctx.indexing.start()
    await ctx.indexing.idle()
    for (let i = 0; i < 10_000; i++) {
      const address = itemOf(BLOG, `flood-${i}`)
      ctx.site.emit({ kind: 'published', address, item: { id: address.item, payload: entryOf() } })
    }
    await ctx.indexing.idle()
    const node = await findNode(ctx.index, BLOG)
    // Entries that were never on the node are not shown any more: it was read as a whole.
    await until(async () => (await findNode(ctx.index, BLOG))?.status === 'hidden')
    const count = await countEntries(ctx.index, node?.id ?? 0)
    assert.ok(count < 10_000, `${count} were taken in`)
  })
})

describe('a node that very many posts name for their comments', () => {
  it('makes a comment no more work than a few of them would', async () => {
    await using ctx = await createTestContext()
    await addNode(ctx.index, { address: EVIL, kind: 'community', now: ctx.clock() })
    const thread = { service: EVIL.service, node: 'all' }
    const more = commentsLink(thread)
    let told = 0
    for (let n = 0; n < 250; n++) {
      const address = itemOf(EVIL, `post-${n}`)
      await publishTo(ctx, address, { payload: entryOf({ author: MALLORY, more }), publisher: MALLORY })
      ctx.live.subscribe(postTopic(address), () => told++)
    }
    told = 0
    await publishTo(ctx, itemOf(thread, 'comment'), { payload: entryOf(), publisher: MALLORY })
    assert.ok(told > 0 && told <= 200, `${told} posts were told`)
    for (const list of [listPostsOfThread, listRightfulPosts]) {
      assert.equal((await list(ctx.index, thread)).length, 200)
    }
  })
})
