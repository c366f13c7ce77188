import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError, isAppError } from '#server/errors.ts'
import { blockOnBlog, unblockOnBlog } from '#server/feeds/moderation/block.ts'
import { closeThread } from '#server/feeds/moderation/close-thread.ts'
import { decide } from '#server/feeds/moderation/decide.ts'
import { hideOnSite, showOnSite } from '#server/feeds/moderation/hide-on-site.ts'
import { putBack, removeComment } from '#server/feeds/moderation/remove.ts'
import { reportTo, settleReport } from '#server/feeds/moderation/report.ts'
import { blockOnSite, readBlockAddress, unblockOnSite } from '#server/feeds/moderation/site-blocks.ts'
import { queueComment } from '#server/feeds/outbox.ts'
import { addAuthorRow, saveHolds } from '#server/store/author.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { findPost } from '#server/store/post.ts'
import { listReports } from '#server/store/report.ts'
import { addressKey, type ItemAddress } from '#shared/address.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import {
  BLOG,
  commentsLink,
  type EntryWords,
  entryOf,
  itemOf,
  JULIET,
  MALLORY,
  publishTo,
  ROMEO,
  THREAD,
} from './fixtures.ts'

const POST = itemOf(BLOG, 'balcony')
const LINK = { title: 'Look: https://spam.example/' }

interface Scene extends AsyncDisposable {
  readonly ctx: TestContext
  /** What the entry of a comment is held for; 'absent' where there is none. */
  hold(item: string): Promise<string | null>
  say(item: string, from: string, words?: EntryWords, options?: Parameters<typeof publishTo>[3]): Promise<ItemAddress>
}

