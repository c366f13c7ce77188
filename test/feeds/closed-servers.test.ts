import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { saveOwnAccess } from '#server/store/own-access.ts'
import { findPost } from '#server/store/post.ts'
import { hasUnshown, listThread } from '#server/store/thread.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, type RigServer, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { commentsLink, entryOf, itemOf } from './fixtures.ts'

describe('a blog for contacts on a real server', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig({ servers: ['ejabberd'] })
  })
  after(() => rig.stop())

  it('is read by the site account, and shown to the contacts alone who follow it, while it is so', async () => {
    const end = randomUUID().slice(0, 8)
    const [site, owner] = [`site-${end}`, `owner-${end}`]
    await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: site })
    const author = await ctx.signIn(rig.ejabberd, owner)
    const friend = await ctx.signIn(rig.ejabberd, `friend-${end}`)
    const stranger = await ctx.signIn(rig.ejabberd, `stranger-${end}`)
    await rig.ejabberd.befriend?.(owner, site)
    await rig.ejabberd.befriend?.(owner, `friend-${end}`)
    await ctx.signOut(author.jid)
    const blog: NodeAddress = { service: author.jid, node: NS.MICROBLOG }
    const again = await ctx.signIn(rig.ejabberd, owner)
    await again.pubsub.createNode(blog, { access_model: 'presence', max_items: '100' })
    await again.pubsub.publishItem(itemOf(blog, 'one'), entryOf({ title: 'one', author: author.jid }))
    for (const { jid } of [friend, stranger]) {
      await addFollow(ctx.state, { follower: jid, address: blog, since: ctx.clock() })
    }
    await ctx.indexing.start()
    await until(async () => (await findPost(ctx.index, itemOf(blog, 'one'), 'restricted')) !== undefined)
    assert.equal((await findNode(ctx.index, blog))?.status, 'restricted')
    assert.equal(await findPost(ctx.index, itemOf(blog, 'one')), undefined)
    for (const session of [friend, stranger]) await ctx.permits.ask(session)
    assert.equal(ctx.permits.has(friend.jid, blog), true)
    assert.equal(ctx.permits.has(stranger.jid, blog), false)

    await again.pubsub.configureNode(blog, { access_model: 'open' })
    await ctx.permits.ask(again)
    await until(async () => (await findNode(ctx.index, blog))?.status === 'open')
    assert.equal(typeof (await findPost(ctx.index, itemOf(blog, 'one'))), 'object')
  })
})

describe('a blog with a whitelist, whose owner is no contact of the site and never signs in', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  for (const home of ['ejabberd', 'prosody'] as const) {
    it(`is known by the site account’s own affiliation, where that is on ${home}`, async () => {
      const end = randomUUID().slice(0, 8)
      await using ctx = await createRealContext({ home: rig[home], siteUser: `site-${end}` })
      const { session: owner, blog, comments } = await createClosedBlog(ctx, rig.ejabberd, `owner-${end}`)
      const friend = await ctx.signIn(rig.prosody, `friend-${end}`)
      const stranger = await ctx.signIn(rig.prosody, `stranger-${end}`)
      for (const address of [blog, comments])
        for (const jid of [ctx.site.jid, friend.jid]) await owner.pubsub.setAffiliation(address, jid, 'member')
      const comment = entryOf({ title: 'Hear me', text: 'Hear me', author: owner.jid })
      await owner.pubsub.publishItem(itemOf(comments, 'c1'), comment)
      await ctx.signOut(owner.jid)
      for (const { jid } of [friend, stranger])
        await addFollow(ctx.state, { follower: jid, address: blog, since: ctx.clock() })
      await ctx.indexing.start()
      const place = { address: itemOf(blog, 'one'), comments }
      await until(async () => hasUnshown(ctx.index, place))
      for (const address of [blog, comments]) assert.equal((await findNode(ctx.index, address))?.status, 'restricted')
      assert.equal(await findPost(ctx.index, itemOf(blog, 'one')), undefined)
      assert.deepEqual(await listThread(ctx.index, place), [])
      for (const { jid } of [friend, stranger]) ctx.permits.look(jid, [comments])
      await until(() => ctx.permits.has(friend.jid, comments))
      for (const session of [friend, stranger]) await ctx.permits.ask(session)
      assert.equal(ctx.permits.has(friend.jid, blog), true)
      for (const address of [blog, comments]) assert.equal(ctx.permits.has(stranger.jid, address), false)
      const reader = { jid: friend.jid, readable: [comments] }
      assert.equal((await listThread(ctx.index, place, reader)).length, 1)
    })
  }

  it('is shown to its owner, and to who proves it, on Prosody too once the owner’s session said so', async () => {
    const end = randomUUID().slice(0, 8)
    await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    const { session: owner, blog, comments } = await createClosedBlog(ctx, rig.prosody, `owner-${end}`)
    const friend = await ctx.signIn(rig.ejabberd, `friend-${end}`)
    const stranger = await ctx.signIn(rig.ejabberd, `stranger-${end}`)
    for (const address of [blog, comments])
      for (const jid of [ctx.site.jid, friend.jid]) await owner.pubsub.setAffiliation(address, jid, 'member')
    await owner.pubsub.publishItem(itemOf(comments, 'c1'), entryOf({ title: 'Hear me', author: owner.jid }))
    for (const address of [blog, comments])
      await saveOwnAccess(ctx.state, address, { accessModel: 'whitelist', now: ctx.clock() })
    await addFollow(ctx.state, { follower: friend.jid, address: blog, since: ctx.clock() })
    await ctx.indexing.start()
    await until(async () => hasUnshown(ctx.index, { address: itemOf(blog, 'one'), comments }))
    for (const { jid } of [friend, stranger]) ctx.permits.look(jid, [comments])
    await until(() => ctx.permits.has(friend.jid, comments))
    await ctx.permits.ask(stranger)
    assert.equal(ctx.permits.has(stranger.jid, comments), false)
  })
})

/** With one post, which links to comments for members too. */
async function createClosedBlog(ctx: RealContext, server: RigServer, user: string) {
  const session = await ctx.signIn(server, user)
  const blog: NodeAddress = { service: session.jid, node: NS.MICROBLOG }
  const comments: NodeAddress = { service: session.jid, node: 'urn:xmpp:microblog:0:comments/one' }
  const config = { access_model: 'whitelist', itemreply: 'publisher', max_items: '100' }
  await session.pubsub.createNode(blog, config)
  await session.pubsub.createNode(comments, { ...config, publish_model: 'open' })
  const post = entryOf({ title: 'one', author: session.jid, more: commentsLink(comments) })
  await session.pubsub.publishItem(itemOf(blog, 'one'), post)
  return { session, blog, comments }
}
