import assert from 'node:assert/strict'
import { listComments } from '#server/store/comment.ts'
import { findEntry } from '#server/store/entry.ts'
import { findPost } from '#server/store/post.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import { until } from '#test/support/until.ts'
import { commentsLink, entryOf, itemOf } from '../../feeds/fixtures.ts'
import type { Row } from './places.ts'
import { nth, type Scene } from './scene.ts'

const DAY = 25 * 3_600_000

/** What a cell needs to know beside its scene. */
export interface Question {
  readonly scene: Scene
  readonly items: number
  /** The limit of this place, where the fall-back is what is to be seen. */
  readonly limit: string | undefined
}

/** What must be so in each row of the matrix, in the order they are done. */
export const CELLS: Record<Row, (question: Question) => Promise<void>> = {
  async follow({ scene }) {
    await scene.follow(scene.node)
    await until(async () => (await scene.row())?.subscription === 'subscribed', { what: 'the site to be subscribed' })
    await until(async () => (await scene.wish(scene.node))?.subscription === 'subscribed', { what: 'the person to be' })
    assert.equal((await scene.wish(scene.node))?.isListed, true)
  },

  async backfill({ scene, items, limit }) {
    await until(() => hasPost(scene, nth(items)), { what: 'the newest post' })
    const early = await countPosts(scene)
    if (limit === undefined) {
      await until(async () => (await countPosts(scene)) === items, { what: `${items} posts` })
      await until(async () => (await scene.row())?.backfill === 'done', { what: 'the first reading to be done' })
    } else {
      await until(async () => (await scene.row())?.backfill === 'partial', { what: 'the page to say what is missing' })
      const kept = await countPosts(scene)
      assert.ok(kept >= 50 && kept < items, `${kept} posts were read`)
      for (let n = items - kept + 1; n <= items; n++) assert.ok(await hasPost(scene, nth(n)), nth(n))
    }
    if (items >= 1000) assert.ok(early < items / 2, `the newest was there when only ${early} were read`)
  },

  async 'live publish'({ scene }) {
    await publish(scene, 'live', 'Hot')
    await until(async () => (await titleOf(scene, 'live')) === 'Hot')
    assert.ok(heard(scene, 'published', 'live'), 'it came by an event')
  },

  async edit({ scene }) {
    await publish(scene, 'live', 'Cool')
    await until(async () => (await titleOf(scene, 'live')) === 'Cool')
  },

  async retract({ scene }) {
    await scene.owner.pubsub.retractItem(itemOf(scene.node, 'live'))
    await until(() => isGone(scene, 'live'))
    assert.ok(heard(scene, 'retracted', 'live'), 'it came by an event')
  },

  async 'id-only event'({ scene }) {
    // ejabberd answers "Database failure" now and then where two transactions of Mnesia meet.
    const deliver = (payloads: string) =>
      until(() => scene.owner.pubsub.configureNode(scene.node, { deliver_payloads: payloads }))
    assert.equal((await deliver('0')).deliver_payloads, '0')
    await publish(scene, 'by-id', 'Asked for')
    await until(async () => (await titleOf(scene, 'by-id')) === 'Asked for')
    const event = scene.heard.find(({ kind, address }) => kind === 'published' && itemIn(address) === 'by-id')
    assert.ok(event?.kind === 'published' && event.item?.payload === undefined, 'the event had no payload')
    await deliver('1')
  },

  async 'retract while away'({ scene, items, limit }) {
    await scene.leave()
    const [recent, old] = [nth(items - 5), nth(Math.floor(items / 2))]
    for (const item of [recent, old]) await scene.owner.pubsub.retractItem(itemOf(scene.node, item))
    // As many are published as are retracted, so that counting alone does not tell.
    for (const item of ['meanwhile', 'and-another']) await publish(scene, item, item)
    await scene.comeBack()
    for (const item of ['meanwhile', 'and-another']) await until(() => hasPost(scene, item), { what: item })
    if (limit !== undefined) scene.stepClock(DAY)
    await until(() => isGone(scene, recent), { what: `${recent} to be gone` })
    // Where the older ones cannot be had, nothing can be said of them.
    if ((await scene.row())?.backfill !== 'partial')
      await until(() => isGone(scene, old), { what: `${old} to be gone` })
    else assert.ok(limit !== undefined)
  },

  async 'comment from afar'({ scene }) {
    const { blog, thread, owner, commenter, ctx } = scene
    await scene.follow(blog)
    const post = entryOf({ title: 'Say something', author: owner.jid, more: commentsLink(thread) })
    await owner.pubsub.publishItem(itemOf(blog, `talk-${thread.node.slice(-8)}`), post)
    await until(async () => (await scene.row(thread))?.subscription === 'subscribed', { what: 'the thread' })
    await commenter.pubsub.publishItem(
      itemOf(thread, 'hail'),
      entryOf({ title: 'Hail', text: 'Hail', author: commenter.jid }),
    )
    const [comment] = await until(async () => {
      const found = await listComments(ctx.index, thread)
      return found.length > 0 ? found : undefined
    })
    assert.equal(comment?.author?.jid, commenter.jid)
    // Of a commenter's server other than the site's, only the word of the node's service is known.
    const isOwnServer = thread.service.endsWith(ctx.siteDomain)
    assert.equal(comment?.credit, isOwnServer ? 'credited' : 'according')
    assert.ok(heard(scene, 'published', 'hail'), 'it came by an event')
  },

  async 'overwritten comment'({ scene, limit }) {
    const { thread, commenter, stranger, ctx } = scene
    const overwrite = entryOf({ title: 'I never said so', author: commenter.jid })
    const writing = stranger.pubsub.publishItem(itemOf(thread, 'hail'), overwrite)
    if (limit === undefined) await writing
    else await assert.rejects(writing)
    const node = await scene.row(thread)
    const overwrites = async () => (await findEntry(ctx.index, node?.id ?? 0, asItemId('hail')))?.overwrites
    if (limit === undefined) await until(async () => (await overwrites()) === 1, { what: 'the overwriting' })
    ctx.indexing.watch(thread)
    await ctx.indexing.idle()
    const [comment] = await listComments(ctx.index, thread)
    assert.equal(comment?.author?.jid, commenter.jid)
    assert.match(comment?.html ?? '', /Hail/)
    // A new comment that claims to be another's is not shown as theirs either.
    await stranger.pubsub.publishItem(itemOf(thread, 'forged'), entryOf({ title: 'Forged', author: commenter.jid }))
    const forged = await until(async () =>
      (await listComments(ctx.index, thread)).find(({ address }) => address.item === asItemId('forged')),
    )
    assert.notEqual(forged.author?.jid, commenter.jid)
  },

  async 'node deleted while away'({ scene }) {
    await scene.leave()
    await scene.owner.pubsub.deleteNode(scene.node)
    await scene.comeBack()
    // One answer may be an error of its service: the node is hidden, and lost when it is missing a day later.
    const isStatus = (status: string) => async () => (await scene.row())?.status === status
    await until(isStatus('hidden'), { what: 'the node to be hidden' })
    scene.stepClock(DAY)
    scene.ctx.indexing.watch(scene.node)
    await until(isStatus('deleted'), { what: 'the node to be known as deleted' })
    assert.equal(await hasPost(scene, 'meanwhile'), false)
  },
}

