import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { type AllItemsDeps, allItems } from '#server/xmpp/all-items.ts'
import type { Item, ItemLimits, ItemQuery } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'

const ADDRESS = { service: 'pubsub.far.example' as BareJid, node: 'n' }
const nodeOf = (count: number, bytes = 100): Item[] =>
  Array.from({ length: count }, (_, n) => ({ id: asItemId(`${n}`), payload: paddedOf(bytes) }))

interface Service {
  readonly items: readonly Item[]
  readonly isPaged: boolean
  /** Larger answers never arrive. */
  readonly largest?: number
  /** The same for their bytes. */
  readonly largestBytes?: number
  readonly listsIds?: boolean
  /** More in one answer is too large for us. */
  readonly mostRead?: number
  /** Items that are too large even alone. */
  readonly unreadable?: readonly number[]
}

function create(service: Service) {
  const { items, isPaged, largest = Number.POSITIVE_INFINITY, largestBytes, listsIds = true } = service
  const { mostRead = Number.POSITIVE_INFINITY, unreadable = [] } = service
  const mayRead = (page: readonly Item[]) => {
    if (page.length <= mostRead && !unreadable.some((n) => page.some(({ id }) => id === `${n}`))) return page
    refusals.count++
    throw new AppError('too-large', 'more at once than is read')
  }
  const refusals = { count: 0 }
  const asked: number[] = []
  const answered: number[] = []
  const deps: AllItemsDeps = {
    pageBytes: 50_000,
    mostBytes: 100_000,
    async listItems(_address, { max = items.length, before }: ItemQuery) {
      asked.push(max)
      if (max > largest) throw new AppError('timeout', 'too much')
      const end = before === undefined ? items.length : Number(before)
      const page = items.slice(Math.max(0, end - max), end)
      const bytes = page.reduce((sum, { payload }) => sum + String(payload).length, 0)
      answered.push(bytes)
      if (largestBytes !== undefined && bytes > largestBytes) {
        refusals.count++
        throw new AppError('timeout', 'the stream has ended')
      }
      mayRead(page)
      if (!isPaged) return { items: page, isComplete: page.length < max }
      return {
        items: page,
        isComplete: page.length === items.length,
        ...(page.length > 0 && { cursor: String(end - page.length) }),
      }
    },
    listItemIds: async () => (listsIds ? items.map(({ id }) => id) : undefined),
    findItems: async (_address, ids) => mayRead(items.filter(({ id }) => ids.includes(id))),
  }
  return { deps, asked, answered, refusals }
}

async function read(service: Service, limits: ItemLimits = {}) {
  const { deps, asked, refusals } = create(service)
  const ids: string[] = []
  for await (const items of allItems(deps, ADDRESS, limits)) ids.push(...items.map(({ id }) => id))
  return { ids, asked, refused: refusals.count }
}

function paddedOf(bytes: number): Element {
  return new Element('e').t('x'.repeat(bytes))
}

/** What comes before it is too large. */
async function readPartly(service: Service) {
  const { deps, answered } = create(service)
  const ids: string[] = []
  await assert.rejects(
    async () => {
      for await (const items of allItems(deps, ADDRESS)) ids.push(...items.map(({ id }) => id))
    },
    (error) => isAppError(error, 'too-large'),
  )
  return { ids, largestAsked: Math.max(...answered) }
}

