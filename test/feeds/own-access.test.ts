import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { saveOwnAccess } from '#server/store/own-access.ts'
import { findPost } from '#server/store/post.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { BLOG, entryOf, itemOf, JULIET, ROMEO } from './fixtures.ts'

const START = new Date('2026-03-01T12:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const later = (ctx: TestContext, milliseconds: number) => ctx.setNow(new Date(ctx.clock().getTime() + milliseconds))
const statusOf = async (ctx: TestContext) => (await findNode(ctx.index, BLOG))?.status
const publish = (ctx: TestContext, item: string) =>
  ctx.network.pubsubOf(JULIET).publishItem(itemOf(BLOG, item), entryOf({ title: item, author: JULIET }))

async function readAgain(ctx: TestContext): Promise<void> {
  ctx.indexing.watch(BLOG)
  await ctx.indexing.idle()
}

/** Juliet’s blog, which the site account may read, as her session read it just before she signed out. */
async function createScene({ accessModel, isContact }: { accessModel: string; isContact: boolean }) {
  const ctx = await createTestContext()
  ctx.setNow(START)
  if (isContact) ctx.site.contacts.add(JULIET)
  const owner = ctx.network.pubsubOf(JULIET)
  await owner.createNode(BLOG, { access_model: accessModel, max_items: 'max' })
  await owner.setAffiliation(BLOG, ctx.siteJid, 'member')
  await publish(ctx, 'first')
  await addFollow(ctx.state, { follower: ROMEO, address: BLOG, since: START })
  await saveOwnAccess(ctx.state, BLOG, { accessModel, now: ctx.clock() })
  // A server that tells nothing of an account.
  const tell = (model: string | undefined) => {
    const readInfo = ctx.site.disco.readInfo.bind(ctx.site.disco)
    ctx.site.disco.readInfo = async (service, node) => {
      if (service !== JULIET || model === undefined) return readInfo(service, node)
      const fields = new Map([['pubsub#access_model', [model]]])
      return { identities: [], features: new Set(), forms: new Map([[NS.PUBSUB_META_DATA, fields]]) }
    }
  }
  ctx.site.pubsub.listAffiliations = async () => []
  await ctx.indexing.start()
  await ctx.indexing.idle()
  return { ctx, owner, tell, [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose]() }
}

describe('what the owner’s session read of a blog before she signed out', () => {
  it('keeps a blog open that she closes for her contacts for an hour at most', async () => {
    await using scene = await createScene({ accessModel: 'open', isContact: true })
    const { ctx, owner } = scene
    assert.equal(await statusOf(ctx), 'open')
    await owner.configureNode(BLOG, { access_model: 'presence' })
    later(ctx, HOUR - MINUTE)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
    later(ctx, MINUTE)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'first')), undefined)
  })

  it('shows nobody what an event brings after that hour, before the node is read again', async () => {
    await using scene = await createScene({ accessModel: 'open', isContact: true })
    const { ctx, owner } = scene
    await owner.configureNode(BLOG, { access_model: 'presence' })
    later(ctx, HOUR)
    await publish(ctx, 'secret')
    await ctx.indexing.idle()
    assert.equal(typeof (await findPost(ctx.index, itemOf(BLOG, 'secret'), 'restricted')), 'object')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'secret')), undefined)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('leaves the blog open of somebody who rarely signs in and is no contact of the site', async () => {
    await using scene = await createScene({ accessModel: 'open', isContact: false })
    const { ctx } = scene
    for (let month = 0; month < 3; month++) {
      later(ctx, 30 * 24 * HOUR)
      await publish(ctx, `month-${month}`)
      await readAgain(ctx)
      assert.equal(await statusOf(ctx), 'open')
    }
  })

  it('leaves the blog of a contact open as long as the account’s server says that it is', async () => {
    await using scene = await createScene({ accessModel: 'open', isContact: true })
    const { ctx, tell } = scene
    tell('open')
    later(ctx, 25 * HOUR)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
    tell('presence')
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('opens a closed blog when the account’s server says that it is open, an hour after the owner’s word', async () => {
    await using scene = await createScene({ accessModel: 'whitelist', isContact: false })
    const { ctx, owner, tell } = scene
    assert.equal(await statusOf(ctx), 'restricted')
    later(ctx, 2 * HOUR)
    await readAgain(ctx)
    // Where nobody tells, it stays as its owner last said.
    assert.equal(await statusOf(ctx), 'restricted')
    await owner.configureNode(BLOG, { access_model: 'open' })
    tell('open')
    later(ctx, 25 * HOUR)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
  })

  it('opens a blog that was for contacts once the site account, which is none, reads it', async () => {
    await using scene = await createScene({ accessModel: 'presence', isContact: true })
    const { ctx, owner } = scene
    assert.equal(await statusOf(ctx), 'restricted')
    ctx.site.contacts.delete(JULIET)
    later(ctx, 2 * HOUR)
    await owner.setAffiliation(BLOG, ctx.siteJid, 'none')
    await readAgain(ctx)
    assert.notEqual(await statusOf(ctx), 'open')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'first')), undefined)
    await owner.configureNode(BLOG, { access_model: 'open' })
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
  })

  it('is never shown before it is known that the site account may still read it', async () => {
    await using scene = await createScene({ accessModel: 'presence', isContact: true })
    const { ctx, owner } = scene
    ctx.site.contacts.delete(JULIET)
    await ctx.state.deleteFrom('ownAccess').execute()
    await owner.setAffiliation(BLOG, ctx.siteJid, 'none')
    const shown: unknown[] = []
    const { pages } = ctx.site.pubsub
    ctx.site.pubsub.pages = async function* (...args) {
      shown.push(await findPost(ctx.index, itemOf(BLOG, 'first')))
      yield* pages(...args)
    }
    await readAgain(ctx)
    assert.deepEqual(shown, [undefined])
  })

  it('is read again every ten minutes while she is signed in', async () => {
    await using scene = await createScene({ accessModel: 'open', isContact: true })
    const { ctx, owner } = scene
    const session = ctx.signIn(JULIET)
    await ctx.permits.ask(session)
    await owner.configureNode(BLOG, { access_model: 'presence' })
    later(ctx, 10 * MINUTE)
    await ctx.permits.ask(session)
    assert.equal(await statusOf(ctx), 'restricted')
    await owner.configureNode(BLOG, { access_model: 'open' })
    later(ctx, 10 * MINUTE)
    await ctx.permits.ask(session)
    assert.equal(await statusOf(ctx), 'open')
  })
})
