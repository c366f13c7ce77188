import assert from 'node:assert/strict'
import { it } from 'node:test'
import { CONVERSATIONS_TOPIC } from '#server/feeds/live.ts'
import { createNotifier } from '#server/feeds/notify/notifier.ts'
import { scanNews } from '#server/feeds/notify/scan.ts'
import { saveAccount } from '#server/store/account.ts'
import { listNotifications } from '#server/store/notification.ts'
import { listThread } from '#server/store/thread.ts'
import { createTestContext } from '#test/support/context.ts'
import { growThread } from '#test/support/long-thread.ts'
import { watchTurns } from '#test/support/turns.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from '../fixtures.ts'

const COMMENTS = 10_000

it('10,000 comments at once are told of, and read as a thread, while others have their turns', async () => {
  await using ctx = await createTestContext()
  await saveAccount(ctx.state, { jid: JULIET, userAgentId: JULIET, createdAt: ctx.clock() })
  await knowBlog(ctx)
  const post = entryOf({ author: JULIET, more: commentsLink(THREAD), published: ctx.clock().toISOString() })
  await publishTo(ctx, itemOf(BLOG, 'balcony'), { payload: post, publisher: JULIET })
  await scanNews(ctx)
  const comment = entryOf({ author: ROMEO, title: 'Lady', published: ctx.clock().toISOString() })
  await publishTo(ctx, itemOf(THREAD, 'first'), { payload: comment, publisher: ROMEO })
  await growThread(ctx.index, { like: 'first', count: COMMENTS - 1, answers: "'first'", isNews: true })

  const told = await watchTurns(() => scanNews(ctx))
  console.log(`# told in ${told.total.toFixed()} ms, ${told.count} turns, the longest ${told.longest.toFixed()} ms`)
  assert.equal((await listNotifications(ctx.state, JULIET, { limit: 2_000 })).length, 1_000)
  assert.ok(told.longest < told.total / 5, `${told.longest} ms of ${told.total} ms in one piece`)

  const place = { address: itemOf(BLOG, 'balcony'), comments: THREAD }
  const read = await watchTurns(async () => assert.equal((await listThread(ctx.index, place)).length, COMMENTS))
  console.log(`# read in ${read.total.toFixed()} ms, ${read.count} turns, the longest ${read.longest.toFixed()} ms`)
  // A turn comes after 10 ms of work, and a statement may take some more.
  assert.ok(read.count >= read.total / 50, `${read.count} turns in ${read.total} ms`)
})

it('1,000 comments that changed at once are looked at again while others have their turns', async () => {
  await using ctx = await createTestContext()
  await saveAccount(ctx.state, { jid: JULIET, userAgentId: JULIET, createdAt: ctx.clock() })
  await knowBlog(ctx)
  const post = entryOf({ author: JULIET, more: commentsLink(THREAD), published: ctx.clock().toISOString() })
  await publishTo(ctx, itemOf(BLOG, 'balcony'), { payload: post, publisher: JULIET })
  const comment = entryOf({ author: ROMEO, title: 'Lady', published: ctx.clock().toISOString() })
  await publishTo(ctx, itemOf(THREAD, 'first'), { payload: comment, publisher: ROMEO })
  await growThread(ctx.index, { like: 'first', count: 999, isNews: true })
  const notifier = createNotifier({ ...ctx, people: () => [] })
  await using stack = new AsyncDisposableStack()
  stack.defer(() => notifier.stop())
  notifier.start()
  await notifier.idle()
  for (let n = 1; n <= 1_000; n++) {
    const address = itemOf(THREAD, n === 1_000 ? 'first' : `c${n}`)
    ctx.live.publish(CONVERSATIONS_TOPIC, { kind: 'comment-changed', address })
  }
  const looked = await watchTurns(() => notifier.idle())
  console.log(
    `# looked at in ${looked.total.toFixed()} ms, ${looked.count} turns, the longest ${looked.longest.toFixed()} ms`,
  )
  assert.equal((await listNotifications(ctx.state, JULIET, { limit: 2_000 })).length, 1_000)
  assert.ok(looked.longest < looked.total / 5, `${looked.longest} ms of ${looked.total} ms in one piece`)
})
