import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sql } from 'kysely'
import { leastCpuTimeOf } from '#test/support/cpu-time.ts'
import { CHANNEL, seedRoom, seedTalk } from './seed-room.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const A_DAY = 10_000
const DAYS = 20

/** 10,000 messages a day, 8 seconds apart. */
async function fillRoom({ ctx }: TestSite): Promise<void> {
  const columns = await sql<{ name: string }>`SELECT name FROM pragma_table_info('entry')`.execute(ctx.index)
  const kept = columns.rows.map(({ name }) => name).filter((name) => !['id', 'item', 'published_at'].includes(name))
  const copied = sql.raw(kept.map((name) => `first.${name}`).join(', '))
  await sql`WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${A_DAY * DAYS - 1})
    INSERT INTO entry (item, published_at, ${sql.raw(kept.join(', '))})
    SELECT 'm' || n, first.published_at + n * 8640, ${copied} FROM copy, entry AS first WHERE first.item = 'first'`.execute(
    ctx.index,
  )
}

it('a page of a room with 10,000 messages a day costs no more than one of a room with a page', async () => {
  await using small = await createTestSite()
  await seedRoom(small)
  for (let n = 0; n < 200; n++)
    await seedTalk(small, `m${n}`, { at: new Date(Date.parse('2026-03-01T00:00:00Z') + n * 8640).toISOString() })
  await using large = await createTestSite()
  await seedRoom(large)
  await seedTalk(large, 'first', { text: 'm1', at: '2026-03-01T00:00:00Z' })
  await fillRoom(large)
  const rows = await large.ctx.index
    .selectFrom('entry')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .execute()
  assert.equal(rows[0]?.n, A_DAY * DAYS)
  const get =
    (site: TestSite, query = '') =>
    async () => {
      const { statusCode, body } = await site.browser().get(`/@juliet/room${query}`)
      assert.equal(statusCode, 200)
      assert.equal(body.match(/class="said/g)?.length, 200)
    }
  await leastCpuTimeOf(get(large))
  const limit = await leastCpuTimeOf(get(small))
  const noon = Date.parse('2026-03-10T12:00:00Z')
  for (const query of ['', '?day=2026-03-10', `?day=2026-03-10&after=${noon}.z`, `?day=2026-03-10&before=${noon}.z`]) {
    const measured = await leastCpuTimeOf(get(large, query))
    console.log(`# ${CHANNEL} ${query}: ${measured.toFixed(1)} ms, a small room ${limit.toFixed(1)} ms`)
    assert.ok(measured < 3 * limit + 5, `${query}: ${measured} ms, where a small room takes ${limit} ms`)
  }
})
