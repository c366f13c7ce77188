import Database from 'better-sqlite3'
import { ingest } from '#server/feeds/ingest.ts'
import { listPosts, type Scope } from '#server/store/post.ts'
import { NS } from '#shared/ns.ts'
import { JULIET, knowBlog } from '#test/feeds/fixtures.ts'
import { createTestContext, jidOf } from '#test/support/context.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { makePost } from './posts.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'

const POSTS = 1_000_000
const FEEDS = 1_000
const SHOWN = 20

const FOLLOWED = Array.from({ length: FEEDS }, (_, n) => ({
  service: jidOf(`user${n}@montague.example`),
  node: NS.MICROBLOG,
}))

/** One post by way of ingest, and a million short ones on a thousand blogs, a minute apart, in a mixed order. */
async function fillIndex(folder: TestFolder): Promise<string> {
  const path = folder.file('index.sqlite')
  await using ctx = await createTestContext({ indexPath: path })
  await knowBlog(ctx)
  const { address, item } = makePost(0)
  await ingest(ctx, { kind: 'published', address, item })
  const database = new Database(path)
  database.prepare(`UPDATE entry SET html = '<p>A note.</p>', payload = '<entry/>'`).run()
  database.exec(`WITH RECURSIVE copy(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM copy WHERE n < ${FEEDS - 1})
    INSERT INTO node (service, node, kind, owner, created_at)
    SELECT 'user' || n || '@montague.example', '${NS.MICROBLOG}', 'blog', 'user' || n || '@montague.example', 0 FROM copy`)
  const columns = (database.pragma('table_info(entry)') as { name: string }[]).map(({ name }) => name)
  const given = ['id', 'node_id', 'item', 'author', 'published_at']
  const kept = columns.filter((name) => !given.includes(name))
  database.exec(`WITH RECURSIVE copy(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM copy WHERE n < ${POSTS - 1})
    INSERT INTO entry (node_id, item, author, published_at, ${kept.join(', ')})
    SELECT node.id, 'item-' || n, node.owner, first.published_at - n * 60000, ${kept.map((name) => `first.${name}`).join(', ')}
    FROM copy, (SELECT * FROM entry LIMIT 1) AS first CROSS JOIN node ON node.service = 'user' || (n * 7919 % ${FEEDS}) || '@montague.example'`)
  database.close()
  return path
}

function newest(name: string, scope: Scope, feeds: number): Benchmark {
  return {
    name: `the newest ${SHOWN} of ${POSTS.toLocaleString('en')} posts ${name}, against one look at each and ${SHOWN} rows`,
    unit: 'queries/s',
    async measure() {
      await using folder = await createTestFolder()
      await using ctx = await createTestContext({ indexPath: await fillIndex(folder) })
      return await ratePerSecond(() => listPosts(ctx.index, { scope, limit: SHOWN }))
    },
    async limit() {
      await using folder = await createTestFolder()
      const database = new Database(await fillIndex(folder), { readonly: true })
      const look = database.prepare('SELECT max(published_at) FROM entry WHERE node_id = ?').pluck()
      const row = database.prepare('SELECT * FROM entry WHERE id = ?')
      const rate = await ratePerSecond(() => {
        for (let node = 2; node < 2 + feeds; node++) look.get(node)
        for (let id = 2; id < 2 + SHOWN; id++) row.get(id)
      })
      database.close()
      return rate
    },
  }
}

export const benchmarks = [
  newest(`of ${FEEDS.toLocaleString('en')} followed feeds`, { kind: 'feeds', addresses: FOLLOWED }, FEEDS),
  newest('by one of the authors', { kind: 'site', authors: [FOLLOWED[7]?.service ?? JULIET] }, 1),
]
