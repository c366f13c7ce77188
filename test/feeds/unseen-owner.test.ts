import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError, isAppError } from '#server/errors.ts'
import { blockOnBlog, unblockOnBlog } from '#server/feeds/moderation/block.ts'
import { closeThread } from '#server/feeds/moderation/close-thread.ts'
import { decide } from '#server/feeds/moderation/decide.ts'
import { putBack, removeComment } from '#server/feeds/moderation/remove.ts'
import { queueCommunity, queueDelete, queuePost } from '#server/feeds/outbox.ts'
import { isModerator, listPeople } from '#server/feeds/owners.ts'
import { findBlock, findCommunity } from '#server/store/community.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import type { Bounds } from '#server/store/keeps.ts'
import { findOutboxRow, type OutboxRow } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import { addressKey, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO } from './fixtures.ts'

/** On another server than the site's and its owner's, and on the site's. */
const ABROAD = jidOf('pubsub.montague.example')
const AT_HOME = jidOf('pubsub.capulet.example')
const TYBALT = jidOf('tybalt@evil.example')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DRAFT: PostDraft = { title: 'Hello', text: 'A *text*', tags: [], language: 'en', summary: '', comments: true }

interface Scene extends AsyncDisposable {
  readonly ctx: TestContext
  readonly juliet: FakeSession
  readonly nights: NodeAddress
  /** Romeo's, in the community. */
  readonly post: ItemAddress
  readonly thread: NodeAddress
  /** Tybalt's, on that post. */
  readonly comment: ItemAddress
  hold(): Promise<string | null>
  later(milliseconds: number): void
  settle(row: OutboxRow | undefined): Promise<OutboxRow>
  /** Once it was sent and is not seen. */
  unseen(row: OutboxRow | undefined): Promise<OutboxRow>
  shown(): Promise<unknown>
}

