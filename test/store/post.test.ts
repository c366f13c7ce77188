import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dropEntries, listSomeEntries, saveEntry } from '#server/store/entry.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { findPost, listPosts, type PostQuery, type Scope } from '#server/store/post.ts'
import type { NodeAddress } from '#shared/address.ts'
import { asItemId } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { entryRow } from './rows.ts'

const JULIET = jidOf('juliet@capulet.example')
const ROMEO = jidOf('romeo@montague.example')
const SITE: Scope = { kind: 'site', authors: [JULIET, ROMEO] }

function blogOf(jid: typeof JULIET): NodeAddress {
  return { service: jid, node: NS.MICROBLOG }
}

async function fill(
  ctx: TestContext,
  jid: typeof JULIET,
  items: readonly [item: string, at: number, tags?: string[]][],
) {
  const address = blogOf(jid)
  await addNode(ctx.index, { address, kind: 'blog', owner: jid, now: new Date(0) })
  const node = await findNode(ctx.index, address)
  for (const [item, at, tags = []] of items) {
    await saveEntry(ctx.index, entryRow({ nodeId: node?.id ?? 0, item: asItemId(item), author: jid, at, tags }), tags)
  }
}

/** Every item, page by page in both directions. */
async function walk(ctx: TestContext, query: Omit<PostQuery, 'before' | 'after'>) {
  const down: string[][] = []
  let cursor: string | undefined
  let last: Awaited<ReturnType<typeof listPosts>> | undefined
  do {
    last = await listPosts(ctx.index, { ...query, before: cursor })
    down.push(last.rows.map(({ address }) => address.item))
    cursor = last.older
  } while (cursor !== undefined)
  const up: string[][] = [down.at(-1) ?? []]
  for (cursor = last.newer; cursor !== undefined; ) {
    const page = await listPosts(ctx.index, { ...query, after: cursor })
    up.unshift(page.rows.map(({ address }) => address.item))
    cursor = page.newer
  }
  return { down, up }
}

describe('a list of posts', () => {
  it('is paged exactly, also where a whole page has one date', async () => {
    await using ctx = await createTestContext()
    const same = Array.from({ length: 11 }, (_, i): [string, number] => [`same-${i}`, 5000])
    await fill(ctx, JULIET, [...same, ['old', 1000], ['new', 9000]])
    // The same item on another blog at the same instant.
    await fill(ctx, ROMEO, [
      ['same-3', 5000],
      ['same-4', 5000],
    ])
    for (const limit of [1, 2, 3, 4, 7, 15, 100]) {
      const { down, up } = await walk(ctx, { scope: SITE, limit })
      const all = down.flat()
      assert.equal(all.length, 15, `pages of ${limit}`)
      assert.equal(all[0], 'new')
      assert.equal(all.at(-1), 'old')
      assert.deepEqual(up.flat().sort(), all.toSorted())
    }
  })

  it('says whether there is anything newer and older, and nothing of a cursor that is none', async () => {
    await using ctx = await createTestContext()
    await fill(ctx, JULIET, [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    const first = await listPosts(ctx.index, { scope: SITE, limit: 3 })
    assert.equal(first.older, undefined)
    assert.equal(first.newer, undefined)
    const second = await listPosts(ctx.index, {
      scope: SITE,
      limit: 1,
      before: (await listPosts(ctx.index, { scope: SITE, limit: 1 })).older,
    })
    assert.deepEqual(
      second.rows.map(({ address }) => address.item),
      ['b'],
    )
    assert.ok(second.older !== undefined && second.newer !== undefined)
    for (const before of ['x', '', 'W10', Buffer.from('[1,2,3]').toString('base64url')]) {
      assert.deepEqual(await listPosts(ctx.index, { scope: SITE, limit: 3, before }), { rows: [] })
    }
  })

  it('of the site holds only its authors’ own credited posts', async () => {
    await using ctx = await createTestContext()
    await fill(ctx, JULIET, [['own', 1]])
    await fill(ctx, ROMEO, [['other', 2]])
    const node = await findNode(ctx.index, blogOf(JULIET))
    const foreign = { nodeId: node?.id ?? 0, at: 3, tags: [] }
    await saveEntry(ctx.index, entryRow({ ...foreign, item: asItemId('guest'), author: ROMEO }), [])
    await saveEntry(
      ctx.index,
      { ...entryRow({ ...foreign, item: asItemId('forged'), author: JULIET }), credit: 'unverified', author: null },
      [],
    )
    const items = async (scope: Scope) =>
      (await listPosts(ctx.index, { scope, limit: 9 })).rows.map(({ address }) => address.item)
    assert.deepEqual(await items({ kind: 'site', authors: [JULIET] }), ['own'])
    assert.deepEqual(await items({ kind: 'site', authors: [] }), [])
    assert.deepEqual(await items({ kind: 'blog', address: blogOf(JULIET) }), ['guest', 'forged', 'own'])
  })

  it('by tag finds every spelling, and tags are counted in the newest', async () => {
    await using ctx = await createTestContext()
    await fill(ctx, JULIET, [
      ['a', 1, ['Città', 'x']],
      ['b', 2, ['città', 'CITTÀ']],
      ['c', 3, ['other']],
    ])
    for (const tag of ['città', 'CITTÀ', 'citta\u0300']) {
      const { rows } = await listPosts(ctx.index, { scope: SITE, tag, limit: 9 })
      assert.deepEqual(
        rows.map(({ address }) => address.item),
        ['b', 'a'],
        tag,
      )
    }
  })

  it('remembers what was there', async () => {
    await using ctx = await createTestContext()
    await fill(ctx, JULIET, [['a', 1]])
    const address = { ...blogOf(JULIET), item: asItemId('a') }
    const node = await findNode(ctx.index, address)
    const entries = await listSomeEntries(ctx.index, node?.id ?? 0, 10)
    await dropEntries(ctx.index, blogOf(JULIET), { entries, at: new Date() })
    assert.equal(await findPost(ctx.index, address), 'gone')
    assert.equal(await findPost(ctx.index, { ...address, item: asItemId('b') }), undefined)
  })
})
