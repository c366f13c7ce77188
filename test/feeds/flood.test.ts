import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ingest } from '#server/feeds/ingest.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { asItemId } from '#shared/address.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, THREAD } from './fixtures.ts'

const COMMENTS = 1_000
const PART = 200

async function withPost(): Promise<TestContext> {
  const ctx = await createTestContext()
  await knowBlog(ctx)
  await addAuthorRow(ctx.state, JULIET, ctx.clock())
  const payload = entryOf({ more: commentsLink(THREAD) })
  await publishTo(ctx, itemOf(BLOG, 'balcony'), { payload, publisher: JULIET })
  return ctx
}

/** The milliseconds of the quicker ones of the first and of the last comments: those that nothing else held up. */
async function flood(ctx: TestContext, nameOf: (n: number) => string, readAt?: Date): Promise<[number, number]> {
  const times: number[] = []
  for (let n = 0; n < COMMENTS; n++) {
    const publisher = jidOf(nameOf(n))
    const item = asItemId(`c${n}`)
    const payload = entryOf({ author: publisher, title: `Nr ${n}`, published: ctx.clock().toISOString() })
    const began = performance.now()
    const event = { kind: 'published', address: { ...THREAD, item }, item: { id: item, payload, publisher } } as const
    await ingest(ctx, event, readAt === undefined ? {} : { readAt })
    times.push(performance.now() - began)
  }
  const quick = (part: number[]) => part.sort((a, b) => a - b)[Math.floor(part.length / 10)] ?? 0
  return [quick(times.slice(PART, 2 * PART)), quick(times.slice(-PART))]
}

async function countHeld({ index }: TestContext): Promise<number> {
  const rows = await index.selectFrom('entry').select('id').where('hold', '=', 'held').execute()
  return rows.length
}

describe('a flood of comments under one post', () => {
  for (const [way, isLate] of [
    ['as they come', false],
    ['read off the node later', true],
  ] as const) {
    it(`from 1,000 servers costs no more for each the longer it lasts, ${way}`, async () => {
      await using ctx = await withPost()
      const readAt = isLate ? new Date(ctx.clock().getTime() + 60_000) : undefined
      const [first, last] = await flood(ctx, (n) => `romeo@s${n}.example`, readAt)
      console.log(`# ${way}: ${first.toFixed(2)} ms each, then ${last.toFixed(2)} ms`)
      assert.ok(last < 2 * first + 1, `${last} ms each, where the first took ${first} ms`)
      assert.equal(await countHeld(ctx), 0)
    })

    it(`from one server is held after the first of a minute, ${way}`, async () => {
      await using ctx = await withPost()
      ctx.setNow(new Date())
      const readAt = isLate ? new Date(ctx.clock().getTime() + 60_000) : undefined
      const [first, last] = await flood(ctx, (n) => `u${n}@one.example`, readAt)
      console.log(`# of one server, ${way}: ${first.toFixed(2)} ms each, then ${last.toFixed(2)} ms`)
      assert.ok(last < 2 * first + 1, `${last} ms each, where the first took ${first} ms`)
      assert.equal(await countHeld(ctx), COMMENTS - 30)
    })
  }
})
