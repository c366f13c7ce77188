import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { addAuthor } from '#server/feeds/authors.ts'
import { type OutboxRow, queueDelete, queuePost } from '#server/feeds/outbox.ts'
import { queueReact } from '#server/feeds/reactions/queue-react.ts'
import { findPost, type PostRow } from '#server/store/post.ts'
import { countReactions } from '#server/store/reaction.ts'
import { addressKey, asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { readReactions } from '#shared/reactions.ts'
import { writeXml } from '#shared/xml.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { JULIET, ROMEO, xml } from './fixtures.ts'

const DRAFT = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }

interface Scene {
  readonly ctx: TestContext
  readonly post: ItemAddress
  react(emoji: string, isOn: boolean, status?: OutboxRow['status']): Promise<OutboxRow>
  nodeOf(
    address: NodeAddress,
  ): TestContext['network']['nodes'] extends ReadonlyMap<string, infer Node> ? Node | undefined : never
}

async function open(): Promise<Scene & AsyncDisposable> {
  const ctx = await createTestContext()
  ctx.signIn(JULIET)
  ctx.signIn(ROMEO)
  await addAuthor(ctx, JULIET)
  await ctx.indexing.start()
  await ctx.outbox.start()
  const settled = async (row: OutboxRow, status: OutboxRow['status']) => {
    const last = await ctx.outbox.settle(row.id, 30_000)
    assert.equal(last.status, status, last.problem)
    return last
  }
  const row = await settled(await queuePost(ctx, { author: JULIET, key: 'form', draft: DRAFT }), 'done')
  return {
    ctx,
    post: row.address,
    react: async (emoji, isOn, status = 'done') =>
      settled(await queueReact(ctx, { by: ROMEO, post: row.address, emoji, isOn }), status),
    nodeOf: ({ service, node }) => ctx.network.nodes.get(addressKey({ service, node })),
    [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
  }
}

const countsOf = async ({ ctx, post }: Scene) =>
  (await countReactions(ctx.index, post)).map(({ emoji, count }) => `${emoji} ${count}`)

describe('a reaction that somebody sends', () => {
  it('is attached to the post, whose node for that anybody may write to, and which goes with it', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    const node = scene.nodeOf(attachmentsOf(post))
    assert.equal(node?.owner, JULIET)
    assert.equal(node?.config.publish_model, 'open')
    await scene.react('❤️', true)
    await scene.react('👍', true)
    const item = node?.items.get(asItemId(ROMEO))
    assert.deepEqual(item?.payload && readReactions(item.payload)?.emoji, ['♥', '👍'])
    assert.deepEqual(await countsOf(scene), ['♥ 1', '👍 1'])
    const row = await queueDelete(ctx, { author: JULIET, address: post })
    assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
    assert.equal(scene.nodeOf(attachmentsOf(post)), undefined)
  })

  it('is taken back alone: what others put into the same item stays', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    const address = { ...attachmentsOf(post), item: asItemId(ROMEO) }
    const payload = xml(
      `<attachments xmlns='urn:xmpp:pubsub-attachments:1'><noticed timestamp='2026-01-01T00:00:00Z'/>` +
        `<reactions><reaction>♥</reaction><reaction>🌹</reaction></reactions><note xmlns='urn:x:1'>mine</note></attachments>`,
    )
    await ctx.network.pubsubOf(ROMEO).publishItem(address, payload)
    await scene.react('♥', false)
    const left = scene.nodeOf(address)?.items.get(address.item)?.payload
    assert.ok(left)
    assert.match(writeXml(left), /<noticed timestamp="2026-01-01T00:00:00Z"\/>.*<note xmlns="urn:x:1">mine<\/note>/)
    assert.deepEqual(readReactions(left)?.emoji, ['🌹'])
    assert.deepEqual(await countsOf(scene), ['🌹 1'])
  })

  it('is published once, however often it is wished', async () => {
    await using scene = await open()
    await scene.react('👍', true)
    const { network } = scene.ctx
    const before = network.asked.filter(({ method }) => method === 'publishItem').length
    await scene.react('👍', true)
    await scene.react('🎉', false)
    assert.equal(network.asked.filter(({ method }) => method === 'publishItem').length, before)
  })

  it('is a comment of one heart where there is no such node, and nothing else is', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    await ctx.network.pubsubOf(JULIET).deleteNode(attachmentsOf(post))
    const refused = await scene.react('👍', true, 'refused')
    assert.match(refused.problem ?? '', /no other reactions/)
    await scene.react('♥', true)
    await scene.react('♥', true)
    assert.deepEqual(await countsOf(scene), ['♥ 1'])
    const thread = [...ctx.network.nodes.values()].find(({ address }) => address.node.includes(':comments/'))
    const [item, ...others] = thread?.items.values() ?? []
    assert.equal(others.length, 0)
    assert.match(writeXml(item?.payload ?? xml('<none/>')), /<title type="text">♥<\/title>/)
    // The heart refers to the post by its atom:id, as a comment does.
    const { atomId } = (await findPost(ctx.index, post)) as PostRow
    assert.equal(item?.payload?.getChild('in-reply-to', NS.THREAD)?.attrs.ref, atomId)
    // Its author may not retract here: the post's owner is asked.
    await scene.react('♥', false)
    assert.equal(thread?.items.size, 0)
    assert.deepEqual(await countsOf(scene), [])
  })

  it('makes no node that would be its own', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    await ctx.network.pubsubOf(JULIET).deleteNode(attachmentsOf(post))
    await scene.react('♥', true)
    assert.equal(scene.nodeOf(attachmentsOf(post)), undefined)
  })

  it('leaves a post without where its server makes no such node', async () => {
    await using scene = await open()
    const { ctx } = scene
    ctx.network.failNext('createNode', new AppError('forbidden', 'Not for comments'))
    ctx.network.failNext('createNode', new AppError('forbidden', 'Not for comments'))
    ctx.network.failNext('createNode', new AppError('forbidden', 'Not for attachments'))
    const row = await queuePost(ctx, { author: JULIET, key: 'two', draft: { ...DRAFT, title: 'Two' } })
    assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
    assert.equal(scene.nodeOf(attachmentsOf(row.address)), undefined)
  })

  it('is not asked for each time that somebody looks at a post without such a node', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    const address = attachmentsOf({ ...post, item: asItemId('of-another-client') })
    const countAsked = () => ctx.network.asked.filter((asked) => asked.address?.node === address.node).length
    ctx.indexing.viewed(address)
    await ctx.indexing.idle()
    const first = countAsked()
    assert.ok(first > 0)
    for (let n = 0; n < 5; n++) ctx.indexing.viewed(address)
    await ctx.indexing.idle()
    assert.equal(countAsked(), first)
  })

  it('is refused for what is not one emoji, and for a post that is not there', async () => {
    await using scene = await open()
    const { ctx, post } = scene
    for (const emoji of ['', 'a', '👍👍', '1', 'novel '.repeat(1_000)])
      await assert.rejects(queueReact(ctx, { by: ROMEO, post, emoji, isOn: true }), /not one emoji/)
    const nowhere = { ...post, item: asItemId('nowhere') }
    await assert.rejects(queueReact(ctx, { by: ROMEO, post: nowhere, emoji: '♥', isOn: true }), /no such post/)
  })
})
