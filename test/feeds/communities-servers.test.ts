import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { browse, findService } from '#server/feeds/browse.ts'
import { closeThread } from '#server/feeds/moderation/close-thread.ts'
import { learnNodeInfo } from '#server/feeds/node-info.ts'
import { type OutboxRow, queueAffiliation, queueCommunity, queueDelete, queuePost } from '#server/feeds/outbox.ts'
import { listPeople } from '#server/feeds/owners.ts'
import { requestUpload } from '#server/feeds/upload.ts'
import { putPicture } from '#server/http/picture/put-picture.ts'
import { findBlog } from '#server/store/blog.ts'
import { findBlock } from '#server/store/community.ts'
import { findNode } from '#server/store/node.ts'
import { findPost } from '#server/store/post.ts'
import { findClosedThread } from '#server/store/thread-state.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import { NS } from '#shared/ns.ts'
import { jidOf } from '#test/support/context.ts'
import { PROSODY_ADMIN } from '#test/support/prosody.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, xml } from './fixtures.ts'

const DRAFT: PostDraft = { title: 'Hello', text: 'A *text*', tags: [], language: 'en', summary: '', comments: true }
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==',
  'base64',
)

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'
  const service = jidOf(`pubsub.${kind}.test`)

  interface Scene extends AsyncDisposable {
    readonly ctx: RealContext
    /** On the server of the service; on Prosody its admin, for nobody else may. */
    readonly owner: XmppSession
    /** On the other server. */
    readonly guest: XmppSession
    done(row: OutboxRow): Promise<OutboxRow>
    make(more?: Partial<Parameters<typeof queueCommunity>[1]>): Promise<NodeAddress>
  }

  async function open(clock?: () => Date): Promise<Scene> {
    const end = randomUUID().slice(0, 8)
    const ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}`, clock })
    const owner = await ctx.signIn(rig[kind], kind === 'prosody' ? PROSODY_ADMIN : `owner-${end}`)
    const guest = await ctx.signIn(rig[other], `guest-${end}`)
    await ctx.indexing.start()
    await ctx.outbox.start()
    const done = async (row: OutboxRow) => {
      const last = await ctx.outbox.settle(row.id, 30_000)
      assert.equal(last.status, 'done', last.problem)
      return last
    }
    const words = { kind: 'base', title: `Nights ${end}`, description: 'Who is awake', publishers: 'everyone' } as const
    return {
      ctx,
      owner,
      guest,
      done,
      async make(more = {}) {
        const form = { ...words, owner: owner.jid, key: end, service, ...more }
        const { address } = await done(await queueCommunity(ctx, form))
        return { service: address.service, node: address.node }
      },
      [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
    }
  }

  const shown = (ctx: RealContext, address: ItemAddress) =>
    until(async () => {
      const post = await findPost(ctx.index, address)
      return post === 'gone' ? undefined : post
    })

  describe(`a community on ${service}`, () => {
    it('is made as asked, found by people of another server, and heard of', async () => {
      await using scene = await open()
      const { ctx, owner, guest } = scene
      const address = await scene.make()
      const config = await owner.pubsub.readConfig(address)
      assert.equal(config.publish_model, 'open')
      assert.equal(config.access_model, 'open')
      await until(async () => (await findNode(ctx.index, address))?.subscription === 'subscribed')
      assert.equal(await findService(ctx, owner.jid), service)
      await guest.pubsub.publishItem(itemOf(address, 'by-another-client'), entryOf({ author: guest.jid }))
      await guest.pubsub.publishItem(itemOf(address, 'test_post'), xml("<entry xmlns='http://www.w3.org/2005/Atom'/>"))
      const post = await shown(ctx, itemOf(address, 'by-another-client'))
      assert.equal(post.author?.jid, guest.jid)
      // Another server's service proves nothing about people who are not its own.
      assert.equal(post.credit, kind === 'ejabberd' ? 'credited' : 'according')
      assert.equal(await findPost(ctx.index, itemOf(address, 'test_post')), undefined)
      const { nodes } = await browse(ctx, guest.jid, service)
      const found = nodes.find((node) => node.address.node === address.node)
      assert.equal(found?.type, NS.SOCIAL_FEED)
      assert.match(found?.title ?? '', /^Nights /)
      assert.equal(found?.description, 'Who is awake')
      assert.equal(found?.count, kind === 'ejabberd' ? 2 : undefined)
      // The site reads the same off the network as it knows from making it.
      await ctx.indexing.reindex()
      assert.match((await findBlog(ctx.index, address))?.title ?? '', /^Nights /)
      assert.equal((await findNode(ctx.index, address))?.type, NS.SOCIAL_FEED)
    })

    it('takes posts from people of the other server, which they change and delete', async () => {
      await using scene = await open()
      const { ctx, guest } = scene
      const to = await scene.make()
      const { address } = await scene.done(await queuePost(ctx, { author: guest.jid, key: 'a', draft: DRAFT, to }))
      const post = await shown(ctx, address)
      assert.equal(post.publisher, guest.jid)
      const edit = { author: guest.jid, key: 'b', edits: address, baseUpdated: post.updated }
      await scene.done(await queuePost(ctx, { ...edit, draft: { ...DRAFT, text: 'Another' } }))
      assert.match(String((await guest.pubsub.findItem(address))?.payload), /Another/)
      // On Prosody only the owner may retract: it is done by their session.
      const row = await scene.done(await queueDelete(ctx, { author: guest.jid, address }))
      assert.equal(row.account === guest.jid, kind === 'ejabberd')
      assert.equal(await guest.pubsub.findItem(address), undefined)
      assert.equal(await findPost(ctx.index, address), 'gone')
    })

    it('is looked after by its owner, who removes posts and shuts people out', async () => {
      await using scene = await open()
      const { ctx, owner, guest } = scene
      const to = await scene.make()
      const { address } = await scene.done(await queuePost(ctx, { author: guest.jid, key: 'a', draft: DRAFT, to }))
      await scene.done(await queueDelete(ctx, { author: owner.jid, address }))
      assert.equal(await guest.pubsub.findItem(address), undefined)
      const block = { by: owner.jid, address: to, jid: guest.jid }
      await scene.done(await queueAffiliation(ctx, { ...block, affiliation: 'outcast' }))
      const { list: people } = await listPeople(ctx, owner.jid, to)
      assert.equal(people.find(({ jid }) => jid === guest.jid)?.affiliation, 'outcast')
      // Neither server heeds that where everybody may publish: the owner's session takes the post off again.
      await until(async () => (await findNode(ctx.index, to))?.subscription === 'subscribed')
      const elsewhere = itemOf(to, 'elsewhere')
      await guest.pubsub.publishItem(elsewhere, entryOf({ author: guest.jid }))
      await until(async () => (await owner.pubsub.findItem(elsewhere)) === undefined)
      assert.equal(await findPost(ctx.index, elsewhere), undefined)
      const refused = await queuePost(ctx, { author: guest.jid, key: 'b', draft: DRAFT, to })
      assert.equal((await ctx.outbox.settle(refused.id, 30_000)).status, 'refused')
      await scene.done(await queueAffiliation(ctx, { ...block, affiliation: 'none' }))
      const again = await scene.done(await queuePost(ctx, { author: guest.jid, key: 'c', draft: DRAFT, to }))
      assert.ok(await owner.pubsub.findItem(again.address))
      await assert.rejects(listPeople(ctx, guest.jid, to), /Only who owns/)
    })

    it('lets an owner from another server remove a post, seen by the site or not', async () => {
      await using scene = await open()
      const { ctx, owner, guest } = scene
      const to = await scene.make()
      const { address } = await scene.done(await queuePost(ctx, { author: owner.jid, key: 'a', draft: DRAFT, to }))
      await assert.rejects(queueDelete(ctx, { author: guest.jid, address }), /Only its author/)
      await owner.pubsub.setAffiliation(to, guest.jid, 'owner')
      const { isSeen } = await listPeople(ctx, guest.jid, to)
      assert.equal(isSeen, kind === 'ejabberd')
      await scene.done(await queueDelete(ctx, { author: guest.jid, address }))
      assert.equal(await findPost(ctx.index, address), 'gone')
      // Nothing shows that somebody is blocked: that counts only by the word of an owner who is seen.
      const block = { by: guest.jid, address: to, jid: jidOf('mallory@evil.test'), affiliation: 'outcast' } as const
      const { problem } = await scene.done(await queueAffiliation(ctx, block))
      assert.equal(problem === undefined, kind === 'ejabberd')
      assert.equal(await findBlock(ctx.state, to, block.jid), kind === 'ejabberd' ? guest.jid : undefined)
      assert.ok((await owner.pubsub.listAffiliations(to)).some(({ jid }) => jid === block.jid))
      if (kind === 'prosody') return
      // Ejabberd names its owners: who is none any more has nobody shut out.
      await owner.pubsub.setAffiliation(to, guest.jid, 'none')
      const row = await findNode(ctx.index, to)
      assert.ok(row)
      await learnNodeInfo(ctx, { ...row, infoReadAt: undefined })
      assert.equal(await findBlock(ctx.state, to, block.jid), undefined)
    })

    it('is looked after by its owner at any later time, whose own server is asked again', async () => {
      let now = new Date()
      await using scene = await open(() => now)
      const { ctx, owner, guest } = scene
      const to = await scene.make()
      const { address } = await scene.done(await queuePost(ctx, { author: guest.jid, key: 'a', draft: DRAFT, to }))
      now = new Date(now.getTime() + 49 * 3_600_000)
      await closeThread(ctx, { by: owner.jid, post: address, isClosed: true })
      assert.equal((await findClosedThread(ctx.state, address))?.by, owner.jid)
    })

    it('where only some may write lets those, and nobody else', async () => {
      await using scene = await open()
      const { ctx, guest } = scene
      const named = await ctx.signIn(rig[other], `named-${randomUUID().slice(0, 8)}`)
      const to = await scene.make({ publishers: [named.jid] })
      await scene.done(await queuePost(ctx, { author: named.jid, key: 'a', draft: DRAFT, to }))
      const refused = await queuePost(ctx, { author: guest.jid, key: 'b', draft: DRAFT, to })
      const row = await ctx.outbox.settle(refused.id, 30_000)
      assert.equal(row.status, 'refused')
      assert.match(row.problem ?? '', /does not let you post/)
    })

    it('of pictures holds what was uploaded to the writer’s server', async () => {
      await using scene = await open()
      const { ctx } = scene
      // Prosody's uploads have no address on this rig.
      const { jid } = kind === 'ejabberd' ? scene.owner : scene.guest
      const to = await scene.make({ kind: 'gallery' })
      const file = { name: 'rose.png', size: PNG.length, type: 'image/png' }
      const slot = await requestUpload(ctx, jid, file)
      const picture = { ...file, stream: Readable.from([PNG]) }
      await putPicture(slot, picture, { isOwn: true, isAllowed: () => false, timeoutMs: 10_000 })
      const answer = await fetch(slot.get)
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), PNG)
      const pictures = [{ href: slot.get, type: file.type, alt: 'A rose' }]
      const post = { author: jid, key: 'a', to, draft: { ...DRAFT, text: '', pictures } }
      const { address } = await scene.done(await queuePost(ctx, post))
      await ctx.indexing.reindex()
      const read = await shown(ctx, address)
      assert.deepEqual(read.pictures, pictures)
      assert.equal(read.profile, 'gallery')
    })
  })
}

describe('a Prosody component', () => {
  it('lets no ordinary account make a community, which is said', async () => {
    const end = randomUUID().slice(0, 8)
    await using ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    const { jid } = await ctx.signIn(rig.prosody, `nobody-${end}`)
    await ctx.outbox.start()
    const words = { kind: 'base', title: `Nights ${end}`, description: '', publishers: 'everyone' } as const
    const form = { ...words, owner: jid, key: end, service: jidOf('pubsub.prosody.test') }
    const row = await ctx.outbox.settle((await queueCommunity(ctx, form)).id, 30_000)
    assert.equal(row.status, 'refused')
    assert.match(row.problem ?? '', /does not let you make communities/)
  })
})
