import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/blog-of.ts'
import { queuePost } from '#server/feeds/queue.ts'
import { addFollow } from '#server/store/follow.ts'
import { listPosts } from '#server/store/post.ts'
import { jidOf } from '../support/context.ts'
import { startLibervia } from '../support/libervia-client.ts'
import { createRealContext } from '../support/real-context.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { until } from '../support/until.ts'

describe('a whole Libervia', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig?.stop())

  for (const kind of ['ejabberd', 'prosody'] as const) {
    it(`on ${kind} reads what Canto writes, and Canto what it writes`, async () => {
      const end = randomUUID().slice(0, 8)
      const user = `goffi-${end}`
      await rig[kind].register(user, `password of ${user}`)
      await using libervia = await startLibervia(rig[kind], user)
      await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
      const juliet = await ctx.signIn(rig.ejabberd, `juliet-${end}`)
      await addAuthor(ctx, juliet.jid)
      const blog = blogOf(jidOf(`${user}@${rig[kind].domain}`))
      // Its own way to make the node leaves it to contacts, on a server that does so.
      const fields = ['access_model', 'open', '-f', 'presence_based_delivery', 'false', '-f', 'max_items', '100']
      await libervia.run(['pubsub', 'node', 'create', '-n', blog.node, '-f', ...fields])
      await libervia.run(
        ['blog', 'set', '-T', 'From Libervia', '-t', 'tried', '-S', 'XHTML'],
        '<p>Hail <strong>Canto</strong></p>',
      )
      await addFollow(ctx.state, { follower: '', address: blog, since: ctx.clock() })
      await ctx.indexing.start()
      await ctx.outbox.start()

      const posts = async () => (await listPosts(ctx.index, { scope: { kind: 'blog', address: blog }, limit: 9 })).rows
      const [post] = await until(async () => ((await posts()).length > 0 ? posts() : undefined))
      assert.equal(post?.title, 'From Libervia')
      assert.equal(post?.author?.jid, blog.service)
      assert.deepEqual(post?.tags, ['tried'])
      assert.match(post?.html ?? '', /<strong>Canto<\/strong>/)

      const draft = { title: 'From Canto', text: 'Hail *Libervia*', tags: ['tried'], language: 'en', summary: '' }
      const row = await queuePost(ctx, { author: juliet.jid, key: 'a', draft: { ...draft, comments: true } })
      assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
      const where = ['-s', juliet.jid, '-n', blog.node, '-i', row.address.item]
      const read = await libervia.run(['blog', 'get', ...where, '-O', 'json-raw'])
      assert.match(read, /From Canto/)
      assert.match(read, /<em>Libervia<\/em>/)
      assert.match(read, new RegExp(`"author_jid": ?"${juliet.jid}`))
    })
  }
})
