import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { type OutboxRow, queuePost } from '#server/feeds/outbox.ts'
import { queueReact } from '#server/feeds/reactions/queue-react.ts'
import { findPost } from '#server/store/post.ts'
import { countReactions } from '#server/store/reaction.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { startSlixmpp } from '#test/support/slixmpp.ts'
import { until } from '#test/support/until.ts'

const DRAFT = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  async function open() {
    const stack = new AsyncDisposableStack()
    const end = randomUUID().slice(0, 8)
    const ctx = stack.use(await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` }))
    const author = await ctx.signIn(rig[kind], `author-${end}`)
    assert.equal((await addAuthor(ctx, author.jid)).kind, 'ready')
    await ctx.indexing.start()
    await ctx.outbox.start()
    const settled = async (row: OutboxRow) => {
      const last = await ctx.outbox.settle(row.id, 30_000)
      assert.equal(last.status, 'done', last.problem)
      return last
    }
    const { address } = await settled(await queuePost(ctx, { author: author.jid, key: 'a', draft: DRAFT }))
    await ctx.indexing.idle()
    const client = async (user: string) => {
      const server = rig[other]
      const jid = `${user}-${end}@${server.domain}`
      await server.register(`${user}-${end}`, 'secret')
      const { service, certificate } = server
      const started = stack.use(await startSlixmpp({ jid, password: 'secret', service, certificate }))
      return Object.assign(started, { jid })
    }
    const counts = async () =>
      (await countReactions(ctx.index, address)).map(({ emoji, count }) => `${emoji} ${count}`).join(', ')
    return { ctx, author, end, address, settled, client, counts, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  describe(`reactions to a post on ${kind}`, () => {
    it(`are counted from a client on ${other} that attaches them as Libervia, and go when it takes them back`, async () => {
      await using scene = await open()
      const romeo = await scene.client('romeo')
      const { service, node } = attachmentsOf(scene.address)
      const attach = (inner: string) =>
        romeo.publish({
          ...{ service, node, item: romeo.jid },
          payload: `<attachments xmlns="urn:xmpp:pubsub-attachments:1">${inner}</attachments>`,
        })
      const noticed = '<noticed timestamp="2026-11-22T12:00:00Z"/>'
      await attach(`${noticed}<reactions><reaction>❤️</reaction><reaction>👷</reaction></reactions>`)
      await until(async () => (await scene.counts()) === '♥ 1, 👷 1')
      await attach(noticed)
      await until(async () => (await scene.counts()) === '')
    })

    it('do not count in the name of somebody else', async () => {
      await using scene = await open()
      const [romeo, mallory] = [await scene.client('romeo'), await scene.client('mallory')]
      const { service, node } = attachmentsOf(scene.address)
      const payload = (emoji: string) =>
        `<attachments xmlns="urn:xmpp:pubsub-attachments:1"><reactions><reaction>${emoji}</reaction></reactions></attachments>`
      await mallory.publish({ service, node, item: romeo.jid, payload: payload('💩') })
      await mallory.publish({ service, node, item: mallory.jid, payload: payload('🎉') })
      await until(async () => (await scene.counts()) === '🎉 1')
    })

    it(`are attached by an account on ${other} here, read there, and taken back`, async () => {
      await using scene = await open()
      const reader = await scene.ctx.signIn(rig[other], `reader-${scene.end}`)
      const by = reader.jid
      const react = async (emoji: string, isOn: boolean) =>
        scene.settled(await queueReact(scene.ctx, { by, post: scene.address, emoji, isOn }))
      await react('♥', true)
      await react('🌹', true)
      assert.equal(await scene.counts(), '♥ 1, 🌹 1')
      const romeo = await scene.client('romeo')
      const read = async () => {
        const items = await romeo.items(attachmentsOf(scene.address))
        return items
          .filter(({ id }) => id === by)
          .map(({ payload = '' }) => [...payload.matchAll(/>([^<>]+)</g)].map(([, text]) => text))
      }
      assert.deepEqual(await read(), [['❤️', '🌹']])
      await react('♥', false)
      assert.deepEqual(await read(), [['🌹']])
      assert.equal(await scene.counts(), '🌹 1')
    })

    it('are a heart as a comment where the post has no node for them, taken back by who may', async () => {
      await using scene = await open()
      const { ctx, author, address } = scene
      await author.pubsub.deleteNode(attachmentsOf(address))
      const reader = await ctx.signIn(rig[other], `reader-${scene.end}`)
      const heart = (isOn: boolean) => queueReact(ctx, { by: reader.jid, post: address, emoji: '♥', isOn })
      await scene.settled(await heart(true))
      const post = await findPost(ctx.index, address)
      assert.ok(post !== undefined && post !== 'gone' && post.comments !== undefined)
      assert.equal(post.commentCount, 0, 'a heart is no comment')
      assert.equal(post.heartCount, 1)
      const romeo = await scene.client('romeo')
      const [item] = await romeo.items(post.comments)
      assert.match(item?.payload ?? '', /title[^>]*>♥<\//)
      await romeo.comment({ ...post.comments, text: '♥' })
      await until(async () => (await scene.counts()) === '♥ 2')
      await scene.settled(await heart(false))
      assert.equal((await romeo.items(post.comments)).length, 1)
      assert.equal(await scene.counts(), '♥ 1')
    })
  })
}
