import Database from 'better-sqlite3'
import { listPosts, type Scope } from '#server/store/post.ts'
import { createTestContext, jidOf } from '#test/support/context.ts'
import { BLOGS, findMillion, POSTS } from './million.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'

const SHOWN = 20

function newest(name: string, scope: Scope, feeds: number): Benchmark {
  return {
    name: `the newest ${SHOWN} of ${POSTS.toLocaleString('en')} posts ${name}, against one look at each and ${SHOWN} rows`,
    unit: 'queries/s',
    async measure() {
      await using ctx = await createTestContext({ indexPath: await findMillion() })
      return await ratePerSecond(() => listPosts(ctx.index, { scope, limit: SHOWN }))
    },
    async limit() {
      const database = new Database(await findMillion(), { readonly: true })
      const nodes = database.prepare(`SELECT id FROM node WHERE kind = 'blog' LIMIT ?`).pluck().all(feeds)
      const posts = database.prepare('SELECT id FROM entry WHERE is_post = 1 LIMIT ?').pluck().all(SHOWN)
      const look = database.prepare('SELECT max(published_at) FROM entry WHERE node_id = ?').pluck()
      const row = database.prepare('SELECT * FROM entry WHERE id = ?')
      const rate = await ratePerSecond(() => {
        for (const node of nodes) look.get(node)
        for (const id of posts) row.get(id)
      })
      database.close()
      return rate
    },
  }
}

export const benchmarks = [
  newest(`of ${BLOGS.length.toLocaleString('en')} followed feeds`, { kind: 'feeds', addresses: BLOGS }, BLOGS.length),
  newest('by one of the authors', { kind: 'site', authors: [jidOf('author-7@capulet.example')] }, 1),
]
