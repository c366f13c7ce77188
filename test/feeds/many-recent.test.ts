import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { AppError } from '#server/errors.ts'
import { countEntries } from '#server/store/entry.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET } from './fixtures.ts'

/** More than the 32,766 values that SQLite takes in one statement. */
const RECENT = 33_000

/** Nodes of comments that something came from just now, on a server that does not answer. */
async function knowRecent(ctx: TestContext): Promise<void> {
  const now = ctx.clock().getTime()
  const service = jidOf('busy@far.example')
  await sql`INSERT INTO node (service, node, kind, created_at, heard_at, next_try_at)
    WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < ${RECENT})
    SELECT ${service}, 'comments-' || n, 'comments', ${now}, ${now}, 0 FROM count`.execute(ctx.index)
  const { pubsub } = ctx.site
  const { subscribeNode } = pubsub
  pubsub.subscribeNode = async (address) => {
    if (address.service === service) throw new AppError('unavailable', `${service} does not answer`)
    return subscribeNode(address)
  }
}

async function countDue(ctx: TestContext): Promise<number> {
  const due = ctx.index.selectFrom('node').select(({ fn }) => fn.countAll<number>().as('count'))
  return (await due.where('nextTryAt', '<=', ctx.clock().getTime()).executeTakeFirstOrThrow()).count
}

describe('very many nodes that something came from of late', () => {
  it('are all put down to be read, and others are caught up with meanwhile', async () => {
    await using ctx = await createTestContext()
    await knowRecent(ctx)
    const juliet = ctx.network.pubsubOf(JULIET)
    await juliet.createNode(BLOG, { access_model: 'open' })
    await juliet.publishItem(itemOf(BLOG, 'missed'), entryOf())
    await addFollow(ctx.state, { follower: SITE, address: BLOG, since: ctx.clock() })
    await ctx.indexing.start()
    await until(async () => (await countEntries(ctx.index, (await findNode(ctx.index, BLOG))?.id ?? 0)) === 1)
    assert.equal(await countDue(ctx), 0)
    const waiting = ctx.indexing.lanes().find(({ lane }) => lane === 'far.example')
    assert.ok(waiting && waiting.waiting > RECENT - 100, `${waiting?.waiting} wait`)
    assert.deepEqual(
      ctx.lines.filter((line) => /too many|failed/.test(line)),
      [],
    )
  })
})
