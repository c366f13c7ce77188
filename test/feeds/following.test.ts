import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { followNode, publishFollows, unfollowNode, type Wish } from '#server/feeds/follow.ts'
import { listItemId, MOST_FOLLOWS } from '#server/feeds/follow-list.ts'
import { createFollowing } from '#server/feeds/following.ts'
import { blogOf } from '#server/feeds/indexing.ts'
import { knowBlogs } from '#server/feeds/known-blogs.ts'
import { mergeFollows } from '#server/feeds/merge-follows.ts'
import { retryNow } from '#server/feeds/outbox-answers.ts'
import { addFollow, findFollow, listFollows, SITE } from '#server/store/follow.ts'
import { findNode } from '#server/store/node.ts'
import { listOutbox, listWaiting } from '#server/store/outbox.ts'
import { listPublicSubscriptions } from '#server/store/public-subscription.ts'
import type { NodeConfig } from '#server/xmpp/ports.ts'
import { addressKey, asItemId, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { parseXml, writeXml } from '#shared/xml.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'

const juliet = jidOf('juliet@capulet.example')
const romeo = jidOf('romeo@montague.example')
const ROMEOS = blogOf(romeo)
const LIST: NodeAddress = { service: juliet, node: NS.PRIVATE_SUBSCRIPTION_LIST }
const EVERYBODYS: NodeAddress = { service: juliet, node: NS.PUBLIC_SUBSCRIPTION_LIST }
const CONTACTS: NodeAddress = { service: juliet, node: NS.SUBSCRIPTION_LIST }

interface Scene extends AsyncDisposable {
  readonly ctx: TestContext
  readonly session: FakeSession
  readonly deps: TestContext
}

async function open(): Promise<Scene> {
  const ctx = await createTestContext()
  const session = ctx.signIn(juliet)
  await ctx.outbox.start()
  await createBlog(ctx, ROMEOS)
  return { ctx, session, deps: ctx, [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose]() }
}

async function createBlog({ network }: TestContext, address: NodeAddress): Promise<void> {
  await network.pubsubOf(address.service).createNode(address, { access_model: 'open' })
}

const follow = (ctx: TestContext, wish: Wish) => followNode(ctx, juliet, wish)
const settled = (ctx: TestContext) =>
  until(async () => (await listWaiting(ctx.state, juliet)).length === 0, { what: 'an empty outbox' })
const nodeOf = ({ network }: TestContext, address: NodeAddress) => network.nodes.get(addressKey(address))
const listed = (ctx: TestContext, list = LIST) => {
  const items = [...(nodeOf(ctx, list)?.items.values() ?? [])]
  return items.map(({ payload }) => payload && writeXml(payload))
}
const element = (xml: string) => parseXml(xml) as Element

describe('Following', () => {
  it('subscribes their own account, puts the node into their own private list and makes the index know it', async () => {
    await using scene = await open()
    const { ctx } = scene
    await follow(ctx, { address: ROMEOS, title: "Romeo's" })
    assert.equal((await findNode(ctx.index, ROMEOS))?.kind, 'blog')
    await settled(ctx)
    assert.ok(nodeOf(ctx, ROMEOS)?.subscribers.has(juliet))
    assert.equal(nodeOf(ctx, LIST)?.config.access_model, 'whitelist')
    assert.deepEqual(listed(ctx), [
      `<subscription xmlns="${NS.SUBSCRIPTION}" server="${romeo}" node="${NS.MICROBLOG}"><title>Romeo's</title></subscription>`,
    ])
    assert.deepEqual([...(nodeOf(ctx, LIST)?.items.keys() ?? [])], [listItemId(juliet, ROMEOS)])
    const row = await findFollow(ctx.state, juliet, ROMEOS)
    assert.deepEqual([row?.subscription, row?.isListed, row?.problem], ['subscribed', true, undefined])
  })

  it('gives items the ids of XEP-0330', () => {
    const id = listItemId(jidOf('romeo@montague.lit'), { service: jidOf('pubsub.montague.lit'), node: 'party' })
    assert.equal(id, 'de6c6772ff43d9a604ea78e51ce28b63ab8692eb')
  })

  it('counts a second click as none', async () => {
    await using scene = await open()
    await Promise.all([follow(scene.ctx, { address: ROMEOS }), follow(scene.ctx, { address: ROMEOS })])
    await settled(scene.ctx)
    assert.equal((await listFollows(scene.ctx.state, juliet)).length, 1)
    assert.equal(listed(scene.ctx).length, 1)
  })

  it('undoes all of it, and the index forgets what nobody follows', async () => {
    await using scene = await open()
    const { ctx } = scene
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    await unfollowNode(ctx, juliet, ROMEOS)
    assert.equal(await findNode(ctx.index, ROMEOS), undefined)
    await settled(ctx)
    assert.ok(!nodeOf(ctx, ROMEOS)?.subscribers.has(juliet))
    assert.deepEqual(listed(ctx), [])
  })

  it('keeps in the index what somebody else still follows', async () => {
    await using scene = await open()
    const { ctx } = scene
    await addFollow(ctx.state, { follower: SITE, address: ROMEOS, since: ctx.clock() })
    await follow(ctx, { address: ROMEOS })
    await unfollowNode(ctx, juliet, ROMEOS)
    assert.ok(await findNode(ctx.index, ROMEOS))
  })

  it('waits while the account is offline, and does the last wish once it is there', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    session.setStatus('waiting')
    await follow(ctx, { address: ROMEOS })
    await until(async () => (await listWaiting(ctx.state, juliet))[0]?.problem)
    await unfollowNode(ctx, juliet, ROMEOS)
    await follow(ctx, { address: ROMEOS })
    session.setStatus('online')
    ctx.outbox.wake(juliet)
    await settled(ctx)
    assert.ok(nodeOf(ctx, ROMEOS)?.subscribers.has(juliet))
    assert.equal(listed(ctx).length, 1)
  })

  it('says why a server refuses, and still has it in the list', async () => {
    await using scene = await open()
    const { ctx } = scene
    const closed = blogOf(jidOf('tybalt@montague.example'))
    await ctx.network.pubsubOf(closed.service).createNode(closed, { access_model: 'whitelist' })
    await follow(ctx, { address: closed })
    await settled(ctx)
    const row = await findFollow(ctx.state, juliet, closed)
    assert.equal(row?.subscription, 'refused')
    assert.match(row?.problem ?? '', /does not allow this/)
    assert.equal(row?.isListed, true)
    assert.deepEqual(await listOutbox(ctx.state, juliet), [])
  })

  it('never writes into a list that is not private, and says so', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const config: NodeConfig = { access_model: 'presence' }
    await session.pubsub.createNode(LIST, config)
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    assert.deepEqual(listed(ctx), [])
    assert.equal(nodeOf(ctx, LIST)?.config.access_model, 'presence')
    const row = await findFollow(ctx.state, juliet, ROMEOS)
    assert.match(row?.problem ?? '', /not private but "presence"/)
    assert.equal(row?.subscription, 'subscribed')
  })

  it('leaves an item of another client as it is, with what we do not understand', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    await session.pubsub.createNode(LIST, { access_model: 'whitelist' })
    const xml = `<subscription xmlns="${NS.SUBSCRIPTION}" server="${romeo}" node="${NS.MICROBLOG}"><extensions><pinned xmlns="urn:xmpp:bookmarks-pinning:0"/></extensions></subscription>`
    await session.pubsub.publishItem({ ...LIST, item: listItemId(juliet, ROMEOS) }, element(xml))
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    assert.deepEqual(listed(ctx), [xml])
  })

  it('follows no thread, and no more than anybody reads', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    session.setStatus('waiting')
    await assert.rejects(follow(ctx, { address: { service: romeo, node: `${NS.COMMENTS_PREFIX}x` } }), {
      code: 'bad-request',
    })
    await ctx.state.transaction().execute(async (state) => {
      for (let n = 0; n < MOST_FOLLOWS; n++) {
        await addFollow(state, { follower: juliet, address: { ...ROMEOS, node: `n${n}` }, since: ctx.clock() })
      }
    })
    await assert.rejects(follow(ctx, { address: ROMEOS }), { code: 'forbidden' })
  })

  it('delays nothing that is written while a followed server does not answer', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const silent = Promise.withResolvers<'subscribed'>()
    session.pubsub.subscribeNode = () => silent.promise
    await follow(ctx, { address: ROMEOS })
    await publishFollows(ctx, juliet, true)
    await until(() => listed(ctx, EVERYBODYS).length === 1, { what: 'the row of another server' })
    silent.resolve('subscribed')
    await settled(ctx)
  })
})