async function open(): Promise<Scene> {
  const ctx = await createTestContext()
  const session = ctx.signIn(JULIET)
  await session.pubsub.createNode(BLOG, {})
  await session.pubsub.createNode(THREAD, { publish_model: 'open' })
  await addAuthorRow(ctx.state, JULIET, ctx.clock())
  await ctx.outbox.start()
  await ctx.indexing.start()
  await ctx.indexing.idle()
  await publishTo(ctx, POST, { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
  await ctx.indexing.idle()
  return {
    ctx,
    async hold(item) {
      const entry = await findJudged(ctx.index, itemOf(THREAD, item))
      return entry === undefined ? 'absent' : (entry.hold ?? null)
    },
    async say(item, from, words = {}, options) {
      const address = itemOf(THREAD, item)
      await publishTo(ctx, address, { payload: entryOf({ author: from, ...words }), publisher: from }, options)
      return address
    },
    [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
  }
}

describe('spam defence', () => {
  it('holds the first comment with a link of somebody who is not known here, and no other', async () => {
    await using scene = await open()
    await scene.say('a', MALLORY, LINK)
    assert.equal(await scene.hold('a'), 'held')
    assert.equal((await findDecision(scene.ctx.state, itemOf(THREAD, 'a')))?.reason, 'link')
    await scene.say('b', ROMEO)
    await scene.say('c', ROMEO, LINK)
    assert.deepEqual([await scene.hold('b'), await scene.hold('c')], [null, null])
    await scene.say('d', JULIET, LINK)
    assert.equal(await scene.hold('d'), null)
  })

  it('is not fooled by an edit that brings the link later', async () => {
    await using scene = await open()
    await scene.say('a', MALLORY)
    await scene.say('a', MALLORY, { ...LINK, updated: '2026-01-02T03:05:05Z' })
    assert.equal(await scene.hold('a'), 'held')
  })

  it('holds nothing that was there before, and what was held stays so when the index is read again', async () => {
    await using scene = await open()
    await scene.say('old', MALLORY, LINK, { isHistory: true })
    assert.equal(await scene.hold('old'), null)
    await scene.say('new', jidOf('tybalt@evil.example'), LINK)
    await scene.ctx.index
      .deleteFrom('entry')
      .where('item', '=', 'new' as never)
      .execute()
    await scene.say('new', jidOf('tybalt@evil.example'), LINK, { isHistory: true })
    assert.equal(await scene.hold('new'), 'held')
  })

  it('lets five comments a minute of one author through, by the time they come', async () => {
    await using scene = await open()
    scene.ctx.setNow('2026-03-01T12:00:00Z')
    for (let n = 0; n < 7; n++) await scene.say(`c${n}`, ROMEO)
    const holds = await Promise.all([0, 4, 5, 6].map((n) => scene.hold(`c${n}`)))
    assert.deepEqual(holds, [null, null, 'held', 'held'])
    scene.ctx.setNow('2026-03-01T12:01:01Z')
    await scene.say('later', ROMEO)
    assert.equal(await scene.hold('later'), null)
  })

  it('goes by their own dates where they were missed', async () => {
    await using scene = await open()
    const now = new Date('2026-03-01T12:00:00Z')
    scene.ctx.setNow(now)
    const missed = (n: number, minute: string) =>
      scene.say(`m${n}`, ROMEO, { published: `2026-02-01T10:${minute}:0${n}Z` }, { readAt: now })
    for (let n = 0; n < 7; n++) await missed(n, `0${n}`)
    for (let n = 0; n < 7; n++) assert.equal(await scene.hold(`m${n}`), null)
  })

  it('lets thirty comments a minute of one server through under one post', async () => {
    await using scene = await open()
    scene.ctx.setNow('2026-03-01T12:00:00Z')
    for (let n = 0; n < 31; n++) await scene.say(`c${n}`, `bot${n}@evil.example`)
    assert.equal(await scene.hold('c29'), null)
    assert.equal(await scene.hold('c30'), 'held')
    const paris = queueComment(scene.ctx, {
      ...{ author: jidOf('paris@evil.example'), key: 'form-paris-key', post: POST, text: 'Hark' },
    })
    await assert.rejects(paris, /Too many comments came from evil\.example/)
    await scene.say('romeo', ROMEO)
    assert.equal(await scene.hold('romeo'), null)
  })

  it('asks who writes too fast on the web to wait', async () => {
    await using scene = await open()
    scene.ctx.setNow('2026-03-01T12:00:00Z')
    const write = (n: number) =>
      queueComment(scene.ctx, { author: ROMEO, key: `form-${n}-key`, post: POST, text: 'Hark' })
    for (let n = 0; n < 5; n++) await write(n)
    await assert.rejects(
      write(5),
      (error) => isAppError(error, 'too-many') && /^Those are too many/.test(error.message),
    )
    // The same form again is no other comment.
    assert.ok(await write(2))
  })

  it('holds all of strangers where the owner wants it', async () => {
    await using scene = await open()
    await saveHolds(scene.ctx.state, JULIET, 'strangers')
    await scene.say('a', MALLORY)
    assert.equal(await scene.hold('a'), 'held')
    await decide(scene.ctx, { by: JULIET, address: itemOf(THREAD, 'a'), what: 'approved' })
    await scene.say('b', MALLORY)
    assert.equal(await scene.hold('b'), null)
    // To write on this site too makes nobody known to her.
    await addAuthorRow(scene.ctx.state, ROMEO, scene.ctx.clock())
    await scene.say('romeo', ROMEO)
    assert.equal(await scene.hold('romeo'), 'held')
    await saveHolds(scene.ctx.state, JULIET, 'nobody')
    await scene.say('c', jidOf('paris@evil.example'), LINK)
    assert.equal(await scene.hold('c'), null)
  })
})

describe('the owner of a blog', () => {
  it('approves what is held, and may undo it', async () => {
    await using scene = await open()
    const address = await scene.say('a', MALLORY, LINK)
    await assert.rejects(decide(scene.ctx, { by: ROMEO, address, what: 'approved' }), /Only who owns/)
    await decide(scene.ctx, { by: JULIET, address, what: 'approved' })
    assert.equal(await scene.hold('a'), null)
    await decide(scene.ctx, { by: JULIET, address, what: 'held' })
    assert.equal(await scene.hold('a'), 'held')
  })

  it('removes a comment from the node, and puts it back as its writer’s', async () => {
    await using scene = await open()
    const { ctx } = scene
    const mallory = ctx.signIn(MALLORY)
    const address = itemOf(THREAD, 'a')
    await mallory.pubsub.publishItem(address, entryOf({ author: MALLORY }))
    await scene.say('a', MALLORY)
    const removal = await removeComment(ctx, { by: JULIET, address })
    assert.notEqual(await scene.hold('a'), null)
    assert.equal((await ctx.outbox.settle(removal?.id ?? 0, 30_000)).status, 'done')
    assert.equal(await mallory.pubsub.findItem(address), undefined)
    assert.equal(await removeComment(ctx, { by: JULIET, address }).catch(() => 'gone'), undefined)
    const back = await putBack(ctx, { by: JULIET, address })
    const row = await ctx.outbox.settle(back?.id ?? 0, 30_000)
    assert.equal(row.status, 'done', row.problem)
    assert.ok(await mallory.pubsub.findItem(address))
    const entry = await findJudged(ctx.index, address)
    assert.equal(entry?.author, MALLORY)
    assert.equal(entry?.hold, undefined)
    // Not a word may be another: then it is whose name it carries no more.
    await publishTo(ctx, address, {
      payload: entryOf({ author: MALLORY, title: 'I love spam', updated: '2027-01-01T00:00:00Z' }),
      publisher: JULIET,
    })
    assert.doesNotMatch((await findJudged(ctx.index, address))?.title ?? '', /spam/)
  })

  it('blocks somebody, or everybody of a server, and lets them in again', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.say('a', MALLORY)
    const evil = jidOf('evil.example')
    await blockOnBlog(ctx, { by: JULIET, blog: BLOG, jid: evil })
    assert.equal(await scene.hold('a'), 'blocked')
    await scene.say('b', MALLORY)
    assert.equal(await scene.hold('b'), 'absent')
    const row = await ctx.state.selectFrom('outbox').selectAll().where('kind', '=', 'remove-comment').executeTakeFirst()
    assert.equal(row?.item, 'b')
    await unblockOnBlog(ctx, { by: JULIET, blog: BLOG, jid: evil })
    assert.equal(await scene.hold('a'), null)
    await assert.rejects(blockOnBlog(ctx, { by: ROMEO, blog: BLOG, jid: MALLORY }), /Only who owns/)
  })

  it('closes the comments of a post, on its node too, and opens them again', async () => {
    await using scene = await open()
    const { ctx } = scene
    const settled = async (isClosed: boolean) => {
      const row = await closeThread(ctx, { by: JULIET, post: POST, isClosed })
      assert.equal((await ctx.outbox.settle(row?.id ?? 0, 30_000)).status, 'done')
      return ctx.network.nodes.get(addressKey(THREAD))?.config.publish_model
    }
    assert.equal(await settled(true), 'publishers')
    await scene.say('late', ROMEO)
    assert.equal(await scene.hold('late'), 'closed')
    await scene.say('mine', JULIET)
    assert.equal(await scene.hold('mine'), null)
    const comment = { author: ROMEO, key: 'a-form-key', post: POST, text: 'Hark' }
    await assert.rejects(queueComment(ctx, comment), /closed/)
    assert.equal(await settled(false), 'open')
    await scene.say('again', ROMEO)
    assert.equal(await scene.hold('again'), null)
  })
})

describe('what somebody toggles while their server does not answer', () => {
  const waiting = (ctx: TestContext) =>
    ctx.state.selectFrom('outbox').selectAll().where('status', '=', 'waiting').execute()

  it('waits in one row, for closing and opening comments a thousand times, and ends as wished last', async () => {
    await using scene = await open()
    const { ctx } = scene
    const answer = Promise.withResolvers<never>()
    const { pubsub } = ctx.sessions(JULIET) as FakeSession
    const { configureNode } = pubsub
    pubsub.configureNode = () => answer.promise
    for (let n = 0; n < 1_000; n++) await closeThread(ctx, { by: JULIET, post: POST, isClosed: n % 2 === 0 })
    const row = await closeThread(ctx, { by: JULIET, post: POST, isClosed: true })
    assert.deepEqual(
      (await waiting(ctx)).map(({ id }) => id),
      [row?.id],
    )
    pubsub.configureNode = configureNode
    answer.reject(new AppError('timeout', 'Nobody answers'))
    assert.equal((await ctx.outbox.settle(row?.id ?? 0, 30_000)).status, 'done')
    assert.equal(ctx.network.nodes.get(addressKey(THREAD))?.config.publish_model, 'publishers')
  })

  it('waits in one row of each kind, for a comment that is removed and put back', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.say('a', MALLORY)
    ctx.signOut(JULIET)
    const comment = { by: JULIET, address: itemOf(THREAD, 'a') }
    for (let n = 0; n < 50; n++) {
      await removeComment(ctx, comment)
      await putBack(ctx, comment)
    }
    assert.deepEqual((await waiting(ctx)).map(({ kind }) => kind).toSorted(), ['remove-comment', 'restore-comment'])
  })
})

describe('who runs the site', () => {
  const withOperator = (ctx: TestContext) => ({ ...ctx, config: { ...ctx.config, operators: [JULIET] } })

  it('blocks accounts, servers and nodes, and undoes it', async () => {
    await using scene = await open()
    const deps = withOperator(scene.ctx)
    await scene.say('a', MALLORY)
    for (const typed of [
      'mallory@evil.example',
      'evil.example',
      'example',
      `xmpp:${THREAD.service}?;node=${THREAD.node}`,
    ]) {
      const block = readBlockAddress(typed)
      if (typed === 'example') {
        await assert.rejects(blockOnSite(deps, { by: JULIET, ...block }), /cannot be blocked/)
        continue
      }
      await blockOnSite(deps, { by: JULIET, ...block })
      assert.equal(await scene.hold('a'), 'blocked', typed)
      await unblockOnSite(deps, { by: JULIET, ...block })
      assert.equal(await scene.hold('a'), null, typed)
    }
    await assert.rejects(blockOnSite(deps, { by: ROMEO, ...readBlockAddress('evil.example') }), /Only who runs/)
    // It publishes what people say who are not signed in.
    await assert.rejects(blockOnSite(deps, { by: JULIET, ...readBlockAddress(deps.siteJid) }), /cannot be blocked/)
  })

  it('sees each report once, hides what it is about, and settles it', async () => {
    await using scene = await open()
    const deps = withOperator(scene.ctx)
    const report = { address: POST, post: POST, sender: 'hash', reason: 'It is spam' }
    for (let n = 0; n < 2; n++) await reportTo(deps, report)
    const [found, ...others] = await listReports(deps.state, { limit: 10 })
    assert.equal(others.length, 0)
    await hideOnSite(deps, { by: JULIET, address: POST, post: POST })
    assert.equal(await findPost(deps.index, POST), undefined)
    await showOnSite(deps, { by: JULIET, address: POST, post: POST })
    assert.notEqual(await findPost(deps.index, POST), undefined)
    await settleReport(deps, { by: JULIET, id: found?.id ?? 0 })
    assert.equal((await listReports(deps.state, { limit: 10 })).length, 0)
    for (let n = 0; n < 4; n++) await reportTo(deps, { ...report, address: itemOf(BLOG, `p${n}`) })
    await assert.rejects(reportTo(deps, { ...report, address: itemOf(BLOG, 'last') }), /Try again later/)
  })
})
