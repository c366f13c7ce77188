import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { saveEntry } from '#server/store/entry.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import { listPosts } from '#server/store/post.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { entryRow } from './rows.ts'

interface Post {
  readonly item: string
  readonly at: number
  readonly nodeId: number
}

/** Whole numbers below `end`, the same ones for the same seed. */
function randomOf(seed: number): (end: number) => number {
  let state = seed
  return (end) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * end)
  }
}

function feedOf(number: number): NodeAddress {
  const isBlog = number % 3 > 0
  return isBlog
    ? { service: jidOf(`user${number}@montague.example`), node: NS.MICROBLOG }
    : { service: jidOf('pubsub.montague.example'), node: `garden ${number}` }
}

async function addFeed(ctx: TestContext, address: NodeAddress): Promise<number> {
  await addNode(ctx.index, { address, kind: 'community', now: new Date(0) })
  return (await findNode(ctx.index, address))?.id ?? 0
}

async function addPost(ctx: TestContext, { item, at, nodeId }: Post): Promise<void> {
  const row = entryRow({ nodeId, item: asItemId(item), author: jidOf('romeo@montague.example'), at, tags: [] })
  await saveEntry(ctx.index, row, [])
}

/** Newest first, as the cursors sort: by date, item and node. */
function sorted(posts: readonly Post[]): Post[] {
  return posts.toSorted((a, b) => b.at - a.at || (a.item === b.item ? b.nodeId - a.nodeId : a.item < b.item ? 1 : -1))
}

describe('a timeline', () => {
  it('is the newest of many feeds, page by page both ways, however their posts lie and whatever dates they share', async () => {
    for (const seed of [1, 2, 3]) {
      const random = randomOf(seed)
      await using ctx = await createTestContext()
      const posts: Post[] = []
      const feeds = Array.from({ length: 30 }, (_, n) => feedOf(n))
      for (const address of feeds) {
        const nodeId = await addFeed(ctx, address)
        const count = random(4) === 0 ? 25 : random(4)
        const items = new Set(Array.from({ length: count }, () => `item-${random(40)}`))
        for (const item of items) posts.push({ item, nodeId, at: 1000 * random(12) })
      }
      for (const post of posts) await addPost(ctx, post)
      const followed = feeds.filter(() => random(5) > 0)
      const ids = new Set<number | undefined>()
      for (const address of followed) ids.add((await findNode(ctx.index, address))?.id)
      const expected = sorted(posts.filter(({ nodeId }) => ids.has(nodeId))).map(({ item }) => item)
      const scope = { kind: 'feeds', addresses: followed } as const
      for (const limit of [1, 3, 10]) {
        const down: string[] = []
        let page = await listPosts(ctx.index, { scope, limit })
        for (;;) {
          down.push(...page.rows.map(({ address }) => address.item))
          if (page.older === undefined) break
          page = await listPosts(ctx.index, { scope, limit, before: page.older })
        }
        assert.deepEqual(down, expected, `seed ${seed}, pages of ${limit}`)
        const up = page.rows.map(({ address }) => address.item)
        while (page.newer !== undefined) {
          page = await listPosts(ctx.index, { scope, limit, after: page.newer })
          up.unshift(...page.rows.map(({ address }) => address.item))
        }
        assert.deepEqual(up, expected, `seed ${seed}, upwards by ${limit}`)
      }
    }
  })

  it('has nothing of feeds that are closed, deleted, unknown or threads, nor of the same name elsewhere', async () => {
    await using ctx = await createTestContext()
    const names = ['open', 'closed', 'deleted', 'thread', 'another']
    const addresses = names.map((node) => ({ service: jidOf('pubsub.montague.example'), node }))
    for (const address of addresses) {
      const kind = address.node === 'thread' ? 'comments' : 'community'
      await addNode(ctx.index, { address, kind, now: new Date(0) })
      const nodeId = (await findNode(ctx.index, address))?.id ?? 0
      await addPost(ctx, { item: `on-${address.node}`, at: 1, nodeId })
      if (address.node === 'closed' || address.node === 'deleted') {
        await updateNode(ctx.index, address, { status: address.node })
      }
    }
    const unknown = { service: jidOf('pubsub.capulet.example'), node: 'another' }
    const scope = { kind: 'feeds', addresses: [...addresses.slice(0, 4), unknown] } as const
    const { rows } = await listPosts(ctx.index, { scope, limit: 10 })
    assert.deepEqual(
      rows.map(({ address }) => address.item),
      ['on-open'],
    )
    assert.deepEqual(await listPosts(ctx.index, { scope: { kind: 'feeds', addresses: [] }, limit: 10 }), {
      rows: [],
      newer: undefined,
      older: undefined,
    })
  })

  it('by a tag is exact, however many have it', async () => {
    await using ctx = await createTestContext()
    const nodeIds = [await addFeed(ctx, feedOf(1)), await addFeed(ctx, feedOf(2))]
    const row = { author: jidOf('romeo@montague.example'), at: 0, tags: [] }
    for (const nodeId of nodeIds) await saveEntry(ctx.index, entryRow({ ...row, nodeId, item: asItemId('first') }), [])
    // Two of them at each instant, one on each feed.
    await sql`
      WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 6000)
      INSERT INTO entry (node_id, item, credit, is_post, title, excerpt, html, payload, first_seen_at, changed_at, updated_at, published_at)
      SELECT entry.node_id, 'item-' || n, credit, 1, 't', '', '', '', 0, 0, 0, n FROM many, entry WHERE item = 'first'
    `.execute(ctx.index)
    await sql`INSERT INTO tag (tag, entry_id, node_id, published_at, item, is_public)
      SELECT tag.value, entry.id, node_id, published_at, item, 0 FROM entry, json_each('["common", "rare"]') AS tag
      WHERE tag.value = 'common' OR published_at % 1000 = 0`.execute(ctx.index)
    const scope = { kind: 'feeds', addresses: [feedOf(1), feedOf(2)] } as const
    const times = async (tag: string, before?: string) => {
      const { rows, older } = await listPosts(ctx.index, { scope, tag, before, limit: 3 })
      return { older, times: rows.map(({ published }) => published.getTime()) }
    }
    const common = await times('common')
    assert.deepEqual(common.times, [6000, 6000, 5999])
    assert.deepEqual((await times('Common', common.older)).times, [5999, 5998, 5998])
    const rare = await times('rare')
    assert.deepEqual(rare.times, [6000, 6000, 5000])
    assert.deepEqual((await times('rare', rare.older)).times, [5000, 4000, 4000])
    const one = { kind: 'blog', address: feedOf(1) } as const
    const { rows } = await listPosts(ctx.index, { scope: one, tag: 'common', limit: 2 })
    assert.deepEqual(
      rows.map(({ published }) => published.getTime()),
      [6000, 5999],
    )
  })
})
