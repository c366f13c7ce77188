import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { blockOnBlog, unblockOnBlog } from '#server/feeds/moderation/block.ts'
import { closeThread } from '#server/feeds/moderation/close-thread.ts'
import { decide } from '#server/feeds/moderation/decide.ts'
import { putBack, removeComment } from '#server/feeds/moderation/remove.ts'
import { type OutboxRow, queuePost } from '#server/feeds/outbox.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import { jidOf } from '#test/support/context.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { startSlixmpp } from '#test/support/slixmpp.ts'
import { until } from '#test/support/until.ts'

const DRAFT: PostDraft = { title: 'Hello', text: 'A *text*', tags: [], language: 'en', summary: '', comments: true }

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  async function open() {
    const end = randomUUID().slice(0, 8)
    const ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    const owner = await ctx.signIn(rig[kind], `owner-${end}`)
    const guest = `guest-${end}`
    await rig[other].register(guest, 'secret')
    const { service, certificate } = rig[other]
    const client = await startSlixmpp({ jid: `${guest}@${other}.test`, password: 'secret', service, certificate })
    await client.presence()
    await ctx.indexing.start()
    await ctx.outbox.start()
    const done = async (row: OutboxRow | undefined) => {
      if (row === undefined) return
      const last = await ctx.outbox.settle(row.id, 30_000)
      assert.equal(last.status, 'done', last.problem)
    }
    const row = await queuePost(ctx, { author: owner.jid, key: end, draft: DRAFT })
    await done(row)
    const post = await until(async () => {
      const found = await findPost(ctx.index, row.address)
      return found === 'gone' ? undefined : found
    })
    const thread = post.comments
    assert.ok(thread)
    await until(async () => (await findNode(ctx.index, thread))?.subscription === 'subscribed')
    await client.subscribe(thread)
    return {
      ...{ ctx, owner, client, thread, done, post: row.address, guest: jidOf(`${guest}@${other}.test`) },
      hold: (address: ItemAddress, wanted: string | null) =>
        until(
          async () => {
            const entry = await findJudged(ctx.index, address)
            return (entry === undefined ? 'absent' : (entry.hold ?? null)) === wanted
          },
          { what: `${address.item} to be ${wanted}` },
        ),
      comment: async (text: string): Promise<ItemAddress> => {
        const item = await client.comment({ ...thread, text })
        return { ...thread, item: asItemId(item) }
      },
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]()
        await ctx[Symbol.asyncDispose]()
      },
    }
  }

  describe(`moderation of a blog on ${kind}`, () => {
    it('holds, approves, removes for every client, puts back as its writer’s, blocks and unblocks', async () => {
      await using scene = await open()
      const { ctx, owner, client, done, hold } = scene
      const by = owner.jid
      const address = await scene.comment('Buy at https://spam.example/')
      await hold(address, 'held')
      await decide(ctx, { by, address, what: 'approved' })
      await hold(address, null)
      await done(await removeComment(ctx, { by, address }))
      await client.hear(({ event, item }) => event === 'retracted' && item === address.item, 'the retraction')
      assert.equal(await owner.pubsub.findItem(address), undefined)
      const heard = client.events.length
      await done(await putBack(ctx, { by, address }))
      await until(() =>
        client.events.slice(heard).some(({ event, item }) => event === 'published' && item === address.item),
      )
      assert.ok(await owner.pubsub.findItem(address))
      await hold(address, null)
      // The service says that the owner wrote it; the kept copy knows better, also when all is read again.
      assert.equal((await findJudged(ctx.index, address))?.author, scene.guest)
      await ctx.indexing.reindex()
      await hold(address, null)
      assert.equal((await findJudged(ctx.index, address))?.author, scene.guest)
      const block = { by, blog: { service: by, node: scene.post.node }, jid: scene.guest }
      await blockOnBlog(ctx, block)
      await hold(address, 'blocked')
      const next = await scene.comment('And again')
      await client.hear(({ event, item }) => event === 'retracted' && item === next.item, 'its retraction')
      await hold(next, 'absent')
      await unblockOnBlog(ctx, block)
      await hold(address, null)
      await hold(await scene.comment('Thank you'), null)
    })

    it('closes the comments on the node itself, and opens them again', async () => {
      await using scene = await open()
      const { ctx, owner, client, thread, done, post } = scene
      await done(await closeThread(ctx, { by: owner.jid, post, isClosed: true }))
      await assert.rejects(client.comment({ ...thread, text: 'Too late' }), /forbidden/)
      await done(await closeThread(ctx, { by: owner.jid, post, isClosed: false }))
      await scene.hold(await scene.comment('In time'), null)
    })
  })
}
