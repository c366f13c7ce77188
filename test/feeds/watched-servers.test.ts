import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { NodeConfig } from '#server/xmpp/ports.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf } from './fixtures.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The blog of a contact of the site account on ejabberd, made by another client of hers with that access model. */
async function open(rig: Rig, accessModel: string) {
  const end = randomUUID().slice(0, 8)
  const [siteUser, owner, friend] = ['site', 'owner', 'friend'].map((name) => `${name}-${end}`) as [
    string,
    string,
    string,
  ]
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTestFolder())
  let now = new Date()
  const parts = {
    ...{ home: rig.ejabberd, siteUser, clock: () => now },
    ...folder.databases,
  }
  let ctx = await createRealContext(parts)
  stack.defer(() => ctx[Symbol.asyncDispose]())
  await rig.ejabberd.register(owner, `password of ${owner}`)
  for (const other of [siteUser, friend]) {
    if (other === friend) await rig.ejabberd.register(friend, `password of ${friend}`)
    await rig.ejabberd.befriend?.(owner, other)
  }
  const client = stack.use(openTestSession(rig.ejabberd, owner))
  await client.whenOnline(30_000)
  const blog: NodeAddress = { service: client.jid, node: NS.MICROBLOG }
  await client.pubsub.createNode(blog, { access_model: accessModel, max_items: '100', presence_based_delivery: '0' })
  await client.pubsub.publishItem(itemOf(blog, 'one'), entryOf({ title: 'one', author: client.jid }))
  const { jid } = await ctx.signIn(rig.ejabberd, friend)
  await addFollow(ctx.state, { follower: jid, address: blog, since: now })
  await ctx.indexing.start()
  await until(async () => (await findPost(ctx.index, itemOf(blog, 'one'), 'restricted')) !== undefined)
  const owned = stack.move()
  return {
    ...{ blog, client, friend: jid },
    get ctx(): RealContext {
      return ctx
    },
    later: (milliseconds: number) => {
      now = new Date(now.getTime() + milliseconds)
    },
    signIn: () => ctx.signIn(rig.ejabberd, owner),
    status: async () => (await findNode(ctx.index, blog))?.status,
    /** Looks at the node as it is looked at from time to time. */
    look: async () => {
      ctx.indexing.watch(blog)
      await ctx.indexing.idle()
    },
    /** Another process of the same site: what it did not hear is missed. */
    restart: async () => {
      await ctx[Symbol.asyncDispose]()
      ctx = await createRealContext(parts)
      await ctx.indexing.start()
      await ctx.indexing.idle()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe('the word of a contact about her blog on ejabberd', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig({ servers: ['ejabberd'] })
  })
  after(() => rig.stop())

  it('counts while her server would tell of a change, which shows at once, whatever other clients change', async () => {
    await using scene = await open(rig, 'open')
    const { ctx, blog, client } = scene
    assert.equal(await scene.status(), 'restricted')
    await ctx.permits.ask(await scene.signIn())
    assert.equal(await scene.status(), 'open')
    assert.equal((await client.pubsub.readConfig(blog)).notify_config, '1')
    await ctx.signOut(client.jid)
    scene.later(30 * DAY)
    await scene.look()
    assert.equal(await scene.status(), 'open')
    for (const accessModel of ['presence', 'whitelist', 'roster']) {
      const change = (config: NodeConfig) => client.pubsub.configureNode(blog, config)
      await change({ access_model: accessModel })
      await until(async () => (await scene.status()) !== 'open', { what: `${accessModel} to be seen` })
      assert.equal(await findPost(ctx.index, itemOf(blog, 'one')), undefined)
      await change({ access_model: 'open' })
      await until(async () => (await scene.status()) === 'open', { what: `open after ${accessModel} to be seen` })
      scene.later(30 * DAY)
      await scene.look()
      assert.equal(await scene.status(), 'open')
    }
    await client.pubsub.deleteNode(blog)
    await client.pubsub.createNode(blog, { access_model: 'presence', max_items: '100' })
    await client.pubsub.publishItem(itemOf(blog, 'two'), entryOf({ title: 'two', author: client.jid }))
    await until(async () => (await scene.status()) !== 'open')
    await scene.look()
    assert.equal(await findPost(ctx.index, itemOf(blog, 'two')), undefined)
  })

  it('ends with her account, whoever registers it next', async () => {
    await using scene = await open(rig, 'open')
    const { ctx, blog, client } = scene
    await ctx.permits.ask(await scene.signIn())
    assert.equal(await scene.status(), 'open')
    await ctx.signOut(client.jid)
    await client.stop()
    const [owner, siteUser] = [client.jid, ctx.site.jid].map((jid) => jid.split('@')[0] ?? '') as [string, string]
    await rig.ejabberd.unregister(owner)
    await until(async () => (await scene.status()) !== 'open', { what: 'the end of the account to be seen' })
    await rig.ejabberd.register(owner, 'another password')
    await rig.ejabberd.befriend?.(owner, siteUser)
    await using next = openTestSession(rig.ejabberd, owner, {
      credentials: () => ({ password: 'another password' }),
    })
    await next.whenOnline(30_000)
    await next.pubsub.createNode(blog, { access_model: 'presence', max_items: '100', presence_based_delivery: '0' })
    await next.pubsub.publishItem(itemOf(blog, 'two'), entryOf({ title: 'two', author: next.jid }))
    await scene.look()
    await until(async () => (await findPost(ctx.index, itemOf(blog, 'two'), 'restricted')) !== undefined)
    assert.equal(await scene.status(), 'restricted')
  })

  it('is good for an hour after a gap, renewed while her session is online, and gone afterwards', async () => {
    await using scene = await open(rig, 'open')
    await scene.ctx.permits.ask(await scene.signIn())
    await scene.restart()
    scene.later(HOUR - MINUTE)
    await scene.look()
    assert.equal(await scene.status(), 'open')
    const session = await scene.signIn()
    await scene.ctx.permits.ask(session)
    scene.later(50 * MINUTE)
    await scene.ctx.permits.ask(session)
    await scene.ctx.signOut(session.jid)
    await scene.restart()
    scene.later(50 * MINUTE)
    await scene.look()
    assert.equal(await scene.status(), 'open')
    scene.later(10 * MINUTE)
    await scene.look()
    assert.equal(await scene.status(), 'restricted')
    assert.equal(await findPost(scene.ctx.index, itemOf(scene.blog, 'one')), undefined)
  })

  it('that it is for contacts lets one of them read it for an hour, as long as their session proves it', async () => {
    await using scene = await open(rig, 'presence')
    const { ctx, blog, friend } = scene
    const has = () => ctx.permits.has(friend, blog)
    const ask = async () => {
      const session = ctx.sessions(friend)
      assert.ok(session)
      await ctx.permits.ask(session)
    }
    await ask()
    assert.equal(has(), true)
    scene.later(55 * MINUTE)
    await ask()
    scene.later(55 * MINUTE)
    assert.equal(has(), true)
    scene.later(5 * MINUTE)
    assert.equal(has(), false)
    await ask()
    assert.equal(has(), true)
    await scene.client.pubsub.configureNode(blog, { access_model: 'whitelist' })
    scene.later(55 * MINUTE)
    await ask()
    assert.equal(has(), false)
  })
})