/** A community that the site saw Juliet make, on a service that names no owners any more, two days later. */
async function open({
  service = ABROAD,
  owner = JULIET as BareJid,
  keeps = undefined as Bounds | undefined,
} = {}): Promise<Scene> {
  const ctx = await createTestContext({ ...(keeps && { keeps }) })
  const juliet = ctx.signIn(owner)
  const romeo = ctx.signIn(ROMEO)
  romeo.services = { pep: true, pubsub: ABROAD }
  ctx.setNow('2026-03-01T12:00:00Z')
  await ctx.outbox.start()
  const settle = async (row: OutboxRow | undefined) => ctx.outbox.settle(row?.id ?? 0, 30_000)
  const words = { key: 'form', kind: 'base', title: 'Verona by Night', description: '' } as const
  const made = await settle(await queueCommunity(ctx, { ...words, owner, service, publishers: 'everyone' }))
  assert.deepEqual([made.status, made.problem], ['done', undefined])
  const nights = { service, node: made.address.node }
  const { address: post } = await settle(await queuePost(ctx, { author: ROMEO, key: 'post', draft: DRAFT, to: nights }))
  const found = await findPost(ctx.index, post)
  assert.ok(typeof found === 'object' && found.comments !== undefined)
  const comment = itemOf(found.comments, 'comment')
  await ctx.network.pubsubOf(TYBALT).publishItem(comment, entryOf({ author: TYBALT }))
  await publishTo(ctx, comment, { payload: entryOf({ author: TYBALT }), publisher: TYBALT })
  ctx.network.namesNoOwners = true
  const later = (milliseconds: number) => ctx.setNow(new Date(ctx.clock().getTime() + milliseconds))
  later(49 * HOUR)
  return {
    ...{ ctx, juliet, nights, post, thread: found.comments, comment, settle, later },
    hold: async () => {
      const entry = await findJudged(ctx.index, comment)
      return entry === undefined ? 'absent' : (entry.hold ?? null)
    },
    unseen: (row) =>
      until(async () => {
        const last = await findOutboxRow(ctx.state, row?.id ?? 0)
        return last?.reason === 'unseen' ? last : undefined
      }),
    shown: async () => typeof (await findPost(ctx.index, post)),
    [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
  }
}

/** What somebody's own server answers to whatever it is asked to change. */
function lie({ juliet }: Scene): void {
  Object.assign(juliet.pubsub, {
    retractItem: async () => {},
    setAffiliation: async () => {},
    configureNode: async (_: NodeAddress, wanted: object) => wanted,
  })
}

function wake({ ctx, later }: Scene): void {
  later(HOUR)
  ctx.outbox.wake(JULIET)
}

describe('who is remembered to own a community, which the site does not see', () => {
  it('asks for a comment to be removed, which stays until the site account sees it gone', async () => {
    await using scene = await open()
    const { ctx, comment } = scene
    lie(scene)
    const row = await removeComment(ctx, { by: JULIET, address: comment })
    assert.match(
      (await scene.unseen(row)).problem ?? '',
      /sent to pubsub\.montague.*removed here once it is gone there/,
    )
    assert.equal(await scene.hold(), null)
    assert.equal(await findDecision(ctx.state, comment), undefined)
    await ctx.network.pubsubOf(ROMEO).retractItem(comment)
    wake(scene)
    assert.equal((await scene.settle(row)).status, 'done')
    assert.equal(await scene.hold(), 'absent')
  })

  it('asks for no more than may wait', async () => {
    await using scene = await open({ keeps: { unsent: { rows: 1, bytes: 100_000 } } })
    const { ctx, comment, post } = scene
    ctx.signOut(JULIET)
    await removeComment(ctx, { by: JULIET, address: comment })
    await assert.rejects(closeThread(ctx, { by: JULIET, post, isClosed: true }), (error) =>
      isAppError(error, 'too-many'),
    )
  })

  it('has nobody else remove what their own session may not', async () => {
    await using scene = await open()
    const { ctx, comment, post } = scene
    const removal = await scene.settle(await removeComment(ctx, { by: JULIET, address: comment }))
    assert.deepEqual([removal.status, removal.reason], ['refused', 'forbidden'])
    scene.juliet.pubsub.retractItem = () => Promise.reject(new AppError('forbidden', 'It is not yours'))
    const deletion = await scene.settle(await queueDelete(ctx, { author: JULIET, address: post }))
    assert.deepEqual([deletion.status, deletion.reason], ['refused', 'forbidden'])
    assert.equal(await scene.hold(), null)
    assert.equal(await scene.shown(), 'object')
    assert.ok(await ctx.network.pubsubOf(ROMEO).findItem(comment))
    assert.ok(await ctx.network.pubsubOf(ROMEO).findItem(post))
  })

  it('asks for a post to be removed, which stays until the site account sees it gone', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    lie(scene)
    const row = await queueDelete(ctx, { author: JULIET, address: post })
    assert.match((await scene.unseen(row)).problem ?? '', /It is removed here once it is gone there/)
    assert.equal(await scene.shown(), 'object')
    ctx.network.nodes.get(addressKey(scene.nights))?.items.delete(post.item)
    wake(scene)
    assert.equal((await scene.settle(row)).status, 'done')
    assert.equal(await findPost(ctx.index, post), 'gone')
  })

  it('asks for comments to be closed and opened, which is so here once their node shows it', async () => {
    await using scene = await open()
    const { ctx, post, thread } = scene
    lie(scene)
    for (const isClosed of [true, false]) {
      const row = await closeThread(ctx, { by: JULIET, post, isClosed })
      assert.match((await scene.unseen(row)).problem ?? '', /It is so here once this site sees that it is so there/)
      assert.equal((await findClosedThread(ctx.state, post)) === undefined, isClosed)
      const wanted = isClosed ? 'publishers' : 'open'
      await ctx.network.pubsubOf(ROMEO).configureNode(thread, { publish_model: wanted })
      wake(scene)
      assert.equal((await scene.settle(row)).status, 'done')
      assert.equal((await findClosedThread(ctx.state, post)) === undefined, !isClosed)
    }
  })

  it('opens nothing that its writer closed, because its node was open all the time', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    lie(scene)
    ctx.signOut(ROMEO)
    await closeThread(ctx, { by: ROMEO, post, isClosed: true })
    const row = await scene.settle(await closeThread(ctx, { by: JULIET, post, isClosed: false }))
    assert.match(row.problem ?? '', /It was so at pubsub\.montague\.example before/)
    assert.equal((await findClosedThread(ctx.state, post))?.by, ROMEO)
  })

  it('closes nothing where the node shows nobody who may comment', async () => {
    await using scene = await open()
    const { ctx, post, thread } = scene
    lie(scene)
    const { readInfo } = ctx.site.disco
    ctx.site.disco.readInfo = (service, node) =>
      node === thread.node ? Promise.reject(new AppError('forbidden', 'No')) : readInfo(service, node)
    const row = await scene.settle(await closeThread(ctx, { by: JULIET, post, isClosed: true }))
    assert.match(row.problem ?? '', /does not show this site who may comment: nothing changes here/)
    assert.equal(await findClosedThread(ctx.state, post), undefined)
  })

  it('asks for somebody to be blocked and let in, which changes nothing here', async () => {
    await using scene = await open()
    const { ctx, nights } = scene
    const blocked = await scene.settle(await blockOnBlog(ctx, { by: JULIET, blog: nights, jid: TYBALT }))
    assert.match(blocked.problem ?? '', /was told, but does not show this site who owns this: nothing changes here/)
    assert.equal(ctx.network.nodes.get(addressKey(nights))?.affiliations.get(TYBALT), 'outcast')
    assert.equal(await findBlock(ctx.state, nights, TYBALT), undefined)
    await scene.settle(await unblockOnBlog(ctx, { by: JULIET, blog: nights, jid: TYBALT }))
    assert.equal(ctx.network.nodes.get(addressKey(nights))?.affiliations.get(TYBALT), undefined)
    assert.equal(await scene.hold(), null)
  })

  it('is told why what no service can be asked for is not done', async () => {
    await using scene = await open()
    const { ctx, comment, nights } = scene
    const why =
      /pubsub\.montague\.example does not show this site that you own this community\..*cannot be asked for it/
    await assert.rejects(decide(ctx, { by: JULIET, address: comment, what: 'held' }), why)
    await assert.rejects(blockOnBlog(ctx, { by: JULIET, blog: nights, jid: domainOf(TYBALT) }), why)
    // By Romeo, whose node the comment is on.
    await removeComment(ctx, { by: ROMEO, address: comment })
    await assert.rejects(putBack(ctx, { by: JULIET, address: comment }), why)
    assert.notEqual(await scene.hold(), null)
  })
})

