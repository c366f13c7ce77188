import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { followNode, publishFollows, unfollowNode } from '#server/feeds/follow.ts'
import { listItemId, readList } from '#server/feeds/follow-list.ts'
import { createFollowing } from '#server/feeds/following.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { knowBlogs } from '#server/feeds/known-blogs.ts'
import { mergeFollows } from '#server/feeds/merge-follows.ts'
import { previewFeed } from '#server/feeds/preview.ts'
import { createPublicReading } from '#server/feeds/public-reading.ts'
import { addFollow, findFollow, listFollows, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { listWaiting } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { listPublicSubscriptions } from '#server/store/public-subscription.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type NodeAddress } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { base, microblog } from '#shared/profiles/index.ts'
import { writeXml } from '#shared/xml.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { startSlixmpp } from '#test/support/slixmpp.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { entryOf } from './fixtures.ts'

let rig: Rig
before(async () => {
  rig = await useRig()
})
after(() => rig.stop())

interface Scene extends AsyncDisposable {
  readonly ctx: RealContext
  readonly user: string
  readonly person: XmppSession
  readonly author: XmppSession
  readonly blog: NodeAddress
}

for (const kind of ['ejabberd', 'prosody'] as const) {
  const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'

  /** Canto and a person on one server, a blog with one post on the other. */
  async function open(): Promise<Scene> {
    const end = randomUUID().slice(0, 8)
    await using stack = new AsyncDisposableStack()
    const ctx = stack.use(await createRealContext({ home: rig[kind], siteUser: `site-${end}` }))
    const user = `person-${end}`
    const person = await ctx.signIn(rig[kind], user)
    await rig[other].register(`author-${end}`, `password of author-${end}`)
    const author = stack.use(openTestSession(rig[other], `author-${end}`))
    await author.whenOnline(30_000)
    const blog = blogOf(author.jid)
    await author.pubsub.createNode(blog, microblog.config)
    await author.pubsub.configureNode(blog, microblog.config)
    await post(author, 'first')
    await ctx.indexing.start()
    await ctx.outbox.start()
    const owned = stack.move()
    return { ctx, user, person, author, blog, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }

  const post = (author: XmppSession, item: string) =>
    author.pubsub.publishItem(
      { ...blogOf(author.jid), item: asItemId(item) },
      entryOf({ title: item, author: author.jid }),
    )
  const settled = ({ ctx, person }: Scene) =>
    until(async () => (await listWaiting(ctx.state, person.jid)).length === 0, { what: 'an empty outbox' })
  const follow = async (scene: Scene) => {
    await followNode(scene.ctx, scene.person.jid, { address: scene.blog, title: 'The <other> blog' })
    await settled(scene)
  }
  const subscribes = async (session: XmppSession, { service, node }: NodeAddress) => {
    const all = await session.pubsub.listSubscriptions(service)
    return all.some(({ address, state }) => address.node === node && state === 'subscribed')
  }
  const indexed = ({ ctx, blog }: Scene, item: string) =>
    until(() => findPost(ctx.index, { ...blog, item: asItemId(item) }), { what: `the post ${item}` })
  const otherClient = ({ person, user }: Scene) =>
    startSlixmpp({ ...rig[kind], jid: person.jid, password: `password of ${user}` })

  describe(`An account of ${kind} follows a blog on ${other}`, () => {
    it('with its own subscription, and the site with another, and what is posted from then on comes', async () => {
      await using scene = await open()
      const { ctx, person, blog, author } = scene
      await follow(scene)
      const row = await findFollow(ctx.state, person.jid, blog)
      assert.deepEqual([row?.subscription, row?.isListed, row?.problem], ['subscribed', true, undefined])
      assert.ok(await subscribes(person, blog))
      await indexed(scene, 'first')
      await until(async () => (await findNode(ctx.index, blog))?.subscription === 'subscribed')
      await post(author, 'second')
      await indexed(scene, 'second')
    })

    it('in a list on their own account that only they can read, in the form that Movim reads', async () => {
      await using scene = await open()
      const { person, blog, author } = scene
      await follow(scene)
      await using client = await otherClient(scene)
      const [item, ...more] = await client.items({ node: NS.PRIVATE_SUBSCRIPTION_LIST })
      assert.deepEqual([item?.id, more], [listItemId(person.jid, blog), []])
      assert.match(item?.payload ?? '', /subscription xmlns[^>]*"urn:xmpp:pubsub:subscription:0"/)
      for (const attribute of [`server="${blog.service}"`, `node="${blog.node}"`]) {
        assert.ok(item?.payload?.includes(attribute), item?.payload)
      }
      const list = { service: person.jid, node: NS.PRIVATE_SUBSCRIPTION_LIST }
      const config = await person.pubsub.readConfig(list)
      assert.deepEqual([config.access_model, config.persist_items], ['whitelist', '1'])
      await assert.rejects(author.pubsub.listItems(list, { max: 5 }))
      const contact = await scene.ctx.signIn(rig[kind], `contact-${randomUUID().slice(0, 8)}`)
      await assert.rejects(contact.pubsub.listItems(list, { max: 5 }))
    })

    it('and no longer: the last follower that leaves takes the subscription of the site along', async () => {
      await using scene = await open()
      const { ctx, person, blog } = scene
      await follow(scene)
      await until(async () => (await findNode(ctx.index, blog))?.subscription === 'subscribed')
      await unfollowNode(ctx, person.jid, blog)
      await settled(scene)
      assert.equal(await subscribes(person, blog), false)
      const list = await readList(person.pubsub, { service: person.jid, node: NS.PRIVATE_SUBSCRIPTION_LIST })
      assert.deepEqual(list?.items, [])
      await until(async () => !(await subscribes(ctx.site, blog)), { what: 'the site to leave' })
    })

    it('as other clients of theirs want it too', async () => {
      await using scene = await open()
      const { ctx, person, blog } = scene
      await using client = await otherClient(scene)
      await client.create({
        node: NS.PRIVATE_SUBSCRIPTION_LIST,
        config: { access_model: 'whitelist', persist_items: 'true', max_items: '100' },
      })
      const payload = `<subscription xmlns="${NS.SUBSCRIPTION}" server="${blog.service}" node="${blog.node}"><title>By another</title></subscription>`
      await client.publish({ node: NS.PRIVATE_SUBSCRIPTION_LIST, item: 'theirs', payload })
      await mergeFollows(ctx, person)
      assert.equal((await findFollow(ctx.state, person.jid, blog))?.title, 'By another')
      await settled(scene)
      assert.ok(await subscribes(person, blog))
      await client.retract({ node: NS.PRIVATE_SUBSCRIPTION_LIST, item: 'theirs' })
      await mergeFollows(ctx, person)
      assert.deepEqual(await listFollows(ctx.state, person.jid), [])
      await settled(scene)
      assert.equal(await subscribes(person, blog), false)
    })

    it('as a client wants it that keeps another list (XEP-0330), which is heard at once where it is open', async () => {
      await using scene = await open()
      const { ctx, person, blog } = scene
      await using client = await otherClient(scene)
      const config = { access_model: 'open', persist_items: 'true', max_items: '100', presence_based_delivery: 'false' }
      await client.create({ node: NS.SUBSCRIPTION_LIST, config })
      const payload = (node: string) =>
        `<subscription xmlns="${NS.SUBSCRIPTION}" server="${blog.service}" node="${node}"/>`
      await client.publish({ node: NS.SUBSCRIPTION_LIST, item: 'first', payload: payload('another') })
      await using stack = new AsyncDisposableStack()
      const following = createFollowing({ ...ctx, people: () => [person] })
      stack.defer(() => following.stop())
      following.start()
      const list = { service: person.jid, node: NS.SUBSCRIPTION_LIST }
      await until(() => subscribes(ctx.site, list), { what: 'the site account to listen' })
      await following.merge(person)
      await client.publish({ node: NS.SUBSCRIPTION_LIST, item: 'theirs', payload: payload(blog.node) })
      await until(async () => (await findFollow(ctx.state, person.jid, blog))?.isListed === true)
      await following.merge(person)
      await client.retract({ node: NS.SUBSCRIPTION_LIST, item: 'theirs' })
      await until(async () => (await findFollow(ctx.state, person.jid, blog)) === undefined)
    })

    it('and lets everybody know, or nobody any more', async () => {
      await using scene = await open()
      const { ctx, person, author, blog } = scene
      await follow(scene)
      await publishFollows(ctx, person.jid, true)
      await settled(scene)
      const everybodys = { service: person.jid, node: NS.PUBLIC_SUBSCRIPTION_LIST }
      const seen = await author.pubsub.listItems(everybodys, { max: 5 })
      const [item] = seen.items
      const { attrs } = item?.payload ?? assert.fail('nothing is shown')
      assert.deepEqual([attrs.node, attrs.jid, attrs.service], [blog.node, blog.service, blog.service])
      const contacts = { service: person.jid, node: NS.SUBSCRIPTION_LIST }
      assert.equal((await person.pubsub.readConfig(contacts)).access_model, 'presence')
      const [forContacts] = (await person.pubsub.listItems(contacts, { max: 5 })).items
      assert.ok(
        writeXml(forContacts?.payload ?? assert.fail('nothing for contacts')).includes(`server="${blog.service}"`),
      )
      await assert.rejects(author.pubsub.listItems(contacts, { max: 5 }))
      // As the site of somebody else reads it, who follows this person.
      await addFollow(ctx.state, { follower: SITE, address: blogOf(person.jid), since: ctx.clock() })
      await knowBlogs(ctx)
      const reading = createPublicReading({ ...ctx, site: author })
      reading.start()
      const shown = await until(async () => (await listPublicSubscriptions(ctx.index, person.jid, 5)).at(0))
      assert.deepEqual(shown.address, blog)
      await reading.stop()
      await publishFollows(ctx, person.jid, false)
      await settled(scene)
      for (const list of [everybodys, contacts]) assert.deepEqual((await readList(person.pubsub, list))?.items, [])
    })

    it('and a community of a service', async () => {
      await using scene = await open()
      const { ctx, person } = scene
      const owner = await ctx.signIn(rig.ejabberd, `owner-${randomUUID().slice(0, 8)}`)
      const service = (await owner.readServices()).pubsub ?? assert.fail('ejabberd has no service')
      const cats = { service, node: `cats-${randomUUID()}` }
      await owner.pubsub.createNode(cats, { ...base.config, title: 'Cats' })
      await owner.pubsub.publishItem({ ...cats, item: asItemId('tom') }, entryOf({ title: 'Tom', author: owner.jid }))
      const preview = await previewFeed(ctx, person, cats)
      assert.deepEqual([preview.title, preview.posts.length], ['Cats', 1])
      await followNode(ctx, person.jid, { address: cats })
      await settled(scene)
      assert.ok(await subscribes(person, cats))
      await indexed({ ...scene, blog: cats }, 'tom')
    })

    it('after a look at it as a stranger, and is told what there is not', async () => {
      await using scene = await open()
      const { ctx, person, author, blog } = scene
      await author.setNickname('Romeo M.')
      const preview = await previewFeed(ctx, person, blog)
      assert.deepEqual(
        preview.posts.map(({ entry, author: by }) => [entry.title, by]),
        [['first', author.jid]],
      )
      assert.equal(preview.problem, undefined)
      // Its nickname is for contacts: what a stranger sees of it is the server's to say.
      assert.ok(preview.name === undefined || preview.name === 'Romeo M.')
      const missing = await previewFeed(ctx, person, blogOf(`nobody-${randomUUID()}@${rig[other].domain}` as BareJid))
      assert.match(missing.problem ?? '', /no such blog/)
      const own = await previewFeed(ctx, person, blogOf(`nobody-${randomUUID()}@${rig[kind].domain}` as BareJid))
      assert.match(own.problem ?? '', /no such blog/)
      const down = await previewFeed(ctx, person, blogOf('romeo@nowhere.test' as BareJid))
      assert.match(down.problem ?? '', /There is no XMPP server nowhere\.test, or it does not answer now/)
      assert.equal(down.isMissing, true)
    })
  })
}
