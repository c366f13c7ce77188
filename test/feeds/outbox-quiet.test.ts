import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KyselyPlugin, sql } from 'kysely'
import { AppError } from '#server/errors.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import { createOutbox, queuePost } from '#server/feeds/outbox.ts'
import { findOutboxRow, listOutbox, listWaitingRows } from '#server/store/outbox.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { watchTurns } from '#test/support/turns.ts'
import { until } from '#test/support/until.ts'
import { JULIET } from './fixtures.ts'

const POSTS = 80
const DRAFT = { title: '', text: 'x', tags: [], language: 'en', summary: '', comments: false }

/** Records queries of the outbox from now on: the columns of each statement. */
function recordOutbox(state: TestContext['state']) {
  const asked: string[] = []
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      const text = JSON.stringify(node)
      if (node.kind === 'SelectQueryNode' && /"outbox"/.test(text)) asked.push(text)
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return { state: state.withPlugin(plugin), asked }
}

const readsWholeRows = (text: string) => text.includes('SelectAllNode') || text.includes('"task"')
const isTick = (text: string) => text.includes('"distinct"') || text.includes('DISTINCT') || !text.includes('"id"')

async function fill(ctx: TestContext): Promise<void> {
  const draft = { ...DRAFT, text: 'x '.repeat(10_000) }
  for (let n = 0; n < POSTS; n++) await queuePost(ctx, { author: JULIET, key: `post-${n}`, draft })
}

async function countQuietTicks(ctx: TestContext): Promise<string[]> {
  const { state, asked } = recordOutbox(ctx.state)
  const outbox = createOutbox({ ...ctx, state, indexing: ctx.indexing })
  await outbox.start()
  try {
    await until(async () => (await listOutbox(ctx.state, JULIET)).every(({ reason }) => reason !== undefined))
    // Work under way must end first.
    await until(() => !readsWholeRows(asked.at(-1) ?? '') && asked.slice(-4).every((text) => !readsWholeRows(text)))
    asked.length = 0
    await until(() => asked.filter(isTick).length >= 3)
    return [...asked]
  } finally {
    await outbox.stop()
  }
}

/** Copies of what waits, for other accounts that are not signed in, which are not tried now. */
async function addWaiting(ctx: TestContext, accounts: number, rows: number): Promise<void> {
  const later = new Date(ctx.clock().getTime() + 60_000).toISOString()
  await sql`
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${accounts * rows})
    INSERT INTO outbox (account, form_key, kind, service, node, item, task, status, next_try, created_at)
    SELECT 'reader' || (n % ${accounts}) || '@capulet.example', n, kind, service, node, 'item-' || n, task, 'waiting',
      ${later}, created_at
    FROM numbers, (SELECT * FROM outbox LIMIT 1)`.execute(ctx.state)
}

describe('an outbox in which much waits', () => {
  it('lets others have their turns while it looks at many accounts', async () => {
    await using ctx = await createTestContext()
    await addAuthor(ctx, JULIET)
    await queuePost(ctx, { author: JULIET, key: 'post-0', draft: DRAFT })
    await addWaiting(ctx, 60, 1_000)
    const outbox = createOutbox({ ...ctx, indexing: ctx.indexing })
    try {
      const { total, longest } = await watchTurns(() => outbox.start())
      assert.ok(longest < total / 3, `${longest} of ${total} ms in one turn`)
    } finally {
      await outbox.stop()
    }
  })

  for (const isOnline of [true, false]) {
    const words = isOnline ? 'for a server that is not there' : 'for somebody who is not signed in'
    it(`reads no text of what waits ${words} again and again`, async () => {
      await using ctx = await createTestContext()
      ctx.setNow('2026-11-22T20:00:00Z')
      const juliet = ctx.signIn(JULIET)
      await addAuthor(ctx, JULIET)
      await fill(ctx)
      if (!isOnline) ctx.signOut(JULIET)
      juliet.pubsub.publishItem = () => Promise.reject(new AppError('unavailable', 'Nobody is there'))
      const asked = await countQuietTicks(ctx)
      assert.deepEqual(asked.filter(readsWholeRows), [])
      const [first] = await listWaitingRows(ctx.state, JULIET)
      const row = first && (await findOutboxRow(ctx.state, first.id))
      assert.equal(row?.reason, isOnline ? 'unavailable' : 'signed-out')
      const isCovered = sql<{ detail: string }>`EXPLAIN QUERY PLAN
        SELECT id, account, kind, service, node, item, next_try FROM outbox
        WHERE status = 'waiting' AND account = ${JULIET} ORDER BY id`
      assert.match((await isCovered.execute(ctx.state)).rows[0]?.detail ?? '', /USING COVERING INDEX outbox_waiting/)
    })
  }
})
