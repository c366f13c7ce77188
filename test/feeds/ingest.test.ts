import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ingest } from '#server/feeds/ingest.ts'
import { blogTopic, type LiveEvent, postTopic } from '#server/feeds/live.ts'
import { arrangeThread } from '#server/store/arrange-thread.ts'
import { findBlog } from '#server/store/blog.ts'
import { listComments } from '#server/store/comment.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { findPost, listPosts, type PostRow } from '#server/store/post.ts'
import { listThread } from '#server/store/thread.ts'
import type { ItemAddress } from '#shared/address.ts'
import { writeXml } from '#shared/xml.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import {
  BLOG,
  commentsLink,
  entryOf,
  itemOf,
  JULIET,
  knowBlog,
  MALLORY,
  publishTo,
  ROMEO,
  THREAD,
  xml,
} from './fixtures.ts'

const POST = itemOf(BLOG, 'balcony')

async function postAt(ctx: TestContext, address: ItemAddress = POST): Promise<PostRow> {
  const post = await findPost(ctx.index, address)
  assert.ok(post !== undefined && post !== 'gone', 'the post is there')
  return post
}

async function contextWithThread(): Promise<TestContext> {
  const ctx = await createTestContext()
  await knowBlog(ctx)
  await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  return ctx
}

describe('ingest', () => {
  it('stores a post once, however often it arrives', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    assert.equal(await publishTo(ctx, POST, { publisher: `${JULIET}/balcony` }), 'stored')
    assert.equal(await publishTo(ctx, POST, { publisher: JULIET }), 'unchanged')
    assert.equal(await publishTo(ctx, POST), 'unchanged')
    const { rows } = await listPosts(ctx.index, { scope: { kind: 'site', authors: [JULIET] }, limit: 10 })
    assert.equal(rows.length, 1)
    assert.deepEqual(rows[0]?.author, { jid: JULIET, name: 'juliet' })
  })

  it('ignores what comes from a node that nobody asked for', async () => {
    await using ctx = await createTestContext()
    assert.equal(await publishTo(ctx, POST), 'ignored')
    assert.equal(await findPost(ctx.index, POST), undefined)
  })

  it('ignores the items by which Movim probes a node', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    assert.equal(await publishTo(ctx, itemOf(BLOG, 'test_post'), { payload: entryOf() }), 'ignored')
  })

  it('follows an edit, a retraction and a post that comes back', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await publishTo(ctx, POST)
    await publishTo(ctx, POST, { payload: entryOf({ title: 'The garden', updated: '2026-01-03T00:00:00Z' }) })
    const edited = await postAt(ctx)
    assert.equal(edited.title, 'The garden')
    assert.equal(edited.isEdited, true)
    assert.equal(await ingest(ctx, { kind: 'retracted', address: POST }), 'removed')
    assert.equal(await findPost(ctx.index, POST), 'gone')
    assert.equal(await ingest(ctx, { kind: 'retracted', address: POST }), 'ignored')
    await publishTo(ctx, POST)
    assert.equal((await postAt(ctx)).title, 'The balcony')
  })

  it('empties a node that was purged, and says gone of each post of one that was deleted', async () => {
    await using ctx = await contextWithThread()
    await publishTo(ctx, itemOf(BLOG, 'second'))
    assert.equal(await ingest(ctx, { kind: 'purged', address: BLOG }), 'removed')
    assert.equal(await findPost(ctx.index, POST), 'gone')
    assert.equal(await findNode(ctx.index, THREAD), undefined, 'its comments went with it')
    await publishTo(ctx, POST)
    assert.equal(await ingest(ctx, { kind: 'deleted', address: BLOG }), 'removed')
    assert.equal(await findPost(ctx.index, POST), 'gone')
    assert.equal((await findBlog(ctx.index, BLOG))?.status, 'deleted')
  })

  it('takes title, description, language and name of a blog from item 0, which is no post', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const feed = `<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='it'><title>Verona</title>
      <subtitle>Nights</subtitle><updated>2026-01-01T00:00:00Z</updated><author><name>Juliet C.</name></author></feed>`
    assert.equal(await publishTo(ctx, itemOf(BLOG, '0'), { payload: xml(feed) }), 'stored')
    assert.equal(await publishTo(ctx, itemOf(BLOG, '0'), { payload: xml(feed) }), 'unchanged')
    const blog = await findBlog(ctx.index, BLOG)
    assert.equal(blog?.title, 'Verona')
    assert.equal(blog?.description, 'Nights')
    assert.equal(blog?.language, 'it')
    assert.deepEqual(blog?.author, { jid: JULIET, name: 'Juliet C.' })
    assert.equal((await listPosts(ctx.index, { scope: { kind: 'blog', address: BLOG }, limit: 9 })).rows.length, 0)
    const forged = xml(feed.replace('Verona', 'Owned'))
    assert.equal(await publishTo(ctx, itemOf(BLOG, '0'), { payload: forged, publisher: MALLORY }), 'ignored')
    await ingest(ctx, { kind: 'retracted', address: itemOf(BLOG, '0') })
    assert.equal((await findBlog(ctx.index, BLOG))?.title, undefined)
  })

  it('sorts a date still to come as first seen, and takes one without zone for UTC', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    ctx.setNow('2026-06-01T12:00:00Z')
    await publishTo(ctx, itemOf(BLOG, 'future'), { payload: entryOf({ published: '9999-12-31T23:59:59Z' }) })
    await publishTo(ctx, itemOf(BLOG, 'zoneless'), { payload: entryOf({ published: '2026-05-01T10:00:00' }) })
    await publishTo(ctx, itemOf(BLOG, 'ancient'), { payload: entryOf({ published: '0000-01-01T00:00:00Z' }) })
    ctx.setNow('2026-06-02T12:00:00Z')
    await publishTo(ctx, itemOf(BLOG, 'future'), {
      payload: entryOf({ published: '9999-12-31T23:59:59Z', text: 'more' }),
    })
    const future = await postAt(ctx, itemOf(BLOG, 'future'))
    assert.equal(future.published.toISOString(), '2026-06-01T12:00:00.000Z')
    assert.equal(future.updated.toISOString(), '2026-06-02T12:00:00.000Z')
    const zoneless = await postAt(ctx, itemOf(BLOG, 'zoneless'))
    assert.equal(zoneless.published.toISOString(), '2026-05-01T10:00:00.000Z')
    assert.ok((await postAt(ctx, itemOf(BLOG, 'ancient'))).published <= ctx.clock())
  })

  it('tells those who watch a blog and a post what has changed', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const heard: LiveEvent['kind'][] = []
    ctx.live.subscribe(blogTopic(BLOG), ({ kind }) => heard.push(kind))
    ctx.live.subscribe(postTopic(POST), ({ kind }) => heard.push(kind))
    await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }) })
    await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }) })
    assert.deepEqual(heard.splice(0), ['post-added', 'post-added'])
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    await ingest(ctx, { kind: 'retracted', address: itemOf(THREAD, 'c1') })
    assert.deepEqual(heard.splice(0), ['comment-added', 'comment-removed'])
    await publishTo(ctx, itemOf(BLOG, 'old'), {}, { isHistory: true })
    assert.deepEqual(heard, [])
  })

  it('does not let a page read earlier undo what came later', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    ctx.setNow('2026-06-01T12:00:00Z')
    const readAt = ctx.clock()
    ctx.setNow('2026-06-01T12:00:01Z')
    await publishTo(ctx, POST, { payload: entryOf({ title: 'New' }) })
    await publishTo(ctx, POST, { payload: entryOf({ title: 'Old' }) }, { readAt })
    assert.equal((await postAt(ctx)).title, 'New')
    await ingest(ctx, { kind: 'retracted', address: POST })
    await publishTo(ctx, POST, { payload: entryOf({ title: 'Old' }) }, { readAt })
    assert.equal(await findPost(ctx.index, POST), 'gone')
  })
})