describe('reading a whole node', () => {
  it('asks for pages as large as the budget allows, newest first', async () => {
    const { ids, asked } = await read({ items: nodeOf(1000), isPaged: true })
    assert.equal(new Set(ids).size, 1000)
    assert.equal(ids.slice(0, 20).includes('999'), true)
    assert.deepEqual(asked.slice(0, 2), [20, 160])
    assert.ok(asked.length < 12, `${asked.length} requests`)
  })

  it('never asks for more than the budget of what it has seen, and gets on where the older ones are larger', async () => {
    const even = await read({ items: nodeOf(500, 2_000), isPaged: true })
    assert.ok(Math.max(...even.asked) * 2_300 <= 60_000, even.asked.join())
    // Newest first: the last are small.
    const items = [...nodeOf(200, 20_000), ...nodeOf(400, 10)].map((item, n) => ({ ...item, id: asItemId(`${n}`) }))
    const uneven = await read({ items, isPaged: true, largestBytes: 500_000 })
    assert.equal(new Set(uneven.ids).size, 600)
    assert.ok(uneven.refused <= 3, `${uneven.refused} answers would have been too large`)
  })

  it('asks for less where an answer does not arrive, down to one', async () => {
    const { ids } = await read({ items: nodeOf(30), isPaged: true, largest: 3 })
    assert.equal(new Set(ids).size, 30)
    await assert.rejects(read({ items: nodeOf(30), isPaged: true, largest: 0 }), (error) =>
      isAppError(error, 'timeout'),
    )
  })

  it('asks for no more again once an answer was too large to be read', async () => {
    const paged = await read({ items: nodeOf(300), isPaged: true, mostRead: 40 })
    assert.equal(new Set(paged.ids).size, 300)
    assert.equal(paged.refused, 1)
    const whole = await read({ items: nodeOf(100, 10), isPaged: false, mostRead: 40 })
    assert.equal(new Set(whole.ids).size, 100)
  })

  it('leaves out an item that is too large even alone, and reads the others by their ids', async () => {
    for (const isPaged of [true, false]) {
      const { ids } = await read({ items: nodeOf(60), isPaged, unreadable: [7, 59] })
      assert.deepEqual(new Set(ids).size, 58, `${isPaged}`)
      assert.ok(!ids.includes(asItemId('7')))
      await assert.rejects(read({ items: nodeOf(60), isPaged, unreadable: [7], listsIds: false }), (error) =>
        isAppError(error, 'too-large'),
      )
    }
  })

  it('asks for more of the newest where the service does not page', async () => {
    const { ids, asked } = await read({ items: nodeOf(200, 10), isPaged: false })
    assert.equal(new Set(ids).size, 200)
    assert.equal(ids.length, 200)
    assert.deepEqual(asked, [20, 160, 455])
  })

  it('asks for as much of the newest as the budget has room for, though one of them is larger than the others', async () => {
    const items = nodeOf(200, 1_000).map((item, n) => (n === 199 ? { ...item, payload: paddedOf(6_000) } : item))
    const { ids, largestAsked } = await readPartly({ items, isPaged: false, listsIds: false, largestBytes: 130_000 })
    assert.ok(ids.length >= 45, `${ids.length} items in ${largestAsked} bytes`)
    assert.ok(largestAsked < 100_000, `${largestAsked} bytes`)
  })

  it('counts quotes as their entities, which some services send', async () => {
    const items = nodeOf(400).map((item) => ({ ...item, payload: new Element('e').t("'".repeat(200)) }))
    const { ids } = await readPartly({ items, isPaged: false, listsIds: false })
    assert.ok(ids.length * 1_200 < 100_000, `${ids.length} items`)
  })

  it('goes by the ids where an answer would be too large, and says when it cannot', async () => {
    const { ids } = await read({ items: nodeOf(100, 5000), isPaged: false })
    assert.equal(new Set(ids).size, 100)
    const partly = await readPartly({ items: nodeOf(100, 5000), isPaged: false, listsIds: false })
    assert.equal(partly.ids.length, 20)
  })

  it('stops at the limit, and when nobody wants more', async () => {
    assert.equal((await read({ items: nodeOf(100), isPaged: true }, { max: 33 })).ids.length, 33)
    assert.equal((await read({ items: nodeOf(100), isPaged: false }, { max: 33 })).ids.length, 33)
    await assert.rejects(read({ items: nodeOf(100), isPaged: true }, { signal: AbortSignal.abort() }))
  })

  it('takes an empty node, and one that changes under it', async () => {
    assert.deepEqual((await read({ items: [], isPaged: true })).ids, [])
    assert.deepEqual((await read({ items: [], isPaged: false })).ids, [])
  })
})