describe('The list on the account', () => {
  const put = async ({ session }: Scene, address: NodeAddress, id?: string) => {
    await session.pubsub.createNode(LIST, { access_model: 'whitelist' })
    const item = id === undefined ? listItemId(juliet, address) : asItemId(id)
    const xml = `<subscription xmlns="${NS.SUBSCRIPTION}" server="${address.service}" node="${address.node}"><title>T</title></subscription>`
    await session.pubsub.publishItem({ ...LIST, item }, element(xml))
  }
  const take = ({ session }: Scene, address: NodeAddress) =>
    session.pubsub.retractItem({ ...LIST, item: listItemId(juliet, address) })
  const followed = async ({ ctx }: Scene) => (await listFollows(ctx.state, juliet)).map(({ address }) => address)

  it('is followed here where another client wrote it, by whatever id', async () => {
    await using scene = await open()
    const { ctx } = scene
    await put(scene, ROMEOS, 'another-id')
    await mergeFollows(ctx, scene.session)
    await settled(ctx)
    const row = await findFollow(ctx.state, juliet, ROMEOS)
    assert.deepEqual([row?.title, row?.isListed, row?.subscription], ['T', true, 'subscribed'])
    assert.equal(listed(ctx).length, 1)
    await unfollowNode(ctx, juliet, ROMEOS)
    await settled(ctx)
    assert.deepEqual(listed(ctx), [])
  })

  it('is followed here no longer once another client took it off', async () => {
    await using scene = await open()
    const { ctx } = scene
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    await take(scene, ROMEOS)
    await mergeFollows(ctx, scene.session)
    assert.deepEqual(await followed(scene), [])
    assert.equal(await findNode(ctx.index, ROMEOS), undefined)
    await settled(ctx)
    assert.ok(!nodeOf(ctx, ROMEOS)?.subscribers.has(juliet))
  })

  it('loses against what waits here', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const tybalts = blogOf(jidOf('tybalt@capulet.example'))
    await createBlog(ctx, tybalts)
    await put(scene, ROMEOS)
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    ctx.network.failNext('subscribeNode', new AppError('timeout', 'No answer'))
    ctx.network.failNext('retractItem', new AppError('timeout', 'No answer'))
    await follow(ctx, { address: tybalts })
    await unfollowNode(ctx, juliet, ROMEOS)
    await until(async () => (await listWaiting(ctx.state, juliet)).every(({ nextTry }) => nextTry !== undefined))
    await mergeFollows(ctx, session)
    assert.deepEqual(await followed(scene), [tybalts])
  })

  it('is written again where the whole of it was lost', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    await session.pubsub.deleteNode(LIST)
    await mergeFollows(ctx, session)
    await settled(ctx)
    assert.deepEqual(await followed(scene), [ROMEOS])
    assert.equal(listed(ctx).length, 1)
    assert.equal(nodeOf(ctx, LIST)?.config.access_model, 'whitelist')
  })

  it('keeps what was followed here, and drops what was unfollowed, while it was read', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const tybalts = blogOf(jidOf('tybalt@capulet.example'))
    await createBlog(ctx, tybalts)
    await follow(ctx, { address: tybalts })
    await settled(ctx)
    const { pages } = session.pubsub
    session.pubsub.pages = async function* (...args) {
      const read = await Array.fromAsync(pages(...args))
      session.pubsub.pages = pages
      await follow(ctx, { address: ROMEOS })
      await unfollowNode(ctx, juliet, tybalts)
      await settled(ctx)
      yield* read
    }
    await mergeFollows(ctx, session)
    assert.deepEqual(await followed(scene), [ROMEOS])
    assert.equal(listed(ctx).length, 1)
  })

  it('that a killed server forgot is no wish to unfollow, nor to follow again', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const tybalts = blogOf(jidOf('tybalt@capulet.example'))
    await createBlog(ctx, tybalts)
    const following = createFollowing({ ...ctx, people: () => [session] })
    following.start()
    await following.merge(session)
    await follow(ctx, { address: tybalts })
    await settled(ctx)
    await unfollowNode(ctx, juliet, tybalts)
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    session.setStatus('waiting')
    const items = nodeOf(ctx, LIST)?.items
    items?.clear()
    const xml = `<subscription xmlns="${NS.SUBSCRIPTION}" server="${tybalts.service}" node="${tybalts.node}"/>`
    const item = listItemId(juliet, tybalts)
    items?.set(item, { id: item, payload: element(xml), publisher: juliet })
    session.setStatus('online')
    await until(async () => {
      const [only, ...more] = nodeOf(ctx, LIST)?.items.keys() ?? []
      return only === listItemId(juliet, ROMEOS) && more.length === 0
    })
    await settled(ctx)
    assert.deepEqual(await followed(scene), [ROMEOS])
    await following.stop()
  })

  it('brings the news that an owner has let them in', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const { subscribeNode } = session.pubsub
    session.pubsub.subscribeNode = async (address) => {
      await subscribeNode(address)
      return 'pending'
    }
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    assert.equal((await findFollow(ctx.state, juliet, ROMEOS))?.problem, 'Its owner has not yet let you in')
    await mergeFollows(ctx, session)
    const row = await findFollow(ctx.state, juliet, ROMEOS)
    assert.deepEqual([row?.subscription, row?.problem], ['subscribed', undefined])
  })

  it('that has to be made anew keeps nothing that was taken off it, though the server would', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const tybalts = blogOf(jidOf('tybalt@capulet.example'))
    const item = listItemId(juliet, tybalts)
    const { createNode, retractItem } = session.pubsub
    session.pubsub.createNode = async (address, config) => {
      const how = await createNode(address, config)
      const xml = `<subscription xmlns="${NS.SUBSCRIPTION}" server="${tybalts.service}" node="${tybalts.node}"/>`
      if (how === 'created') nodeOf(ctx, LIST)?.items.set(item, { id: item, payload: element(xml), publisher: juliet })
      return how
    }
    session.pubsub.retractItem = async (address) => {
      if (address.item !== item) await retractItem(address)
    }
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    assert.ok(!listed(ctx).join().includes(tybalts.service), listed(ctx).join())
    await mergeFollows(ctx, session)
    assert.deepEqual(await followed(scene), [ROMEOS])
  })

  it('gets again what it lost before its server was asked to subscribe', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const { subscribeNode } = session.pubsub
    session.pubsub.subscribeNode = async () => {
      nodeOf(ctx, LIST)?.items.clear()
      session.pubsub.subscribeNode = subscribeNode
      throw new AppError('unavailable', 'Killed')
    }
    await follow(ctx, { address: ROMEOS })
    await until(async () => (await listWaiting(ctx.state, juliet))[0]?.problem)
    await retryNow(ctx, juliet)
    await settled(ctx)
    assert.equal(listed(ctx).length, 1)
  })

  it('that comes back empty, where there was more than one, is not taken for emptied', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const tybalts = blogOf(jidOf('tybalt@capulet.example'))
    await createBlog(ctx, tybalts)
    await follow(ctx, { address: ROMEOS })
    await follow(ctx, { address: tybalts })
    await settled(ctx)
    nodeOf(ctx, LIST)?.items.clear()
    assert.equal(await mergeFollows(ctx, session), 'lost')
    assert.equal((await followed(scene)).length, 2)
    await settled(ctx)
    assert.equal(listed(ctx).length, 2)
    assert.equal(await mergeFollows(ctx, session), 'merged')
  })

  it('may be full: what it has dropped is followed all the same', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const tybalts = blogOf(jidOf('tybalt@capulet.example'))
    await createBlog(ctx, tybalts)
    await follow(ctx, { address: ROMEOS })
    await follow(ctx, { address: tybalts })
    await settled(ctx)
    await session.pubsub.configureNode(LIST, { max_items: '1' })
    await take(scene, ROMEOS)
    await mergeFollows(ctx, session)
    assert.equal((await followed(scene)).length, 2)
    await settled(ctx)
    assert.equal(listed(ctx).length, 1)
    await session.pubsub.configureNode(LIST, { max_items: '2' })
    await mergeFollows(ctx, session)
    assert.deepEqual(await followed(scene), [tybalts])
  })

  it('changes nothing where it cannot be read', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    ctx.network.failNext('listItems', new AppError('not-authorized', 'No'))
    await assert.rejects(mergeFollows(ctx, session))
    assert.deepEqual(await followed(scene), [ROMEOS])
  })

  it('may hold what strangers wrote, and what is broken: it is ignored', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    await session.pubsub.createNode(LIST, { access_model: 'whitelist' })
    const entry = (attributes: string) => element(`<subscription xmlns="${NS.SUBSCRIPTION}" ${attributes}/>`)
    const broken = [
      element('<entry xmlns="http://www.w3.org/2005/Atom"/>'),
      entry(`server="${romeo}"`),
      entry(`server="a b@c" node="n"`),
      entry(`server="${romeo}" node="${'n'.repeat(5_000)}"`),
      entry(`server="${romeo}" node="${NS.COMMENTS_PREFIX}x"`),
      element(
        `<subscription xmlns="${NS.SUBSCRIPTION}" server="${romeo}" node="n">${'<a>'.repeat(50)}${'</a>'.repeat(50)}</subscription>`,
      ),
    ]
    for (const [n, payload] of broken.entries())
      await session.pubsub.publishItem({ ...LIST, item: asItemId(`${n}`) }, payload)
    const item = asItemId('strangers')
    const payload = entry(`server="${romeo}" node="${NS.MICROBLOG}"`)
    nodeOf(ctx, LIST)?.items.set(item, { id: item, payload, publisher: 'tybalt@capulet.example/x' })
    await mergeFollows(ctx, session)
    assert.deepEqual(await followed(scene), [])
  })

  it('is read when the session comes online, but not when it was resumed', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    const following = createFollowing({ ...ctx, people: () => [session] })
    following.start()
    await following.merge(session)
    await put(scene, ROMEOS)
    Object.assign(session, { lastSignIn: 'resumed' })
    let reads = 0
    const { pages } = session.pubsub
    session.pubsub.pages = (...args) => {
      reads += 1
      return pages(...args)
    }
    session.setStatus('waiting')
    session.setStatus('online')
    Object.assign(session, { lastSignIn: 'token' })
    assert.equal(reads, 0)
    session.setStatus('waiting')
    session.setStatus('online')
    await until(async () => (await followed(scene)).length === 1)
    await following.stop()
  })
})