describe('who owns a community of their own server, which names no owners', () => {
  it('acts at once at any time: their own session is asked again', async () => {
    await using scene = await open({ service: AT_HOME })
    const { ctx, comment, nights, post } = scene
    await decide(ctx, { by: JULIET, address: comment, what: 'held' })
    assert.equal(await scene.hold(), 'held')
    await decide(ctx, { by: JULIET, address: comment, what: 'approved' })
    assert.equal(await scene.hold(), null)
    await blockOnBlog(ctx, { by: JULIET, blog: nights, jid: domainOf(TYBALT) })
    assert.equal(await scene.hold(), 'blocked')
    await closeThread(ctx, { by: JULIET, post, isClosed: true })
    assert.equal((await findClosedThread(ctx.state, post))?.by, JULIET)
    await removeComment(ctx, { by: JULIET, address: comment })
    assert.equal(await scene.hold(), 'removed')
  })
})

describe('who was seen to own a community', () => {
  it('is looked at again by an act that comes more than ten minutes later', async () => {
    await using scene = await open()
    const { ctx, nights, comment } = scene
    ctx.network.namesNoOwners = false
    await decide(ctx, { by: JULIET, address: comment, what: 'held' })
    Object.assign(ctx.network.nodes.get(addressKey(nights)) ?? {}, { owner: ROMEO })
    scene.later(9 * MINUTE)
    await decide(ctx, { by: JULIET, address: comment, what: 'approved' })
    scene.later(2 * MINUTE)
    await assert.rejects(decide(ctx, { by: JULIET, address: comment, what: 'held' }), /Only who owns the blog/)
    assert.equal(await isModerator(ctx, JULIET, nights), false)
    assert.equal(await scene.hold(), null)
  })

  it('loses nothing while its service does not answer', async () => {
    await using scene = await open()
    const { ctx, comment } = scene
    ctx.network.namesNoOwners = false
    await decide(ctx, { by: JULIET, address: comment, what: 'held' })
    scene.later(HOUR)
    ctx.site.disco.readInfo = () => Promise.reject(new AppError('timeout', 'Nobody answers'))
    await decide(ctx, { by: JULIET, address: comment, what: 'approved' })
    assert.equal(await scene.hold(), null)
    scene.later(48 * HOUR)
    await assert.rejects(decide(ctx, { by: JULIET, address: comment, what: 'held' }), /does not show this site/)
  })
})

