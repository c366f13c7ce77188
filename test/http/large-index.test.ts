import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { addGauges } from '#server/gauges.ts'
import { createMetrics } from '#server/metrics.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { clearIndex } from '#server/store/clear.ts'
import { listFeedHealth } from '#server/store/feed-health.ts'
import type { BareJid } from '#shared/jid.ts'
import { jidOf } from '#test/support/context.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { blogOfAuthor, fillLargeIndex } from '#test/support/large-index.ts'
import { watchTurns } from '#test/support/turns.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const POSTS = 60_000
const BLOGS = Array.from({ length: 2_000 }, (_, n) => blogOfAuthor(n + 1))
const OUTBOX_ROWS = 200_000

/** Fails where one turn of the event loop does half of the work. */
async function assertSliced(work: () => Promise<unknown>): Promise<void> {
  const { total, longest, count } = await watchTurns(work)
  console.log(`# ${total.toFixed()} ms in ${count} turns, the longest ${longest.toFixed()} ms`)
  assert.ok(longest < total / 2, `${longest} ms of ${total} ms in one piece`)
}

describe('on a large index', () => {
  let folder: TestFolder
  let site: TestSite

  before(async () => {
    folder = await createTestFolder()
    const indexPath = folder.file('index.sqlite')
    await fillLargeIndex(indexPath, { posts: POSTS, authors: BLOGS.length })
    const metrics = createMetrics()
    site = await createTestSite({ indexPath, metrics })
    addGauges(metrics, { ...site.ctx, people: site.people })
    // The first request of all compiles the routes.
    await get('/robots.txt')
  })

  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  async function get(path: string): Promise<string> {
    const { statusCode, body } = await site.browser().get(path)
    assert.equal(statusCode, 200, path)
    return body
  }

  async function addAuthors(jids: readonly BareJid[]): Promise<void> {
    for (const jid of jids) await addAuthorRow(site.ctx.state, jid, new Date())
  }

  it('the metrics are read in slices', async () => {
    await assertSliced(async () => {
      const text = await get('/metrics')
      assert.equal(text.match(/^canto_node_lag_seconds/gm)?.length, BLOGS.length)
      // Each post has a comments node, and one of seven attachments.
      const nodes = BLOGS.length + POSTS + Math.ceil(POSTS / 7)
      assert.equal(Number(/^canto_naive_catch_up_round_trips (\d+)$/m.exec(text)?.[1]), nodes + 15)
    })
  })

  it('the health is read in slices, over everything that was ever sent', async () => {
    await sql`INSERT INTO outbox (account, form_key, kind, service, node, item, task, status, created_at)
      WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < ${OUTBOX_ROWS})
      SELECT 'juliet@capulet.example', n, 'post', 'juliet@capulet.example', 'feed', n, '{}', 'done', '2026-01-01T00:00:00Z'
      FROM count`.execute(site.ctx.state)
    await assertSliced(async () => assert.match(await get('/healthz'), /"problems":\[\]/))
  })

  it('how many feeds are read is looked up in slices', async () => {
    await assertSliced(async () => {
      // As if ten people looked at all that they follow.
      for (let n = 0; n < 10; n++) assert.equal((await listFeedHealth(site.ctx.index, BLOGS)).size, BLOGS.length)
    })
  })

  it('the sitemap is made in slices', async () => {
    // Everything is looked at where nobody has a post.
    await addAuthors([jidOf('nurse@capulet.example')])
    await assertSliced(async () => assert.equal((await get('/sitemap.xml')).match(/<loc>/g)?.length, 1))
    await addAuthors(BLOGS.map(({ service }) => service))
    await assertSliced(async () => {
      let posts = 0
      for (let part = 1; part <= 6; part++) posts += (await get(`/sitemap-${part}.xml`)).match(/<loc>/g)?.length ?? 0
      assert.ok(posts > POSTS - 10, `${posts} posts`)
    })
  })

  it('it is emptied in slices', async () => {
    const { index } = site.ctx
    await assertSliced(() => clearIndex(index))
    for (const table of ['node', 'entry', 'tag', 'reaction', 'person'] as const) {
      assert.deepEqual(await index.selectFrom(table).selectAll().limit(1).execute(), [], table)
    }
  })
})