describe('Public subscriptions', () => {
  it('are published for everybody and for contacts in the forms that Libervia and Movim read, and taken back', async () => {
    await using scene = await open()
    const { ctx, session } = scene
    await session.pubsub.createNode(CONTACTS, { access_model: 'presence' })
    const theirs = `<subscription xmlns="${NS.SUBSCRIPTION}" server="pubsub.movim.example" node="theirs"/>`
    await session.pubsub.publishItem({ ...CONTACTS, item: asItemId('theirs') }, element(theirs))
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    assert.deepEqual(listed(ctx, EVERYBODYS), [])
    await publishFollows(ctx, juliet, true)
    await settled(ctx)
    assert.deepEqual(listed(ctx, EVERYBODYS), [
      `<subscription xmlns="${NS.PPS}" node="${NS.MICROBLOG}" jid="${romeo}" service="${romeo}"/>`,
    ])
    assert.equal(nodeOf(ctx, EVERYBODYS)?.config.access_model, 'open')
    assert.deepEqual(listed(ctx, CONTACTS), [
      theirs,
      `<subscription xmlns="${NS.SUBSCRIPTION}" server="${romeo}" node="${NS.MICROBLOG}"/>`,
    ])
    await publishFollows(ctx, juliet, false)
    await settled(ctx)
    assert.deepEqual([listed(ctx, EVERYBODYS), listed(ctx, CONTACTS)], [[], [theirs]])
  })

  it('follow what is followed, once they are public', async () => {
    await using scene = await open()
    const { ctx } = scene
    await publishFollows(ctx, juliet, true)
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    assert.equal(listed(ctx, EVERYBODYS).length, 1)
    await unfollowNode(ctx, juliet, ROMEOS)
    await settled(ctx)
    assert.deepEqual([listed(ctx, EVERYBODYS), listed(ctx, CONTACTS)], [[], []])
  })

  it("are the server's own where it keeps them", async () => {
    await using scene = await open()
    const { ctx, session } = scene
    session.services = { pep: true, publicSubscriptions: true }
    const asked: (boolean | undefined)[] = []
    const { subscribeNode } = session.pubsub
    session.pubsub.subscribeNode = (address, options) => {
      asked.push(options?.isPublic)
      return subscribeNode(address, options)
    }
    await follow(ctx, { address: ROMEOS })
    await settled(ctx)
    await publishFollows(ctx, juliet, true)
    await settled(ctx)
    await publishFollows(ctx, juliet, false)
    await settled(ctx)
    assert.deepEqual(asked, [undefined, true, false])
    assert.equal(nodeOf(ctx, EVERYBODYS), undefined)
  })

  it('of the owners of known blogs are read, with hostile ones left out', async () => {
    await using scene = await open()
    const { ctx } = scene
    await addFollow(ctx.state, { follower: SITE, address: ROMEOS, since: ctx.clock() })
    await knowBlogs(ctx)
    const list = { service: romeo, node: NS.PUBLIC_SUBSCRIPTION_LIST }
    const pubsub = ctx.network.pubsubOf(romeo)
    await pubsub.createNode(list, { access_model: 'open' })
    const entries = [
      `<subscription xmlns="${NS.PPS}" node="a" jid="pubsub.example"/>`,
      `<subscription xmlns="${NS.PPS}" node="b" service="pubsub.example"><title>B</title></subscription>`,
      `<subscription xmlns="${NS.PPS}" node="" service="pubsub.example"/>`,
      `<subscription xmlns="${NS.PPS}" node="c"/>`,
      `<subscription xmlns="${NS.PPS}" node="${NS.COMMENTS_PREFIX}x" jid="pubsub.example"/>`,
      `<b xmlns="${NS.PPS}" node="d" jid="pubsub.example"/>`,
    ]
    for (const [n, xml] of entries.entries())
      await pubsub.publishItem({ ...list, item: asItemId(`${n}`) }, element(xml))
    const following = createFollowing({ ...ctx, people: () => [] })
    following.start()
    const found = await until(async () => {
      const all = await listPublicSubscriptions(ctx.index, romeo, 50)
      return all.length > 0 ? all : undefined
    })
    assert.deepEqual(
      found.map(({ address, title }) => [address.service, address.node, title]),
      [
        ['pubsub.example', 'a', undefined],
        ['pubsub.example', 'b', 'B'],
      ],
    )
    await following.stop()
  })

  it('are on the page of whoever publishes them here at once, and again after the index was emptied', async () => {
    await using scene = await open()
    const { ctx } = scene
    await createBlog(ctx, blogOf(juliet))
    await addFollow(ctx.state, { follower: SITE, address: blogOf(juliet), since: ctx.clock() })
    await knowBlogs(ctx)
    const following = createFollowing({ ...ctx, people: () => [] })
    following.start()
    const shown = (count: number) =>
      until(async () => (await listPublicSubscriptions(ctx.index, juliet, 50)).length === count)
    await follow(ctx, { address: ROMEOS })
    await publishFollows(ctx, juliet, true)
    await shown(1)
    await publishFollows(ctx, juliet, false)
    await shown(0)
    await publishFollows(ctx, juliet, true)
    await shown(1)
    await ctx.indexing.reindex()
    ctx.site.setStatus('waiting')
    ctx.site.setStatus('online')
    await shown(1)
    await following.stop()
  })
})
