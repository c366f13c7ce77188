import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

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
