import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { knowBlogs } from '#server/feeds/known-blogs.ts'
import { type OutboxRow, queueComment, queuePost, queueRemoveComment } from '#server/feeds/outbox.ts'
import { listComments } from '#server/store/comment.ts'
import { addFollow, SITE } from '#server/store/follow.ts'
import { findPost } from '#server/store/post.ts'
import type { PostDraft } from '#shared/entry.ts'
import { NS } from '#shared/ns.ts'
import { isRemovedEntry } from '#shared/removed-entry.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'

const DRAFT: PostDraft = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  describe(`a comment on a post on ${kind}, from another Canto`, () => {
    it('is removed by its writer, or emptied where only the owner may remove it', async () => {
      const end = randomUUID().slice(0, 8)
      await using there = await createRealContext({ home: rig[kind], siteUser: `there-${end}` })
      await using here = await createRealContext({ home: rig.ejabberd, siteUser: `here-${end}` })
      const done = async ({ outbox }: typeof here, row: OutboxRow) => {
        const last = await outbox.settle(row.id, 30_000)
        assert.equal(last.status, 'done', last.problem)
        return last
      }
      const author = await there.signIn(rig[kind], `author-${end}`)
      const reader = await here.signIn(rig.ejabberd, `reader-${end}`)
      for (const ctx of [there, here]) {
        await ctx.indexing.start()
        await ctx.outbox.start()
      }
      const { address } = await done(there, await queuePost(there, { author: author.jid, key: end, draft: DRAFT }))
      const blog = { service: author.jid, node: NS.MICROBLOG }
      await addFollow(here.state, { follower: SITE, address: blog, since: here.clock() })
      await knowBlogs(here)
      here.indexing.watch(blog)
      const thread = await until(async () => {
        const post = await findPost(here.index, address)
        return post === 'gone' ? undefined : post?.comments
      })
      const form = { author: reader.jid, key: end, post: address, text: 'What did I say' }
      const comment = (await done(here, await queueComment(here, form))).address
      for (const ctx of [there, here]) await until(async () => (await listComments(ctx.index, thread)).length === 1)
      const row = await done(here, await queueRemoveComment(here, { by: reader.jid, address: comment }))
      assert.equal(row.reason, kind === 'prosody' ? 'emptied' : undefined)
      const left = (await author.pubsub.findItem(comment))?.payload
      assert.equal(left !== undefined && isRemovedEntry(left), kind === 'prosody')
      assert.doesNotMatch(String(left), /What did I say/)
      for (const ctx of [there, here]) {
        await until(async () => (await listComments(ctx.index, thread)).length === 0)
        await ctx.indexing.reindex()
        assert.equal((await listComments(ctx.index, thread)).length, 0)
      }
    })
  })
}