describe('comments', () => {
  it('are known once their post is, and counted', async () => {
    await using ctx = await contextWithThread()
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: ROMEO, title: 'Hail' }), publisher: ROMEO })
    assert.equal((await postAt(ctx)).commentCount, 1)
    assert.deepEqual((await postAt(ctx)).comments, THREAD)
    const [comment] = await listComments(ctx.index, THREAD)
    assert.equal(comment?.credit, 'credited')
    assert.deepEqual(comment?.author, { jid: ROMEO, name: 'romeo' })
  })

  it('by Movim are a title alone, and its likes are no comments', async () => {
    await using ctx = await contextWithThread()
    const movim = (title: string) =>
      xml(`<entry xmlns='http://www.w3.org/2005/Atom'><title type='text'>${title}</title><id>i</id>
        <updated>2026-01-02T03:04:05Z</updated><author><uri>xmpp:${ROMEO}</uri></author></entry>`)
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: movim('With love&apos;s light wings'), publisher: ROMEO })
    await publishTo(ctx, itemOf(THREAD, 'like'), { payload: movim('♥'), publisher: ROMEO })
    const comments = await listComments(ctx.index, THREAD)
    assert.equal(comments.length, 1)
    assert.match(comments[0]?.html ?? '', /With love/)
    assert.equal((await postAt(ctx)).commentCount, 1)
  })

  it('without publisher are shown as unverified, also on the account of the post', async () => {
    await using ctx = await contextWithThread()
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: JULIET, name: 'Juliet' }) })
    const [comment] = await listComments(ctx.index, THREAD)
    assert.equal(comment?.credit, 'unverified')
    assert.equal(comment?.author, undefined)
    assert.equal(comment?.claimedName, 'Juliet')
  })

  it('credit nobody when the author is not the publisher', async () => {
    await using ctx = await contextWithThread()
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: ROMEO }), publisher: MALLORY })
    assert.equal((await listComments(ctx.index, THREAD))[0]?.author, undefined)
  })

  it('keep the version of their first publisher when somebody writes over them', async () => {
    await using ctx = await contextWithThread()
    const address = itemOf(THREAD, 'c1')
    await publishTo(ctx, address, { payload: entryOf({ author: ROMEO, text: 'I love' }), publisher: ROMEO })
    for (const publisher of [MALLORY, JULIET, undefined]) {
      const payload = entryOf({ author: ROMEO, text: 'I hate' })
      assert.equal(await publishTo(ctx, address, { payload, publisher }), 'ignored', String(publisher))
    }
    const [comment] = await listComments(ctx.index, THREAD)
    assert.match(comment?.html ?? '', /I love/)
    assert.equal(comment?.author?.jid, ROMEO)
    const node = await findNode(ctx.index, THREAD)
    assert.equal((await findEntry(ctx.index, node?.id ?? 0, address.item))?.overwrites, 3)
    const own = entryOf({ author: ROMEO, text: 'I adore' })
    assert.equal(await publishTo(ctx, address, { payload: own, publisher: ROMEO }), 'stored')
  })

  it('belong to whoever was first, also when two come at once', async () => {
    await using ctx = await contextWithThread()
    const address = itemOf(THREAD, 'c1')
    const publish = (publisher: string) =>
      publishTo(ctx, address, { payload: entryOf({ author: publisher }), publisher })
    assert.deepEqual(await Promise.all([publish(ROMEO), publish(MALLORY)]), ['stored', 'ignored'])
    assert.equal((await listComments(ctx.index, THREAD))[0]?.author?.jid, ROMEO)
  })

  it('become verified when the service names the publisher that they claim', async () => {
    await using ctx = await contextWithThread()
    const address = itemOf(THREAD, 'c1')
    await publishTo(ctx, address, { payload: entryOf({ author: ROMEO }) })
    await publishTo(ctx, address, { payload: entryOf({ author: MALLORY }), publisher: MALLORY })
    assert.equal((await listComments(ctx.index, THREAD))[0]?.author, undefined)
    await publishTo(ctx, address, { payload: entryOf({ author: ROMEO }), publisher: ROMEO })
    assert.equal((await listComments(ctx.index, THREAD))[0]?.author?.jid, ROMEO)
  })

  it('are not followed to a node that the author of the post cannot speak for', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const foreign = { service: MALLORY, node: 'urn:xmpp:microblog:0:comments/x' }
    await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(foreign) }) })
    assert.equal((await postAt(ctx)).comments, undefined)
    assert.equal(await findNode(ctx.index, foreign), undefined)
  })

  it('stand under what they name by its atom:id alone (RFC 4685), whichever came first', async () => {
    await using ctx = await contextWithThread()
    const say = (item: string, minute: number, more = '', id = `tag:montague.example,2026:${item}`) => {
      const entry = writeXml(entryOf({ published: `2026-01-02T00:0${minute}:00Z`, text: item, more }))
      const payload = xml(entry.replace('<id>x</id>', `<id>${id}</id>`))
      return publishTo(ctx, itemOf(THREAD, item), { payload, publisher: ROMEO })
    }
    const reply = (ref: string) => `<in-reply-to xmlns='http://purl.org/syndication/thread/1.0' ref='${ref}'/>`
    await say('early', 1, reply('tag:montague.example,2026:parent'))
    await say('parent', 2)
    await say('late', 3, reply('tag:montague.example,2026:parent'))
    await say('imitation', 4, '', 'tag:montague.example,2026:parent')
    await say('after', 5, reply('tag:montague.example,2026:parent'))
    await say('itself', 6, reply('tag:montague.example,2026:itself'))
    const lines = await listThread(ctx.index, { address: itemOf(BLOG, 'post'), comments: THREAD })
    assert.deepEqual(
      arrangeThread(lines).map(({ line, depth }) => [line.item, depth]),
      [
        ['parent', 0],
        ['early', 1],
        ['late', 1],
        ['after', 1],
        ['imitation', 0],
        ['itself', 0],
      ],
    )
  })

  it('stand under what they answer, and a circle of answers hides none', async () => {
    await using ctx = await contextWithThread()
    const reply = (to: string) =>
      `<in-reply-to xmlns='http://purl.org/syndication/thread/1.0' ref='${to}' href='xmpp:${JULIET}?;node=${THREAD.node};item=${to}'/>`
    const say = (item: string, minute: number, more = '') =>
      publishTo(ctx, itemOf(THREAD, item), {
        payload: entryOf({ published: `2026-01-02T00:0${minute}:00Z`, text: item, more }),
        publisher: ROMEO,
      })
    await say('first', 1)
    await say('second', 2)
    await say('answer', 3, reply('first'))
    await say('deeper', 4, reply('answer'))
    await say('egg', 5, reply('hen'))
    await say('hen', 6, reply('egg'))
    const lines = await listThread(ctx.index, { address: itemOf(BLOG, 'post'), comments: THREAD })
    assert.deepEqual(
      arrangeThread(lines).map(({ line, depth }) => [line.item, depth]),
      [
        ['first', 0],
        ['answer', 1],
        ['deeper', 2],
        ['second', 0],
        ['egg', 0],
        ['hen', 0],
      ],
    )
  })
})
