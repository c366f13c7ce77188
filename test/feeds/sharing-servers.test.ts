import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { addAuthor } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/blog-of.ts'
import { queueDelete } from '#server/feeds/queue.ts'
import { createOriginals } from '#server/feeds/sharing/originals.ts'
import { queueRepost } from '#server/feeds/sharing/queue-repost.ts'
import { addFollow } from '#server/store/follow.ts'
import type { OutboxRow } from '#server/store/outbox.ts'
import { findPost, type PostRow } from '#server/store/post.ts'
import { asItemId, type ItemAddress, writePlainXmppUri, writeXmppUri } from '#shared/address.ts'
import { readEntry } from '#shared/entry.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { createRealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { startSlixmpp } from '#test/support/slixmpp.ts'
import { until } from '#test/support/until.ts'
import { xml } from './fixtures.ts'

const OPEN = { access_model: 'open', max_items: '20', presence_based_delivery: '0' }

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

function entry(by: string, more: string): string {
  return (
    '<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">At the café</title><id>x</id>' +
    '<published>2026-11-20T12:00:00Z</published><updated>2026-11-20T12:00:00Z</updated>' +
    `<author><name>Romeo</name><uri>xmpp:${by}</uri></author><content type="text">One thing</content>${more}</entry>`
  )
}

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  /** An author on one server, and on the other somebody with a post by another client, and with comments on it. */
  async function open() {
    const stack = new AsyncDisposableStack()
    const end = randomUUID().slice(0, 8)
    const ctx = stack.use(await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` }))
    const author = await ctx.signIn(rig[kind], `author-${end}`)
    assert.equal((await addAuthor(ctx, author.jid)).kind, 'ready')
    const client = async (on: typeof kind, user: string) => {
      const { service, certificate, domain } = rig[on]
      const password = `password of ${user}`
      await rig[on].register(user, password).catch(() => {})
      const jid = readBareJid(`${user}@${domain}`) as BareJid
      return Object.assign(stack.use(await startSlixmpp({ jid, password, service, certificate })), { jid })
    }
    const romeo = await client(other, `romeo-${end}`)
    const original: ItemAddress = { ...blogOf(romeo.jid), item: asItemId('cafe-at-noon') }
    const thread = { service: romeo.jid, node: 'urn:xmpp:microblog:0:comments/cafe-at-noon' }
    await romeo.create({ node: original.node, config: OPEN })
    await romeo.create({ node: thread.node, config: { ...OPEN, publish_model: 'open' } })
    const links =
      '<link rel="alternate" type="text/html" href="https://montague.example/cafe"/>' +
      `<link rel="replies" title="comments" href="${writePlainXmppUri(thread)}"/>`
    await romeo.publish({ node: original.node, item: original.item, payload: entry(romeo.jid, links) })
    await ctx.indexing.start()
    await ctx.outbox.start()
    const settled = async (row: OutboxRow) => {
      const last = await ctx.outbox.settle(row.id, 30_000)
      assert.equal(last.status, 'done', last.problem)
      return last
    }
    const find = async (address: ItemAddress): Promise<PostRow | undefined> => {
      const post = await findPost(ctx.index, address)
      return post === 'gone' ? undefined : post
    }
    const scene = { ctx, author, end, romeo, original, thread, client, settled, find }
    return { ...scene, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  describe(`a repost on ${kind} of a post on ${other}`, () => {
    it('by another client, as Libervia writes it, is its publisher’s; the original’s own node says whose that is', async () => {
      await using scene = await open()
      const { ctx, author, romeo, original, thread } = scene
      const client = await scene.client(kind, `author-${scene.end}`)
      const via = `<link rel="via" href="${writeXmppUri(original)}"/>`
      const address = { ...blogOf(author.jid), item: asItemId('shared-cafe') }
      await client.publish({ node: address.node, item: address.item, payload: entry(romeo.jid, via) })
      await until(async () => (await scene.find(address)) !== undefined)
      const before = await scene.find(address)
      assert.deepEqual([before?.author?.jid, before?.repost?.author], [author.jid, undefined])
      await createOriginals(ctx).readDue()
      const { repost } = (await scene.find(address)) ?? {}
      assert.deepEqual(repost?.author, { jid: romeo.jid, name: 'Romeo' })
      assert.deepEqual(repost?.comments, thread)
      assert.equal(await scene.find(original), undefined, 'what was only reposted is no post here')
    })

    it('from here is read by other clients, claims nothing in another’s name, and is taken back', async () => {
      await using scene = await open()
      const { ctx, author, romeo, original, thread } = scene
      await addFollow(ctx.state, { follower: author.jid, address: blogOf(romeo.jid), since: new Date() })
      await until(async () => (await scene.find(original)) !== undefined)
      const post = (await scene.find(original)) as PostRow
      const url = post.alternate ?? ''
      const repost = { author: author.jid, key: 'share-once', post, url, words: 'How true' }
      const { address } = await scene.settled(await queueRepost(ctx, repost))
      await assert.rejects(queueRepost(ctx, { ...repost, key: 'share-twice' }), /already/)
      const items = await romeo.items(blogOf(author.jid))
      const read = readEntry(xml(items.find(({ id }) => id === address.item)?.payload ?? ''))
      assert.equal(read?.author.jid, author.jid)
      assert.deepEqual(read?.via, { address: original, name: 'Romeo' })
      assert.deepEqual(read?.comments, thread)
      assert.match(
        read?.html ?? '',
        /Shared from <a[^>]*>Romeo<\/a>:.*<blockquote>.*One thing.*<\/blockquote>.*How true/s,
      )
      assert.deepEqual((await scene.find(address))?.repost?.author, { jid: romeo.jid, name: 'Romeo' })
      await scene.settled(await queueDelete(ctx, { author: author.jid, address }))
      assert.ok(!(await romeo.items(blogOf(author.jid))).some(({ id }) => id === address.item))
      assert.deepEqual(await romeo.items(thread), [], 'the thread of the original is still there')
    })
  })
}
