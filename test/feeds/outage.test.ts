import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { queuePost } from '#server/feeds/outbox.ts'
import { findBlog } from '#server/store/blog.ts'
import { listComments } from '#server/store/comment.ts'
import { findNode } from '#server/store/node.ts'
import { findPost, listPosts } from '#server/store/post.ts'
import { comments } from '#shared/profiles/index.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, startRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { commentsLink, entryOf, itemOf } from './fixtures.ts'

const DRAFT = { title: 'Written in the dark', text: 'x', tags: [], language: 'en', summary: '', comments: true }

describe('an outage', () => {
  let rig: Rig
  let end: string
  before(async () => {
    rig = await startRig()
  })
  beforeEach(() => {
    end = randomUUID().slice(0, 8)
  })
  after(() => rig.stop())

  it('of the site’s server loses nothing that happens on another server meanwhile', async () => {
    await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    const author = await ctx.signIn(rig.prosody, `author-${end}`)
    await addAuthor(ctx, author.jid)
    const blog = blogOf(author.jid)
    const publish = (item: string, day: number, title = item) =>
      author.pubsub.publishItem(itemOf(blog, item), entryOf({ title, published: `2026-01-0${day}T00:00:00Z` }))
    const titles = async () => {
      const { rows } = await listPosts(ctx.index, { scope: { kind: 'blog', address: blog }, limit: 20 })
      return rows.map(({ title }) => title).join()
    }
    for (const [i, item] of ['one', 'two', 'three'].entries()) await publish(item, i + 1)
    await ctx.indexing.start()
    await until(async () => (await titles()) === 'three,two,one')

    await rig.ejabberd.stop()
    await until(() => ctx.site.status !== 'online')
    await author.pubsub.retractItem(itemOf(blog, 'two'))
    await publish('one', 1, 'one, edited')
    await publish('four', 4)
    await rig.ejabberd.start()
    await until(async () => (await titles()) === 'four,three,one, edited', { timeout: 60_000, what: 'the catch-up' })
    assert.equal(await findPost(ctx.index, itemOf(blog, 'two')), 'gone')
  })

  it('of the author’s server leaves the blog as it is, and what was written goes out afterwards', async () => {
    await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    const author = await ctx.signIn(rig.prosody, `author-${end}`)
    await addAuthor(ctx, author.jid)
    const blog = blogOf(author.jid)
    await author.pubsub.publishItem(itemOf(blog, 'one'), entryOf({ title: 'one' }))
    await ctx.indexing.start()
    await ctx.outbox.start()
    await until(async () => (await findPost(ctx.index, itemOf(blog, 'one'))) !== undefined)
    // What is asked of a server while it stops waits 30 s for its answer.
    await ctx.indexing.idle()

    await rig.prosody.stop()
    await until(() => author.status !== 'online')
    const row = await queuePost(ctx, { author: author.jid, key: 'a', draft: DRAFT })
    ctx.indexing.watch(blog)
    await ctx.indexing.idle()
    assert.equal((await findBlog(ctx.index, blog))?.status, 'open')
    assert.equal(typeof (await findPost(ctx.index, itemOf(blog, 'one'))), 'object')
    assert.equal((await ctx.outbox.settle(row.id, 100)).status, 'waiting')
    await rig.prosody.start()
    const last = await ctx.outbox.settle(row.id, 150_000)
    assert.equal(last.status, 'done', last.problem)
    assert.ok(await author.pubsub.findItem(row.address))
  })

  it('of all federation, as by s2s_access on the site’s own server, takes nothing out of the index', async () => {
    await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    const author = await ctx.signIn(rig.prosody, `author-${end}`)
    await addAuthor(ctx, author.jid)
    const blog = blogOf(author.jid)
    const thread = { service: author.jid, node: 'urn:xmpp:microblog:0:comments/one' }
    await author.pubsub.createNode(thread, comments.config)
    const post = entryOf({ title: 'one', more: commentsLink(thread) })
    await author.pubsub.publishItem(itemOf(blog, 'one'), post)
    await author.pubsub.publishItem(itemOf(thread, 'c1'), entryOf({ author: author.jid }))
    await ctx.indexing.start()
    await until(async () => (await listComments(ctx.index, thread)).length === 1)

    await rig.ejabberd.reconfigure({ s2s_access: 'none' })
    const isRefused = async () => (await findNode(ctx.index, blog))?.problem?.includes('does not allow')
    await until(isRefused, { timeout: 60_000, what: 'the refusal of our own server' })
    ctx.indexing.watch(thread)
    await until(async () => (await findNode(ctx.index, thread))?.problem?.includes('does not allow'))
    await ctx.indexing.idle()
    assert.equal((await findBlog(ctx.index, blog))?.status, 'open')
    assert.equal(typeof (await findPost(ctx.index, itemOf(blog, 'one'))), 'object')
    assert.equal((await listComments(ctx.index, thread)).length, 1)

    await rig.ejabberd.reconfigure({})
    await author.pubsub.publishItem(itemOf(blog, 'two'), entryOf({ title: 'two' }))
    const isCaughtUp = async () => typeof (await findPost(ctx.index, itemOf(blog, 'two'))) === 'object'
    await until(isCaughtUp, { timeout: 60_000, what: 'the catch-up' })
  })
})
