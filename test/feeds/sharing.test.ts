import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { blockOnSite, unblockOnSite } from '#server/feeds/moderation/site-blocks.ts'
import { createOriginals } from '#server/feeds/sharing/originals.ts'
import { findPost, type PostRow } from '#server/store/post.ts'
import { listReposts } from '#server/store/repost.ts'
import { type ItemAddress, writeXmppUri } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, MALLORY, publishTo, ROMEO } from './fixtures.ts'

const ROMEOS = { ...BLOG, service: ROMEO }
const ORIGINAL = itemOf(ROMEOS, 'cafe')
const THREAD = { service: ROMEO, node: 'urn:xmpp:microblog:0:comments/cafe' }

function viaLink(address: ItemAddress, name = ''): string {
  return `<link rel='via' href='${writeXmppUri(address)}'${name && ` title='${name}'`}/>`
}

async function findShared(ctx: TestContext, item: string): Promise<PostRow> {
  const post = await findPost(ctx.index, itemOf(BLOG, item))
  assert.ok(post !== undefined && post !== 'gone')
  return post
}

/** Puts a post on Romeo's own node, which the index does not follow. */
async function publishOriginal(ctx: TestContext, words: Parameters<typeof entryOf>[0] = {}): Promise<void> {
  const romeo = ctx.network.pubsubOf(ROMEO)
  await romeo.createNode(ROMEOS, { access_model: 'open' })
  const more = commentsLink(THREAD)
  await romeo.publishItem(ORIGINAL, entryOf({ title: 'At the café', author: ROMEO, name: 'Romeo', more, ...words }))
}

describe('a repost', () => {
  it('is its publisher’s, and its original is credited once its own node says whose it is', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    await publishOriginal(ctx)
    const payload = entryOf({ author: JULIET, name: 'Juliet', more: viaLink(ORIGINAL, 'Romeo') })
    await publishTo(ctx, itemOf(BLOG, 'share'), { payload, publisher: JULIET })
    const unproved = (await findShared(ctx, 'share')).repost
    assert.deepEqual(unproved?.via, ORIGINAL)
    assert.equal(unproved?.author, undefined)
    assert.equal(unproved?.claimedName, 'Romeo')
    await createOriginals(ctx).readDue()
    const { repost, author } = await findShared(ctx, 'share')
    assert.equal(author?.jid, JULIET)
    assert.deepEqual(repost?.author, { jid: ROMEO, name: 'Romeo' })
    assert.equal(repost?.title, 'At the café')
    assert.deepEqual(repost?.comments, THREAD)
  })

  it('is its publisher’s also where it names the original’s author as its own, as XEP-0277 lets it', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const payload = entryOf({ author: ROMEO, name: 'Romeo', more: viaLink(ORIGINAL) })
    await publishTo(ctx, itemOf(BLOG, 'share'), { payload, publisher: JULIET })
    const { author, credit, claimedName, repost } = await findShared(ctx, 'share')
    assert.deepEqual([author, credit, claimedName], [{ jid: JULIET, name: 'juliet' }, 'credited', undefined])
    assert.deepEqual([repost?.author, repost?.claimedName], [undefined, 'Romeo'])
  })

  it('credits nobody whose own node does not say that they wrote it', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const forged = itemOf({ ...BLOG, service: MALLORY }, 'forged')
    const mallory = ctx.network.pubsubOf(MALLORY)
    await mallory.createNode(forged, { access_model: 'open' })
    await mallory.publishItem(forged, entryOf({ author: ROMEO, name: 'Romeo', more: commentsLink(THREAD) }))
    const payload = entryOf({ author: JULIET, more: viaLink(forged, 'Romeo') })
    await publishTo(ctx, itemOf(BLOG, 'share'), { payload, publisher: JULIET })
    await createOriginals(ctx).readDue()
    const { repost } = await findShared(ctx, 'share')
    assert.deepEqual([repost?.author, repost?.claimedName, repost?.comments], [undefined, 'Romeo', undefined])
  })

  it('has no thread of its own, wherever it says that its comments are', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const thread = { service: JULIET, node: 'urn:xmpp:microblog:0:comments/another' }
    const payload = entryOf({ more: viaLink(ORIGINAL) + commentsLink(thread) })
    await publishTo(ctx, itemOf(BLOG, 'share'), { payload, publisher: JULIET })
    assert.equal((await findShared(ctx, 'share')).comments, undefined)
  })

  it('of itself is a post like any other', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const payload = entryOf({ more: viaLink(itemOf(BLOG, 'share')) })
    await publishTo(ctx, itemOf(BLOG, 'share'), { payload, publisher: JULIET })
    assert.equal((await findShared(ctx, 'share')).repost, undefined)
  })

  it('of a repost of itself leads one step, and no further', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    for (const [item, of] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const payload = entryOf({ title: item, more: viaLink(itemOf(BLOG, of)) })
      await publishTo(ctx, itemOf(BLOG, item), { payload, publisher: JULIET })
    }
    await createOriginals(ctx).readDue()
    assert.equal((await findShared(ctx, 'a')).repost?.title, 'b')
    assert.equal((await findShared(ctx, 'b')).repost?.title, 'a')
  })

  it('is asked for again where its server did not answer, and not at once', async () => {
    await using ctx = await createTestContext()
    ctx.setNow('2026-11-22T12:00:00Z')
    await knowBlog(ctx)
    await publishOriginal(ctx)
    await publishTo(ctx, itemOf(BLOG, 'share'), { payload: entryOf({ more: viaLink(ORIGINAL) }), publisher: JULIET })
    ctx.network.failNext('findItem', new AppError('timeout', 'It does not answer'))
    const originals = createOriginals(ctx)
    await originals.readDue()
    await originals.readDue()
    assert.equal((await findShared(ctx, 'share')).repost?.author, undefined)
    ctx.setNow('2026-11-22T12:11:00Z')
    await originals.readDue()
    assert.equal((await findShared(ctx, 'share')).repost?.author?.jid, ROMEO)
  })

  it('of what the site does not show is not shown either, nor asked for', async () => {
    await using ctx = await createTestContext()
    const operator = { ...ctx, config: { ...ctx.config, operators: [JULIET] } }
    const block = { by: JULIET, address: ROMEO, kind: 'account' } as const
    await knowBlog(ctx)
    await publishOriginal(ctx)
    const share = (item: string) =>
      publishTo(ctx, itemOf(BLOG, item), { payload: entryOf({ more: viaLink(ORIGINAL) }), publisher: JULIET })
    await share('before')
    await blockOnSite(operator, block)
    await share('after')
    await createOriginals(ctx).readDue()
    assert.deepEqual(
      ctx.network.asked.filter(({ method }) => method === 'findItem'),
      [],
    )
    for (const item of ['before', 'after']) assert.equal(await findPost(ctx.index, itemOf(BLOG, item)), undefined)
    await unblockOnSite(operator, block)
    for (const item of ['before', 'after']) assert.ok((await findShared(ctx, item)).repost)
  })

  it('counts once for each person', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    for (const item of ['one', 'two']) {
      await publishTo(ctx, itemOf(BLOG, item), { payload: entryOf({ more: viaLink(ORIGINAL) }), publisher: JULIET })
    }
    const { count, rows } = await listReposts(ctx.index, ORIGINAL, { siteAuthors: [JULIET], limit: 10 })
    assert.deepEqual([count, rows.length], [1, 2])
    assert.equal((await listReposts(ctx.index, ORIGINAL, { siteAuthors: [], limit: 10 })).count, 0)
  })
})
