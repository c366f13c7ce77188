import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listUnread, markAllRead, markRead } from '#server/people/reading.ts'
import { addFollow, listFollows } from '#server/store/follow.ts'
import { listReadMarks } from '#server/store/read-mark.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { BLOG, itemOf, JULIET, ROMEO } from '../feeds/fixtures.ts'

const GARDEN: NodeAddress = { service: jidOf('pubsub.capulet.example'), node: 'garden' }

/** A post that became news in this second. */
function news(address: NodeAddress, item: string, second: number, author = JULIET) {
  return { address: itemOf(address, item), arrivedAt: new Date(second * 1000), author: { jid: author, name: '' } }
}

async function unreadOf(ctx: TestContext, posts: readonly ReturnType<typeof news>[]): Promise<string[]> {
  const unread = await listUnread(ctx, { jid: ROMEO, follows: await listFollows(ctx.state, ROMEO) }, posts)
  return posts.filter(({ address }) => unread.has(addressKey(address))).map(({ address }) => address.item)
}

async function followingAt(second: number): Promise<TestContext> {
  const ctx = await createTestContext()
  ctx.setNow(new Date(1_000_000))
  await addFollow(ctx.state, { follower: ROMEO, address: BLOG, since: new Date(second * 1000) })
  return ctx
}

describe('unread', () => {
  it('is what arrived since somebody follows, of what they follow, and from somebody else', async () => {
    await using ctx = await followingAt(10)
    const posts = [
      news(BLOG, 'before', 9),
      news(BLOG, 'after', 11),
      news(BLOG, 'own', 12, ROMEO),
      news(GARDEN, 'elsewhere', 13),
    ]
    assert.deepEqual(await unreadOf(ctx, posts), ['after'])
    await addFollow(ctx.state, { follower: ROMEO, address: GARDEN, since: new Date(12_000) })
    assert.deepEqual(await unreadOf(ctx, posts), ['after', 'elsewhere'])
  })

  it('is nothing that was opened, or arrived until everything was read', async () => {
    await using ctx = await followingAt(10)
    const posts = [news(BLOG, 'a', 11), news(BLOG, 'b', 12), news(BLOG, 'c', 13)]
    await markRead(ctx, ROMEO, posts[1] ?? news(BLOG, 'b', 12))
    assert.deepEqual(await unreadOf(ctx, posts), ['a', 'c'])
    await markAllRead(ctx, ROMEO, new Date(12_000))
    assert.deepEqual(await unreadOf(ctx, posts), ['c'])
    await markAllRead(ctx, ROMEO, new Date(11_000))
    assert.deepEqual(await unreadOf(ctx, posts), ['c'], 'never back')
  })

  it('leaves no mark of what is not followed or counts as read, and none that is not needed any more', async () => {
    await using ctx = await followingAt(10)
    const [old, fresh, foreign] = [news(BLOG, 'old', 9), news(BLOG, 'fresh', 11), news(GARDEN, 'foreign', 11)]
    for (const post of [old, fresh, foreign]) await markRead(ctx, ROMEO, post)
    const marks = () =>
      listReadMarks(
        ctx.state,
        ROMEO,
        [old, fresh, foreign].map(({ address }) => address),
      )
    assert.deepEqual([...(await marks())], [addressKey(fresh.address)])
    await markAllRead(ctx, ROMEO, ctx.clock())
    assert.equal((await marks()).size, 0)
  })

  it('is never all that is yet to come, whatever a form says', async () => {
    await using ctx = await followingAt(10)
    await markAllRead(ctx, ROMEO, new Date(8e15))
    assert.deepEqual(await unreadOf(ctx, [news(BLOG, 'next week', 1_000_000)]), ['next week'])
  })
})
