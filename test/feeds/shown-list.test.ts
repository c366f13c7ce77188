import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { followNode, publishFollows, unfollowNode } from '#server/feeds/follow.ts'
import { listItemId } from '#server/feeds/follow-list.ts'
import { createFollowing } from '#server/feeds/following.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { mergeFollows } from '#server/feeds/merge-follows.ts'
import { listFollows, updateFollow } from '#server/store/follow.ts'
import { listWaiting } from '#server/store/outbox.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { writeSubscription } from '#shared/subscription-list.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'

const juliet = jidOf('juliet@capulet.example')
const ROMEOS = blogOf(jidOf('romeo@montague.example'))
const TYBALTS = blogOf(jidOf('tybalt@capulet.example'))
const PARIS = blogOf(jidOf('paris@verona.example'))
const OWN: NodeAddress = { service: juliet, node: NS.PRIVATE_SUBSCRIPTION_LIST }
const SHOWN: NodeAddress = { service: juliet, node: NS.SUBSCRIPTION_LIST }
const MINUTE = 60_000

interface Scene extends AsyncDisposable {
  readonly ctx: TestContext
  readonly session: FakeSession
  /** Puts a feed on the list as Converse does. */
  put(address: NodeAddress): Promise<void>
  take(address: NodeAddress): Promise<void>
  merge(): Promise<unknown>
  followed(): Promise<string[]>
  settled(): Promise<unknown>
  listed(list: NodeAddress): number
}

