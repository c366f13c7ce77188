import Database from 'better-sqlite3'
import { ingest } from '#server/feeds/ingest.ts'
import { listPosts } from '#server/store/post.ts'
import { JULIET, knowBlog } from '#test/feeds/fixtures.ts'
import { createTestContext } from '#test/support/context.ts'
import { createTestFolder, type TestFolder } from '#test/support/folder.ts'
import { makePost } from './posts.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'

const POSTS = 100_000
const SHOWN = 20

/** One post by way of ingest, and copies of its row, an hour apart. */
async function fillIndex(folder: TestFolder): Promise<string> {
  const path = folder.file('index.sqlite')
  await using ctx = await createTestContext({ indexPath: path })
  await knowBlog(ctx)
  const { address, item } = makePost(0)
  await ingest(ctx, { kind: 'published', address, item })
  const database = new Database(path)
  const columns = (database.pragma('table_info(entry)') as { name: string }[]).map(({ name }) => name)
  const kept = columns.filter((name) => !['id', 'item', 'published_at'].includes(name)).join(', ')
  database.exec(`WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${POSTS - 1})
    INSERT INTO entry (item, published_at, ${kept})
    SELECT item || '-' || n, published_at - n * 3600000, ${kept} FROM entry, copy`)
  database.close()
  return path
}

const home: Benchmark = {
  name: `the newest ${SHOWN} of ${POSTS.toLocaleString('en')} posts, against the bare query`,
  unit: 'queries/s',
  async measure() {
    await using folder = await createTestFolder()
    const indexPath = await fillIndex(folder)
    await using ctx = await createTestContext({ indexPath })
    const query = { scope: { kind: 'site', authors: [JULIET] }, limit: SHOWN } as const
    return await ratePerSecond(() => listPosts(ctx.index, query))
  },
  async limit() {
    await using folder = await createTestFolder()
    const database = new Database(await fillIndex(folder), { readonly: true })
    const newest = database.prepare(
      `SELECT * FROM entry JOIN node ON node.id = entry.node_id WHERE is_post = 1 AND status = 'open' AND owner = ?
       AND credit = 'credited' ORDER BY published_at DESC, item DESC, node_id DESC LIMIT ${SHOWN + 1}`,
    )
    const rate = await ratePerSecond(() => newest.all(JULIET))
    database.close()
    return rate
  },
}

export const benchmarks = [home]
