import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { startRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

/** What Prosody keeps of a node on an account, unless its operator says otherwise. */
const MOST = 256

describe('a blog on Prosody with its own limits', () => {
  it('keeps on the site what its server trimmed, and loses what was retracted', async () => {
    await using rig = await startRig({ servers: ['prosody'], stock: true })
    await using ctx = await createRealContext({ home: rig.prosody, siteUser: 'site' })
    const author = await ctx.signIn(rig.prosody, 'author')
    await addAuthor(ctx, author.jid)
    const blog = blogOf(author.jid)
    const publish = (i: number) => {
      const published = new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString()
      return author.pubsub.publishItem(itemOf(blog, `post-${i}`), entryOf({ published }))
    }
    for (let i = 0; i < MOST; i++) await publish(i)
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const count = async () =>
      (await listPosts(ctx.index, { scope: { kind: 'blog', address: blog }, limit: 2 * MOST })).rows.length
    assert.equal(await count(), MOST)

    await ctx.site.pubsub.unsubscribeNode(blog)
    await author.pubsub.retractItem(itemOf(blog, 'post-100'))
    for (let i = MOST; i < MOST + 5; i++) await publish(i)
    // Prosody counts nothing and lists no ids of an account: only a reading of all shows what is gone.
    ctx.indexing.readWhole(blog)
    await until(async () => (await findPost(ctx.index, itemOf(blog, 'post-100'))) === 'gone')
    await ctx.indexing.idle()
    for (const trimmed of ['post-0', 'post-3']) {
      assert.equal(
        await author.pubsub.findItem(itemOf(blog, trimmed)),
        undefined,
        `${trimmed} is no longer in the node`,
      )
      assert.equal(typeof (await findPost(ctx.index, itemOf(blog, trimmed))), 'object', `${trimmed} is still here`)
    }
    assert.equal(await count(), MOST + 4)
  })
})