describe('who says that they own a community of another server', () => {
  it('may ask it for what they like, and nothing changes here', async () => {
    await using scene = await open()
    const { ctx, nights, post, comment } = scene
    const mallory = ctx.signIn(MALLORY)
    Object.assign(mallory.pubsub, {
      listAffiliations: async () => [{ node: nights.node, jid: MALLORY, affiliation: 'owner' }],
      retractItem: () => Promise.reject(new AppError('forbidden', 'Not yours')),
    })
    assert.equal(await isModerator(ctx, MALLORY, nights), false)
    await assert.rejects(queueDelete(ctx, { author: MALLORY, address: post }), /Only its author/)
    assert.equal((await listPeople(ctx, MALLORY, nights)).isSeen, false)
    assert.equal(await isModerator(ctx, MALLORY, nights), true)
    ctx.network.namesNoOwners = false
    // Its service names another now, so that what Mallory says counts for nothing at all.
    await assert.rejects(closeThread(ctx, { by: MALLORY, post, isClosed: true }), /Only who owns the blog/)
    await assert.rejects(queueDelete(ctx, { author: MALLORY, address: post }), /Only its author/)
    ctx.network.namesNoOwners = true
    await listPeople(ctx, MALLORY, nights)
    assert.equal((await scene.settle(await queueDelete(ctx, { author: MALLORY, address: post }))).status, 'refused')
    const removal = await removeComment(ctx, { by: MALLORY, address: comment })
    assert.equal(removal && (await scene.settle(removal)).status, 'refused')
    assert.deepEqual([await scene.hold(), await scene.shown()], [null, 'object'])
    assert.ok(await ctx.network.pubsubOf(ROMEO).findItem(post))
    assert.equal((await findCommunity(ctx.state, nights))?.owner, JULIET)
  })

  it('has no post removed by the session of its owner once they own it no more', async () => {
    await using scene = await open()
    const { ctx, nights, post } = scene
    const mallory = ctx.signIn(MALLORY)
    mallory.pubsub.listAffiliations = async () => [{ node: nights.node, jid: MALLORY, affiliation: 'owner' }]
    ctx.network.namesNoOwners = false
    const { readInfo } = ctx.site.disco
    ctx.site.disco.readInfo = async (...asked) => {
      const info = await readInfo(...asked)
      const fields = info.forms.get(NS.PUBSUB_META_DATA) ?? new Map<string, readonly string[]>()
      return {
        ...info,
        forms: new Map([[NS.PUBSUB_META_DATA, new Map([...fields, ['pubsub#owner', [JULIET, MALLORY]]])]]),
      }
    }
    assert.equal((await listPeople(ctx, MALLORY, nights)).isSeen, true)
    ctx.site.disco.readInfo = readInfo
    scene.later(11 * MINUTE)
    await assert.rejects(queueDelete(ctx, { author: MALLORY, address: post }), /Only its author/)
    assert.ok(await ctx.network.pubsubOf(ROMEO).findItem(post))
  })

  it('is remembered of the thousand accounts that said so last', async () => {
    await using scene = await open()
    const { ctx, nights } = scene
    const accounts = Array.from({ length: 1_001 }, (_, n) => jidOf(`owner-${n}@evil.example`))
    for (const jid of accounts) {
      const { pubsub } = ctx.signIn(jid)
      pubsub.listAffiliations = async () => [{ node: nights.node, jid, affiliation: 'owner' }]
      await listPeople(ctx, jid, nights)
    }
    const [first, second] = accounts
    assert.ok(first && second)
    assert.equal(await isModerator(ctx, first, nights), false)
    assert.equal(await isModerator(ctx, second, nights), true)
  })
})
