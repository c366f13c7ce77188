import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sql } from 'kysely'
import { leastCpuTimeOf } from '#test/support/cpu-time.ts'
import { growThread } from '#test/support/long-thread.ts'
import { ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

/** A post with so many comments, each an answer to an earlier one, and so many people who reacted. */
async function siteWithPost(count: number): Promise<{ site: TestSite; path: string }> {
  const site = await createTestSite()
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'balcony')
  await seedComment(site, 'c0', { thread, from: ROMEO, text: 'Lady, by yonder blessed moon' })
  const { index } = site.ctx
  await growThread(index, { like: 'c0', count: count - 1, answers: `'c' || (n / 10)` })
  await sql`WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${count})
    INSERT INTO reaction (service, node, item, reactor, emoji, source_service, source_node, source_item, at, arrived_at)
    SELECT node.service, node.node, entry.item, 'p' || n || '@s.example', CASE n % 3 WHEN 0 THEN '👍' ELSE '♥' END,
      node.service, 'urn:xmpp:pubsub-attachments:1/x', 'p' || n || '@s.example', n, n
    FROM copy, entry JOIN node ON node.id = entry.node_id WHERE entry.item = 'balcony'`.execute(index)
  return { site, path }
}

it('a post with 10,000 comments and 10,000 reactions costs about as much as one with a page of each', async () => {
  const [small, large] = [await siteWithPost(100), await siteWithPost(10_000)]
  await using _small = small.site
  await using _large = large.site
  const get =
    ({ site, path }: { site: TestSite; path: string }, end = '') =>
    async () => {
      const { statusCode, body } = await site.browser().get(`${path}${end}`)
      assert.equal(statusCode, 200)
      return body
    }
  assert.match(await get(large)(), /10,000 comments/)
  await leastCpuTimeOf(get(large))
  for (const [end, other = end] of [
    [''],
    ['?comments=50', ''],
    ['?view=flat'],
    ['/reactions'],
    ['/reactions?page=90', '/reactions'],
  ]) {
    const limit = await leastCpuTimeOf(get(small, other))
    const measured = await leastCpuTimeOf(get(large, end))
    console.log(`# ${end}: ${measured.toFixed(1)} ms, a small one ${limit.toFixed(1)} ms`)
    // What is left is the order of 10,000 comments, of which each page needs to know all.
    assert.ok(measured < 3 * limit + 100, `${end}: ${measured} ms, where a small one costs ${limit} ms`)
  }
})