async function open(access_model = 'presence'): Promise<Scene> {
  const ctx = await createTestContext()
  const session = ctx.signIn(juliet)
  await ctx.outbox.start()
  for (const blog of [ROMEOS, TYBALTS, PARIS]) {
    await ctx.network.pubsubOf(blog.service).createNode(blog, { access_model: 'open' })
  }
  await session.pubsub.createNode(SHOWN, { access_model, max_items: 'max' })
  const settled = () => until(async () => (await listWaiting(ctx.state, juliet)).length === 0)
  return {
    ...{ ctx, session, settled },
    put: (address) =>
      session.pubsub.publishItem({ ...SHOWN, item: listItemId(juliet, address) }, writeSubscription({ address })),
    take: (address) => session.pubsub.retractItem({ ...SHOWN, item: listItemId(juliet, address) }),
    merge: async () => {
      await mergeFollows(ctx, session)
      await settled()
    },
    followed: async () => (await listFollows(ctx.state, juliet)).map(({ address }) => address.service).sort(),
    listed: (list) => ctx.network.nodes.get(addressKey(list))?.items.size ?? 0,
    [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
  }
}

describe('The list of an account that contacts may read (XEP-0330)', () => {
  it('is followed here, and no longer once another client took something off it', async () => {
    await using scene = await open()
    const { put, take, merge, followed, listed } = scene
    await put(ROMEOS)
    await put(TYBALTS)
    await merge()
    assert.deepEqual(await followed(), [ROMEOS.service, TYBALTS.service])
    assert.equal(listed(OWN), 2)
    await merge()
    await take(ROMEOS)
    await merge()
    assert.deepEqual(await followed(), [TYBALTS.service])
    assert.equal(listed(OWN), 1)
    await take(TYBALTS)
    await merge()
    assert.deepEqual(await followed(), [])
  })

  it('names no longer what is unfollowed here', async () => {
    await using scene = await open()
    const { ctx, put, merge, followed, settled, listed } = scene
    await put(ROMEOS)
    await merge()
    await unfollowNode(ctx, juliet, ROMEOS)
    await settled()
    await merge()
    assert.deepEqual([await followed(), listed(OWN), listed(SHOWN)], [[], 0, 0])
  })

  it('says nothing of what never stood on it', async () => {
    await using scene = await open()
    const { ctx, put, take, merge, followed, settled } = scene
    await followNode(ctx, juliet, { address: PARIS })
    await settled()
    await put(ROMEOS)
    await merge()
    await take(ROMEOS)
    await merge()
    assert.deepEqual(await followed(), [PARIS.service])
  })

  it('ends nothing that is followed when its owner shows it here no longer', async () => {
    await using scene = await open()
    const { ctx, put, merge, followed, settled, listed } = scene
    await put(ROMEOS)
    await followNode(ctx, juliet, { address: PARIS })
    await publishFollows(ctx, juliet, true)
    await settled()
    await merge()
    await merge()
    assert.equal(listed(SHOWN), 2)
    await publishFollows(ctx, juliet, false)
    await merge()
    await merge()
    assert.equal(listed(SHOWN), 0)
    assert.deepEqual(await followed(), [PARIS.service, ROMEOS.service])
  })

  it('ends nothing where the whole of it is gone, or cannot be read', async () => {
    await using scene = await open()
    const { ctx, session, put, merge, followed } = scene
    for (const blog of [ROMEOS, TYBALTS]) await put(blog)
    await merge()
    const { pages } = session.pubsub
    session.pubsub.pages = (address, limits) => {
      if (address.node === SHOWN.node) throw new AppError('timeout', 'capulet.example does not answer')
      return pages(address, limits)
    }
    await merge()
    session.pubsub.pages = pages
    await ctx.network.pubsubOf(juliet).purgeNode(SHOWN)
    await merge()
    await ctx.network.pubsubOf(juliet).deleteNode(SHOWN)
    await merge()
    assert.deepEqual(await followed(), [ROMEOS.service, TYBALTS.service])
  })

  it('keeps what a killed server forgot of it', async () => {
    await using scene = await open()
    const { ctx, session, put, merge, followed, settled } = scene
    for (const blog of [ROMEOS, TYBALTS]) await put(blog)
    await merge()
    const doubtfulSince = new Date(ctx.clock().getTime() - MINUTE)
    await scene.take(ROMEOS)
    await mergeFollows(ctx, session, { doubtfulSince })
    await settled()
    assert.deepEqual(await followed(), [ROMEOS.service, TYBALTS.service])
  })
})

function startFollowing({ ctx, session }: Pick<Scene, 'ctx' | 'session'>) {
  const following = createFollowing({ ...ctx, people: () => [session] })
  following.start()
  return Object.assign(following, { [Symbol.asyncDispose]: () => following.stop() })
}

describe('Changes that other clients make to the lists', () => {
  it('are read within ten minutes, without trying again what was refused', async () => {
    await using scene = await open()
    const { ctx, session, put, followed } = scene
    ctx.setNow('2026-06-01T00:00:00Z')
    await followNode(ctx, juliet, { address: PARIS })
    await scene.settled()
    await using following = startFollowing(scene)
    await following.merge(session)
    await updateFollow(ctx.state, { follower: juliet, address: PARIS }, { subscription: 'refused' })
    const countTries = () => {
      const tries = ctx.network.asked.filter(({ account, method }) => account === juliet && method === 'subscribeNode')
      return tries.filter(({ address }) => address?.service === PARIS.service).length
    }
    const before = countTries()
    await put(ROMEOS)
    ctx.setNow(new Date(ctx.clock().getTime() + 10 * MINUTE))
    await until(async () => (await followed()).length === 2, { what: 'the next reading' })
    await scene.settled()
    assert.equal(countTries(), before)
    ctx.setNow(new Date(ctx.clock().getTime() + 6 * 60 * MINUTE))
    await until(() => countTries() === before + 1, { what: 'another try' })
  })

  it('are heard at once where everybody may read the list', async () => {
    await using scene = await open('open')
    const { ctx, session, put, take, followed } = scene
    ctx.setNow('2026-06-01T00:00:00Z')
    await put(ROMEOS)
    await using following = startFollowing(scene)
    await until(async () => (await followed()).length === 1)
    await following.merge(session)
    await put(TYBALTS)
    await until(async () => (await followed()).length === 2, { what: 'what was put on it' })
    await following.merge(session)
    await take(ROMEOS)
    await until(async () => (await followed()).length === 1, { what: 'what was taken off it' })
  })

  for (const [cause, lose] of Object.entries<(scene: Scene) => void | Promise<void>>({
    'the site account connects anew': ({ ctx }) => {
      ctx.site.setStatus('waiting')
      ctx.site.setStatus('online')
    },
    'the session of its owner does': ({ session }) => {
      session.setStatus('waiting')
      session.setStatus('online')
    },
    'the list is made anew': async ({ session }) => {
      await session.pubsub.deleteNode(SHOWN)
      await session.pubsub.createNode(SHOWN, { access_model: 'open', max_items: 'max' })
    },
  })) {
    it(`are heard again where the subscription was lost and ${cause}`, async () => {
      await using scene = await open('open')
      const { ctx, session, put, followed } = scene
      ctx.setNow('2026-06-01T00:00:00Z')
      await put(ROMEOS)
      await using following = startFollowing(scene)
      const hears = () => ctx.network.nodes.get(addressKey(SHOWN))?.subscribers.has(ctx.siteJid) ?? false
      await until(hears, { what: 'the site account to listen' })
      await following.merge(session)
      const isMadeAnew = cause === 'the list is made anew'
      if (!isMadeAnew) ctx.network.nodes.get(addressKey(SHOWN))?.subscribers.delete(ctx.siteJid)
      await lose(scene)
      if (isMadeAnew) await put(ROMEOS)
      await until(hears, { what: 'the site account to listen again' })
      await put(TYBALTS)
      await until(async () => (await followed()).includes(TYBALTS.service), { what: 'what was put on it' })
    })
  }
})
