import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { knowChanged } from '#server/feeds/known-blogs.ts'
import { addFollow, deleteFollow } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import type { NodeConfig, PubsubEvent } from '#server/xmpp/ports.ts'
import { addressKey } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { BLOG, entryOf, itemOf, JULIET, ROMEO } from './fixtures.ts'

const START = new Date('2026-03-01T12:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const later = (ctx: TestContext, milliseconds: number) => ctx.setNow(new Date(ctx.clock().getTime() + milliseconds))
const statusOf = async (ctx: TestContext) => (await findNode(ctx.index, BLOG))?.status
const configOf = (ctx: TestContext) => ctx.network.nodes.get(addressKey(BLOG))?.config
const publish = (ctx: TestContext, item: string) =>
  ctx.network.pubsubOf(JULIET).publishItem(itemOf(BLOG, item), entryOf({ title: item, author: JULIET }))

async function readAgain(ctx: TestContext): Promise<void> {
  ctx.indexing.watch(BLOG)
  await ctx.indexing.idle()
}

interface Options {
  readonly context?: Parameters<typeof createTestContext>[0]
  /** As her server makes a node. */
  readonly config?: NodeConfig
}

/** Juliet’s open blog, whose contact the site account is: she has signed in here, and out again. */
async function open({ context, config = { notify_config: '0', notify_delete: '0' } }: Options = {}) {
  const ctx = await createTestContext(context)
  ctx.setNow(START)
  ctx.site.contacts.add(JULIET)
  ctx.site.pubsub.listAffiliations = async () => []
  const owner = ctx.network.pubsubOf(JULIET)
  await owner.createNode(BLOG, { access_model: 'open', max_items: 'max', ...config })
  await owner.setAffiliation(BLOG, ctx.siteJid, 'member')
  await publish(ctx, 'first')
  await addFollow(ctx.state, { follower: ROMEO, address: BLOG, since: START })
  await ctx.indexing.start()
  await ctx.indexing.idle()
  const session = ctx.signIn(JULIET)
  await ctx.permits.ask(session)
  ctx.signOut(JULIET)
  await ctx.indexing.idle()
  /** As her server tells it, after another client of hers has changed the node. */
  const change = async (changes: NodeConfig, tells: 'how' | 'that' = 'how') => {
    const real = await owner.configureNode(BLOG, changes)
    const event: PubsubEvent = { kind: 'configured', address: BLOG, config: tells === 'how' ? real : undefined }
    ctx.site.emit(event)
    await ctx.indexing.idle()
  }
  return { ctx, owner, change, [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose]() }
}

describe('the word of a contact that her blog is open', () => {
  it('counts as long as the site account would hear of a change, which her session sees to', async () => {
    await using scene = await open()
    const { ctx } = scene
    assert.deepEqual([configOf(ctx)?.notify_config, configOf(ctx)?.notify_delete], ['1', '1'])
    for (let month = 0; month < 3; month++) {
      later(ctx, 30 * DAY)
      await publish(ctx, `month-${month}`)
      await readAgain(ctx)
      assert.equal(await statusOf(ctx), 'open')
      assert.equal(typeof (await findPost(ctx.index, itemOf(BLOG, `month-${month}`))), 'object')
    }
  })

  it('ends when another client closes the blog, at once, and begins when it opens it', async () => {
    await using scene = await open()
    const { ctx, change } = scene
    later(ctx, 30 * DAY)
    await change({ access_model: 'presence' })
    assert.equal(await statusOf(ctx), 'restricted')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'first')), undefined)
    later(ctx, DAY)
    await change({ access_model: 'open' })
    later(ctx, 30 * DAY)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
  })

  it('ends with a change of which nobody says how', async () => {
    await using scene = await open()
    const { ctx, change } = scene
    await change({ access_model: 'presence' }, 'that')
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('ends with it though the contacts of the site account cannot be read just then', async () => {
    await using scene = await open()
    const { ctx, change } = scene
    const { readContacts } = ctx.site
    let count = 0
    ctx.site.readContacts = async () => {
      if (++count === 1) throw new AppError('timeout', 'No answer')
      return (await readContacts?.()) ?? new Set()
    }
    await change({ access_model: 'presence' }, 'that')
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('leaves a node deleted that is so by the time the contacts are known', async () => {
    await using scene = await open()
    const { ctx, owner } = scene
    const { readContacts } = ctx.site
    ctx.site.readContacts = async () => {
      await until(async () => (await statusOf(ctx)) === 'deleted')
      return (await readContacts?.()) ?? new Set()
    }
    await owner.deleteNode(BLOG)
    await ctx.indexing.idle()
    assert.equal(await statusOf(ctx), 'deleted')
  })

  it('ends with the node, whoever makes one of its name', async () => {
    await using scene = await open()
    const { ctx, owner } = scene
    await owner.deleteNode(BLOG)
    await ctx.indexing.idle()
    await owner.createNode(BLOG, { access_model: 'presence' })
    await owner.setAffiliation(BLOG, ctx.siteJid, 'member')
    await publish(ctx, 'secret')
    await readAgain(ctx)
    assert.notEqual(await statusOf(ctx), 'open')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'secret')), undefined)
  })

  it('counts for an hour where the site account is not told of changes any more', async () => {
    await using scene = await open()
    const { ctx, change } = scene
    await change({ notify_config: '0' })
    later(ctx, HOUR - MINUTE)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
    later(ctx, MINUTE)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  for (const gap of ['of its stream', 'of its subscription', 'of its process'] as const) {
    it(`counts for an hour after a gap ${gap}`, async () => {
      await using folder = await createTestFolder()
      await using scene = await open({ context: folder.databases })
      const { network } = scene.ctx
      const miss = async (ctx: TestContext) => {
        if (gap === 'of its stream') {
          ctx.site.setStatus('waiting')
          ctx.site.setStatus('online')
        }
        if (gap === 'of its subscription') ctx.site.emit({ kind: 'subscription', address: BLOG, state: 'none' })
        await ctx.indexing.idle()
      }
      later(scene.ctx, HOUR - MINUTE)
      await miss(scene.ctx)
      if (gap !== 'of its process') assert.equal(await statusOf(scene.ctx), 'open')
      const now = scene.ctx.clock()
      if (gap === 'of its process') await scene.ctx.indexing.stop()
      await using next =
        gap === 'of its process' ? await createTestContext({ ...folder.databases, network }) : undefined
      const ctx = next ?? scene.ctx
      ctx.setNow(now)
      ctx.site.contacts.add(JULIET)
      ctx.site.pubsub.listAffiliations = async () => []
      if (next !== undefined) await next.indexing.start()
      await ctx.indexing.idle()
      assert.equal(await statusOf(ctx), 'open')
      later(ctx, MINUTE)
      await readAgain(ctx)
      assert.equal(await statusOf(ctx), 'restricted')
      later(ctx, DAY)
      await ctx.permits.ask(ctx.signIn(JULIET))
      assert.equal(await statusOf(ctx), 'open')
    })
  }

  it('ends at once with a gap after that hour, and not where the stream was resumed', async () => {
    await using scene = await open()
    const { ctx } = scene
    later(ctx, DAY)
    Object.assign(ctx.site, { lastSignIn: 'resumed' })
    ctx.site.setStatus('waiting')
    ctx.site.setStatus('online')
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'open')
    Object.assign(ctx.site, { lastSignIn: 'token' })
    ctx.site.setStatus('waiting')
    ctx.site.setStatus('online')
    await until(async () => (await statusOf(ctx)) === 'restricted')
  })

  it('counts for an hour on another server than the site’s, from where events are lost unnoticed', async () => {
    await using scene = await open({ context: { siteJid: 'canto@site.example' } })
    const { ctx } = scene
    assert.equal(configOf(ctx)?.notify_config, '0')
    assert.equal(await statusOf(ctx), 'open')
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('changes nothing of a node whose server knows no such notifications', async () => {
    await using scene = await open({ config: {} })
    const { ctx } = scene
    assert.equal(configOf(ctx)?.notify_config, undefined)
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('counts for an hour where her server does not let her session ask for that', async () => {
    await using scene = await open({ config: {} })
    const { ctx, owner } = scene
    await owner.configureNode(BLOG, { notify_config: '0' })
    const session = ctx.signIn(JULIET)
    session.pubsub.configureNode = () => Promise.reject(new AppError('forbidden', 'No'))
    later(ctx, DAY)
    await ctx.permits.ask(session)
    assert.equal(await statusOf(ctx), 'open')
    later(ctx, HOUR)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('is not read off an answer that is older than a change', async () => {
    await using scene = await open()
    const { ctx, change } = scene
    later(ctx, DAY)
    const session = ctx.signIn(JULIET)
    const { readConfig } = session.pubsub
    session.pubsub.readConfig = async (address) => {
      const config = await readConfig(address)
      later(ctx, 10)
      await change({ access_model: 'presence' })
      return config
    }
    await ctx.permits.ask(session)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  for (const change of ['of which nobody says how', 'that is missed'] as const) {
    it(`is not read off an answer that is older than a change ${change}`, async () => {
      await using scene = await open()
      const { ctx, change: tellChange, owner } = scene
      later(ctx, DAY)
      const session = ctx.signIn(JULIET)
      const { readConfig } = session.pubsub
      let count = 0
      session.pubsub.readConfig = async (address) => {
        const config = await readConfig(address)
        if (++count > 1) return config
        if (change === 'that is missed') {
          ctx.site.setStatus('waiting')
          await owner.configureNode(BLOG, { access_model: 'presence' })
          ctx.site.setStatus('online')
          await ctx.indexing.idle()
        } else await tellChange({ access_model: 'presence' }, 'that')
        return config
      }
      await ctx.permits.ask(session)
      assert.equal(await statusOf(ctx), 'restricted')
      later(ctx, DAY)
      await readAgain(ctx)
      assert.equal(await statusOf(ctx), 'restricted')
    })
  }

  it('ends where changes never cease while it is asked', async () => {
    await using scene = await open()
    const { ctx, change } = scene
    const session = ctx.signIn(JULIET)
    const { readConfig } = session.pubsub
    session.pubsub.readConfig = async (address) => {
      const config = await readConfig(address)
      await change({}, 'that')
      return config
    }
    later(ctx, HOUR)
    await ctx.permits.ask(session)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('does not outlive a time in which nobody here followed her', async () => {
    await using scene = await open()
    const { ctx, owner } = scene
    await deleteFollow(ctx.state, { follower: ROMEO, address: BLOG })
    await knowChanged(ctx)
    await ctx.indexing.idle()
    assert.equal(await statusOf(ctx), undefined)
    await owner.configureNode(BLOG, { access_model: 'presence' })
    await publish(ctx, 'secret')
    later(ctx, DAY)
    await addFollow(ctx.state, { follower: ROMEO, address: BLOG, since: ctx.clock() })
    await knowChanged(ctx)
    await readAgain(ctx)
    assert.equal(typeof (await findPost(ctx.index, itemOf(BLOG, 'secret'), 'restricted')), 'object')
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'secret')), undefined)
    assert.equal(await statusOf(ctx), 'restricted')
  })

  it('ends once her server tells that the blog is not open, after a change that was not told', async () => {
    await using scene = await open()
    const { ctx, owner } = scene
    await owner.configureNode(BLOG, { access_model: 'whitelist', notify_config: '0' })
    ctx.site.pubsub.listAffiliations = async () => [{ ...BLOG, jid: ctx.siteJid, affiliation: 'member' }]
    later(ctx, DAY)
    await readAgain(ctx)
    assert.equal(await statusOf(ctx), 'restricted')
  })
})
