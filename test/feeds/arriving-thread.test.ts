import assert from 'node:assert/strict'
import { it } from 'node:test'
import { countEntries } from '#server/store/entry.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { BASE_CONFIG } from '#shared/profiles/profile.ts'
import { createTestContext } from '#test/support/context.ts'
import { watchTurns } from '#test/support/turns.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, ROMEO, THREAD } from './fixtures.ts'

const COMMENTS = 2_000

it(`${COMMENTS} comments that arrive with their post let others have their turns`, async () => {
  await using ctx = await createTestContext()
  const pubsub = ctx.network.pubsubOf(JULIET)
  await pubsub.createNode(THREAD, BASE_CONFIG)
  for (let n = 0; n < COMMENTS; n++) {
    const inReplyTo =
      n === 0 ? '' : `<thr:in-reply-to xmlns:thr='http://purl.org/syndication/thread/1.0' ref='c${n - 1}'/>`
    await pubsub.publishItem(itemOf(THREAD, `c${n}`), entryOf({ author: ROMEO, title: `Lady ${n}`, more: inReplyTo }))
  }
  await pubsub.createNode(BLOG, BASE_CONFIG)
  await pubsub.publishItem(itemOf(BLOG, 'balcony'), entryOf({ more: commentsLink(THREAD) }))
  await addFollow(ctx.state, { follower: SITE, address: BLOG, since: ctx.clock() })
  const count = async () => {
    const thread = await findNode(ctx.index, THREAD)
    return thread && (await countEntries(ctx.index, thread.id))
  }
  const arrival = await watchTurns(async () => {
    await ctx.indexing.start()
    await until(async () => (await count()) === COMMENTS, { what: 'the whole thread', timeout: 120_000 })
  })
  console.log(`# ${arrival.total.toFixed()} ms, ${arrival.count} turns, the longest ${arrival.longest.toFixed()} ms`)
  assert.ok(arrival.longest < arrival.total / 10, `${arrival.longest} ms of ${arrival.total} ms in one piece`)
})
