import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { readFollowers } from '#server/feeds/notify/followers.ts'
import { createNotifier } from '#server/feeds/notify/notifier.ts'
import { type OutboxRow, queuePost } from '#server/feeds/outbox.ts'
import { saveAccount } from '#server/store/account.ts'
import { findNode } from '#server/store/node.ts'
import { listNotifications, saveNotifiesByMessage } from '#server/store/notification.ts'
import { findPost } from '#server/store/post.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { type SlixmppClient, startSlixmpp } from '#test/support/slixmpp.ts'
import { until } from '#test/support/until.ts'

const DRAFT = { title: 'The balcony', text: 'What light', tags: [], language: 'en', summary: '', comments: true }

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  async function open() {
    await using stack = new AsyncDisposableStack()
    const clients = stack.use(new AsyncDisposableStack())
    const end = randomUUID().slice(0, 8)
    const ctx = stack.use(await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` }))
    const owner = await ctx.signIn(rig[kind], `owner-${end}`)
    await saveAccount(ctx.state, { jid: owner.jid, userAgentId: 'test', createdAt: new Date() })
    const client = async (server: typeof kind, user: string, password: string): Promise<SlixmppClient> => {
      await rig[server].register(user, password).catch(() => {})
      const { service, certificate } = rig[server]
      const started = await startSlixmpp({ jid: `${user}@${server}.test`, password, service, certificate })
      clients.use(started)
      await started.presence()
      return started
    }
    await ctx.indexing.start()
    await ctx.outbox.start()
    const row: OutboxRow = await queuePost(ctx, { author: owner.jid, key: end, draft: DRAFT })
    assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
    const post = await until(async () => {
      const found = await findPost(ctx.index, row.address)
      return found === 'gone' ? undefined : found
    })
    const thread = post.comments
    assert.ok(thread)
    await until(async () => (await findNode(ctx.index, thread))?.subscription === 'subscribed')
    const notifier = createNotifier({ ...ctx, people: () => [owner] })
    notifier.start()
    stack.defer(() => notifier.stop())
    const owned = stack.move()
    return { ctx, owner, client, thread, end, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }

  describe(`notifications of somebody on ${kind}`, () => {
    it('reach the chat client of their own account as one message of the site, with the way to the comment', async () => {
      await using scene = await open()
      const { ctx, owner, thread, end } = scene
      const phone = await scene.client(kind, `owner-${end}`, `password of owner-${end}`)
      const guest = await scene.client(other, `guest-${end}`, 'secret')
      await saveNotifiesByMessage(ctx.state, owner.jid, true, ctx.clock())
      const item = await guest.comment({ ...thread, text: 'He jests at scars' })
      const { body } = await phone.hear(({ event, body: said = '' }) => event === 'message' && said.includes('jests'))
      assert.match(body ?? '', new RegExp(`guest-${end}\\S* commented on “The balcony”: He jests at scars`))
      assert.ok(body?.includes(`https://blog.example/@owner-${end}`), body)
      assert.ok(body?.includes(`/comments/${item}`), body)
      const [row] = await listNotifications(ctx.state, owner.jid, { limit: 1 })
      assert.ok(row?.sentAt)
    })

    it(kind === 'prosody' ? 'tell of a new follower' : 'tell of no followers, as the server does not', async () => {
      await using scene = await open()
      const { ctx, owner, end } = scene
      const first = await readFollowers(ctx, owner)
      if (kind === 'ejabberd') {
        assert.equal(first, 'untold')
        return
      }
      assert.equal(first, 'read')
      const guest = await scene.client(other, `guest-${end}`, 'secret')
      await guest.subscribe({ service: owner.jid, node: 'urn:xmpp:microblog:0' })
      assert.equal(await readFollowers(ctx, owner), 'read')
      const rows = await listNotifications(ctx.state, owner.jid, { limit: 10 })
      assert.deepEqual(
        rows.map((row) => [row.kind, row.actor]),
        [['follower', `guest-${end}@${other}.test`]],
      )
      assert.equal(await readFollowers(ctx, owner), 'read')
      assert.equal((await listNotifications(ctx.state, owner.jid, { limit: 10 })).length, 1)
    })
  })
}