function publish({ owner, node }: Scene, item: string, title: string): Promise<void> {
  const published = '2026-01-02T03:04:05Z'
  return owner.pubsub.publishItem(itemOf(node, item), entryOf({ title, published, updated: new Date().toISOString() }))
}

async function countPosts({ ctx, node }: Scene): Promise<number> {
  const { n } = await ctx.index
    .selectFrom('entry')
    .innerJoin('node', 'node.id', 'entry.nodeId')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('node.service', '=', node.service)
    .where('node.node', '=', node.node)
    .executeTakeFirstOrThrow()
  return n
}

async function titleOf({ ctx, node }: Scene, item: string): Promise<string | undefined> {
  const post = await findPost(ctx.index, itemOf(node, item))
  return post === 'gone' ? undefined : post?.title
}

async function hasPost(scene: Scene, item: string): Promise<boolean> {
  return (await titleOf(scene, item)) !== undefined
}

async function isGone({ ctx, node }: Scene, item: string): Promise<boolean> {
  return (await findPost(ctx.index, itemOf(node, item))) === 'gone'
}

function heard({ heard: events }: Scene, kind: string, item: string): boolean {
  return events.some((event) => event.kind === kind && itemIn(event.address) === item)
}

function itemIn(address: NodeAddress & { readonly item?: string }): string | undefined {
  return address.item
}
