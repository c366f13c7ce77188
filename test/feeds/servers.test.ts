import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addAuthor, answerConsent, findConsentQuestion } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import {
  type OutboxRow,
  queueComment,
  queueDelete,
  queuePost,
  queueRemoveComment,
  queueSettings,
} from '#server/feeds/outbox.ts'
import { findBlog } from '#server/store/blog.ts'
import { listComments } from '#server/store/comment.ts'
import { findNode } from '#server/store/node.ts'
import { findPost, listPosts, type PostRow } from '#server/store/post.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

const DRAFT: PostDraft = { title: 'Hello', text: 'A *text*', tags: [], language: 'en', summary: '', comments: true }

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

interface Scene {
  readonly ctx: RealContext
  readonly author: XmppSession
  readonly blog: NodeAddress
}

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  async function open(): Promise<Scene & AsyncDisposable> {
    const end = randomUUID().slice(0, 8)
    const home: RigServer = rig.ejabberd
    const ctx = await createRealContext({ home, siteUser: `site-${end}` })
    const author = await ctx.signIn(rig[kind], `author-${end}`)
    assert.equal((await addAuthor(ctx, author.jid)).kind, 'ready')
    await ctx.indexing.start()
    await ctx.outbox.start()
    await ctx.indexing.idle()
    return { ctx, author, blog: blogOf(author.jid), [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose]() }
  }

  async function settled(ctx: RealContext, row: OutboxRow): Promise<OutboxRow> {
    const last = await ctx.outbox.settle(row.id, 30_000)
    assert.equal(last.status, 'done', last.problem)
    return last
  }

  async function postAt(ctx: RealContext, address: ItemAddress): Promise<PostRow> {
    return until(async () => {
      const post = await findPost(ctx.index, address)
      return post === 'gone' ? undefined : post
    })
  }

  describe(`a blog on ${kind}`, () => {
    it('is made open, published to, edited, heard of and deleted from', async () => {
      await using scene = await open()
      const { ctx, author, blog } = scene
      const config = await author.pubsub.readConfig(blog)
      assert.equal(config.access_model, 'open')
      const node = await until(async () => await findNode(ctx.index, blog))
      assert.equal(node.status, 'open')
      assert.equal(node.subscription, 'subscribed', node.problem)

      const row = await settled(ctx, await queuePost(ctx, { author: author.jid, key: 'a', draft: DRAFT }))
      const post = await postAt(ctx, row.address)
      assert.equal(post.author?.jid, author.jid)
      assert.ok(post.comments)
      const edit = { author: author.jid, key: 'b', edits: row.address, baseUpdated: post.updated }
      await settled(ctx, await queuePost(ctx, { ...edit, draft: { ...DRAFT, text: 'Another' } }))
      const item = await author.pubsub.findItem(row.address)
      assert.match(String(item?.payload), /Another/)

      await author.pubsub.publishItem(itemOf(blog, 'elsewhere'), entryOf({ title: 'By another client' }))
      await postAt(ctx, itemOf(blog, 'elsewhere'))
      await author.pubsub.retractItem(itemOf(blog, 'elsewhere'))
      await until(async () => (await findPost(ctx.index, itemOf(blog, 'elsewhere'))) === 'gone')

      await settled(ctx, await queueDelete(ctx, { author: author.jid, address: row.address }))
      assert.equal(await findPost(ctx.index, row.address), 'gone')
      assert.equal(await author.pubsub.findItem(row.address), undefined)
      await assert.rejects(author.pubsub.readConfig(post.comments))
    })

    it(`takes comments from ${other} and lets their author and the post's remove them`, async () => {
      await using scene = await open()
      const { ctx, author } = scene
      const reader = await ctx.signIn(rig[other], `reader-${randomUUID().slice(0, 8)}`)
      const row = await settled(ctx, await queuePost(ctx, { author: author.jid, key: 'a', draft: DRAFT }))
      const { comments } = await postAt(ctx, row.address)
      assert.ok(comments)
      await until(async () => (await findNode(ctx.index, comments))?.subscription === 'subscribed')
      const count = async () => (await listComments(ctx.index, comments)).length

      const comment = { author: reader.jid, post: row.address, text: 'Hail' }
      const first = await settled(ctx, await queueComment(ctx, { ...comment, key: 'c1' }))
      const second = await settled(ctx, await queueComment(ctx, { ...comment, key: 'c2' }))
      const third = itemOf(comments, `third-${randomUUID()}`)
      await reader.pubsub.publishItem(third, entryOf({ author: reader.jid, title: 'By another client' }))
      await until(async () => (await count()) === 3)
      for (const { author: who, credit } of await listComments(ctx.index, comments)) {
        assert.equal(who?.jid, reader.jid)
        // Of the author's server, which is not the site's, only its word is known.
        assert.equal(credit, kind === 'ejabberd' ? 'credited' : 'according')
      }
      await settled(ctx, await queueRemoveComment(ctx, { by: reader.jid, address: first.address }))
      await settled(ctx, await queueRemoveComment(ctx, { by: author.jid, address: second.address }))
      await until(async () => (await count()) === 1)
      assert.equal(await reader.pubsub.findItem(first.address), undefined)
      assert.equal(await reader.pubsub.findItem(second.address), undefined)
    })

    it('is caught up with after the site was away, and rebuilt from nothing', async () => {
      await using scene = await open()
      const { ctx, author, blog } = scene
      for (const item of ['one', 'two', 'three']) {
        await author.pubsub.publishItem(itemOf(blog, item), entryOf({ title: item }))
        await postAt(ctx, itemOf(blog, item))
      }
      const titles = async () => {
        const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address: blog }, limit: 10 })
        return rows.map(({ title }) => title)
      }
      await ctx.site.pubsub.unsubscribeNode(blog)
      await author.pubsub.retractItem(itemOf(blog, 'two'))
      await author.pubsub.publishItem(itemOf(blog, 'one'), entryOf({ title: 'one, edited' }))
      ctx.indexing.watch(blog)
      await until(async () => (await titles()).sort().join() === 'one, edited,three')
      const rows = async () => {
        const { rows: found } = await listPosts(ctx.index, { scope: { kind: 'blog', address: blog }, limit: 10 })
        // What is read again is no news.
        return found.map((row) => ({ ...row, arrivedAt: undefined }))
      }
      const former = await rows()
      await ctx.indexing.reindex()
      assert.deepEqual(await rows(), former)
    })

    it('has its settings where XMPP clients look', async () => {
      await using scene = await open()
      const { ctx, author, blog } = scene
      const words = { title: 'Verona ♥', description: 'Nights', name: 'Juliet C.', language: 'it' }
      await settled(ctx, await queueSettings(ctx, { author: author.jid, ...words }))
      assert.equal((await findBlog(ctx.index, blog))?.title, 'Verona ♥')
      assert.equal((await findBlog(ctx.index, blog))?.author.name, 'Juliet C.')
      assert.match(String((await author.pubsub.findItem({ ...blog, item: asItemId('0') }))?.payload), /Verona/)
      assert.equal((await author.pubsub.readConfig(blog)).title, 'Verona ♥')
    })

    it('that was there and is not open is opened only with its owner’s word', async () => {
      const end = randomUUID().slice(0, 8)
      await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
      const author = await ctx.signIn(rig[kind], `shy-${end}`)
      const blog = blogOf(author.jid)
      await author.pubsub.createNode(blog, { access_model: 'presence', persist_items: '1', max_items: '10' })
      await author.pubsub.publishItem(itemOf(blog, 'secret'), entryOf({ published: '2026-02-03T00:00:00Z' }))
      const asked = await addAuthor(ctx, author.jid)
      assert.equal(asked.kind, 'needs-consent')
      const [question] = (await findConsentQuestion(ctx, author.jid)) ?? []
      assert.equal(question?.n, 1)
      assert.equal(question?.date?.toISOString(), '2026-02-03T00:00:00.000Z')
      assert.equal((await author.pubsub.readConfig(blog)).access_model, 'presence')
      await ctx.indexing.start()
      await ctx.outbox.start()
      const row = await queuePost(ctx, { author: author.jid, key: 'a', draft: DRAFT })
      const waiting = await ctx.outbox.settle(row.id, 1_000)
      assert.equal(waiting.reason, 'needs-consent')
      assert.equal((await answerConsent(ctx, author.jid, true)).kind, 'ready')
      assert.equal((await author.pubsub.readConfig(blog)).access_model, 'open')
      await postAt(ctx, itemOf(blog, 'secret'))
      await settled(ctx, row)
    })
  })
}
