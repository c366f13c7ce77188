import Database from 'better-sqlite3'
import { ingest } from '#server/feeds/ingest.ts'
import { writeXml } from '#shared/xml.ts'
import { knowBlog } from '#test/feeds/fixtures.ts'
import { createTestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { makePost } from './posts.ts'
import { rateOf } from './rate.ts'
import type { Benchmark } from './run.ts'

const POSTS = 1500

const intoIndex: Benchmark = {
  name: 'ingest into a file, against raw inserts of the same bytes',
  unit: 'posts/s',
  async measure() {
    await using folder = await createTestFolder()
    await using ctx = await createTestContext({ indexPath: folder.file('index.sqlite') })
    await knowBlog(ctx)
    const posts = Array.from({ length: POSTS }, (_, number) => makePost(number))
    return await rateOf(POSTS, async () => {
      for (const { address, item } of posts) await ingest(ctx, { kind: 'published', address, item })
    })
  },
  async limit() {
    await using folder = await createTestFolder()
    const database = new Database(folder.file('raw.sqlite'))
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.exec('CREATE TABLE entry (item TEXT PRIMARY KEY, payload TEXT)')
    const insert = database.prepare('INSERT INTO entry VALUES (?, ?)')
    const posts = Array.from({ length: POSTS }, (_, number) => makePost(number))
    const rows = posts.map(({ address, payload }) => [address.item, writeXml(payload)])
    const rate = await rateOf(POSTS, () => {
      for (const row of rows) insert.run(...row)
    })
    database.close()
    return rate
  },
}

export const benchmarks = [intoIndex]
