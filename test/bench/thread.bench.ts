import Database from 'better-sqlite3'
import { readThreadPage } from '#server/http/pages/thread-page.ts'
import {
  BLOG,
  commentsLink,
  entryOf,
  itemOf,
  JULIET,
  knowBlog,
  publishTo,
  ROMEO,
  THREAD,
} from '#test/feeds/fixtures.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { growThread } from '#test/support/long-thread.ts'
import { ratePerSecond } from './rate.ts'
import type { Benchmark } from './run.ts'

const COMMENTS = 10_000
const PLACE = { address: itemOf(BLOG, 'balcony'), comments: THREAD }

/** Every comment answers one that came at a tenth of its place: a bushy tree. */
async function fillThread(ctx: TestContext): Promise<void> {
  await knowBlog(ctx)
  await publishTo(ctx, PLACE.address, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  await publishTo(ctx, itemOf(THREAD, 'c0'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
  await growThread(ctx.index, { like: 'c0', count: COMMENTS, answers: `'c' || (n / 10)` })
}

function pageOf(name: string, query: Parameters<typeof readThreadPage>[2]['query']): Benchmark {
  return {
    name: `a page of a thread of ${COMMENTS.toLocaleString('en')} comments ${name}, against reading their dates and parents`,
    unit: 'pages/s',
    async measure() {
      await using ctx = await createTestContext()
      await fillThread(ctx)
      return await ratePerSecond(() => readThreadPage(ctx.index, PLACE, { query }))
    },
    async limit() {
      await using folder = await createTestFolder()
      const path = folder.file('index.sqlite')
      await using ctx = await createTestContext({ indexPath: path })
      await fillThread(ctx)
      const database = new Database(path, { readonly: true })
      const all = database.prepare(
        'SELECT id, item, published_at, reply_service, reply_node, reply_item FROM entry WHERE node_id = (SELECT id FROM node WHERE node = ?) ORDER BY published_at, item',
      )
      const rate = await ratePerSecond(() => all.all(THREAD.node))
      database.close()
      return rate
    },
  }
}

export const benchmarks = [pageOf('as a conversation', { comments: '50' }), pageOf('by date', { view: 'flat' })]
