import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { browse, findService } from '#server/feeds/browse.ts'
import { queueAffiliation, queueCommunity } from '#server/feeds/communities.ts'
import { unfollowNode } from '#server/feeds/follow.ts'
import { ingest } from '#server/feeds/ingest.ts'
import { blockOnBlog } from '#server/feeds/moderation/block.ts'
import { learnNodeInfo } from '#server/feeds/node-info.ts'
import { type OutboxRow, queueComment, queueDelete, queuePost } from '#server/feeds/outbox.ts'
import { isModerator, listPeople } from '#server/feeds/owners.ts'
import { createUnseenClaims } from '#server/feeds/unseen-claims.ts'
import { findBlog } from '#server/store/blog.ts'
import { findBlock, findCommunity, listUnseenClaims } from '#server/store/community.ts'
import { listDrafts } from '#server/store/draft.ts'
import { addFollow, findFollow } from '#server/store/follow.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { listWaitingAccounts } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import { addressKey, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import { NS } from '#shared/ns.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import type { FakeSession } from '#test/support/fake-session.ts'
import { until } from '#test/support/until.ts'
import { commentsLink, entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO, THREAD, xml } from './fixtures.ts'

const SERVICE = jidOf('pubsub.capulet.example')
const NIGHTS: NodeAddress = { service: SERVICE, node: 'verona-by-night' }
const DRAFT: PostDraft = { title: 'Hello', text: 'A *text*', tags: [], language: 'en', summary: '', comments: true }
const ROSE = { href: 'https://upload.capulet.example/rose.png', type: 'image/png', alt: 'A rose' }

interface Scene {
  readonly ctx: TestContext
  settle(row: OutboxRow): Promise<OutboxRow>
  make(more?: Partial<Parameters<typeof queueCommunity>[1]>): Promise<OutboxRow>
  post(author: typeof JULIET, more?: Partial<Parameters<typeof queuePost>[1]>): Promise<OutboxRow>
}

async function open(): Promise<Scene & AsyncDisposable> {
  const ctx = await createTestContext()
  for (const jid of [JULIET, ROMEO, MALLORY]) ctx.signIn(jid)
  await ctx.outbox.start()
  const settle = (row: OutboxRow) => ctx.outbox.settle(row.id, 30_000)
  const words = {
    key: 'form',
    kind: 'base',
    title: 'Verona by Night',
    description: 'Who is awake',
    service: SERVICE,
  } as const
  return {
    ctx,
    settle,
    make: async (more = {}) =>
      settle(await queueCommunity(ctx, { ...words, owner: JULIET, publishers: 'everyone', ...more })),
    post: async (author, more = {}) =>
      settle(await queuePost(ctx, { author, key: `post of ${author}`, draft: DRAFT, to: NIGHTS, ...more })),
    [Symbol.asyncDispose]: () => ctx[Symbol.asyncDispose](),
  }
}

function configOf(ctx: TestContext, address: NodeAddress) {
  return ctx.network.nodes.get(addressKey(address))?.config
}

async function shown(ctx: TestContext, address: ItemAddress) {
  const post = await findPost(ctx.index, address)
  assert.ok(post !== undefined && post !== 'gone')
  return post
}

describe('making a community', () => {
  it('is done by the maker’s own session, as the profile wants it, and the maker follows it', async () => {
    await using scene = await open()
    const { ctx } = scene
    const row = await scene.make()
    assert.equal(row.status, 'done', row.problem)
    const { publish_model, access_model, type, title, max_items } = configOf(ctx, NIGHTS) ?? {}
    assert.deepEqual(
      { publish_model, access_model, type, title, max_items },
      { publish_model: 'open', access_model: 'open', type: NS.SOCIAL_FEED, title: 'Verona by Night', max_items: 'max' },
    )
    assert.equal(ctx.network.nodes.get(addressKey(NIGHTS))?.owner, JULIET)
    assert.equal((await findCommunity(ctx.state, NIGHTS))?.owner, JULIET)
    assert.ok(await findFollow(ctx.state, JULIET, NIGHTS))
    const blog = await findBlog(ctx.index, NIGHTS)
    assert.equal(blog?.title, 'Verona by Night')
    assert.equal(blog?.kind, 'community')
    assert.equal((await findNode(ctx.index, NIGHTS))?.type, NS.SOCIAL_FEED)
  })

  it('makes it the site’s own, which stays when its maker follows it no longer', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    await unfollowNode(ctx, JULIET, NIGHTS)
    assert.equal(await findFollow(ctx.state, JULIET, NIGHTS), undefined)
    assert.ok(await findBlog(ctx.index, NIGHTS))
  })

  it('on another’s service shows it as its disco#info says, whatever the maker’s session said', async () => {
    await using scene = await open()
    const { ctx } = scene
    const { pubsub } = ctx.sessions(MALLORY) as FakeSession
    pubsub.createNode = async () => 'created'
    pubsub.readConfig = async () => ({ access_model: 'open', publish_model: 'open' })
    pubsub.configureNode = async () => ({ access_model: 'open', publish_model: 'open' })
    const owned = { service: jidOf('pubsub.other.example'), node: 'verona-by-night' }
    await ctx.network.pubsubOf(MALLORY).createNode(owned, { access_model: 'whitelist', publish_model: 'publishers' })
    const row = await scene.make({ owner: MALLORY, service: owned.service })
    assert.equal(row.status, 'done', row.problem)
    const node = await findNode(ctx.index, owned)
    assert.deepEqual([node?.status, node?.accessModel, node?.publishModel], ['restricted', 'whitelist', 'publishers'])
  })

  it('counts a form once', async () => {
    await using scene = await open()
    const first = await scene.make()
    assert.equal((await scene.make()).id, first.id)
  })

  it('never touches a node that is another’s, or that was there before', async () => {
    await using scene = await open()
    const { ctx } = scene
    await ctx.sessions(MALLORY)?.pubsub.createNode(NIGHTS, { title: 'Verona by Night', publish_model: 'publishers' })
    const row = await scene.make()
    assert.equal(row.status, 'refused')
    assert.match(row.problem ?? '', /Choose another title/)
    assert.equal(configOf(ctx, NIGHTS)?.publish_model, 'publishers')
    assert.equal(await findCommunity(ctx.state, NIGHTS), undefined)
  })

  it('goes on after an answer that was lost', async () => {
    await using scene = await open()
    const { ctx } = scene
    ctx.network.failNext('readConfig', new AppError('timeout', 'no answer'))
    const row = await scene.make()
    assert.equal(row.status, 'done', row.problem)
    assert.equal(row.attempts, 2)
    assert.equal((await findCommunity(ctx.state, NIGHTS))?.owner, JULIET)
  })

  it('says what to do where the service lets only its admins', async () => {
    await using scene = await open()
    scene.ctx.network.creators.set(SERVICE, [ROMEO])
    const row = await scene.make()
    assert.equal(row.status, 'refused')
    assert.match(row.problem ?? '', /does not let you make communities. Ask who runs it/)
    assert.equal((await scene.make({ owner: ROMEO })).status, 'done')
  })

  it('is undone where the service does not let one say who may post', async () => {
    await using scene = await open()
    const { ctx } = scene
    const { pubsub } = ctx.sessions(JULIET) as { pubsub: { readConfig: (where: NodeAddress) => Promise<object> } }
    const session = { ...ctx.sessions(JULIET), pubsub: { ...pubsub } }
    session.pubsub.readConfig = async () => ({ access_model: 'open', publish_model: 'open' })
    session.pubsub = Object.assign(Object.create(pubsub), session.pubsub, {
      configureNode: async () => ({ access_model: 'open', publish_model: 'open' }),
    })
    const deps = { ...ctx, sessions: () => session }
    const { performCommunity } = await import('#server/feeds/perform-community.ts')
    const task = {
      kind: 'community',
      profile: 'base',
      title: 'x',
      description: '',
      isOpen: false,
      publishers: [],
    } as const
    const row = { account: JULIET, address: itemOf(NIGHTS, ''), attempts: 0 }
    const performance = { session, row, task, begin: async () => {} }
    await assert.rejects(performCommunity(deps as never, performance as never), /does not let you say who may post/)
    assert.equal(ctx.network.nodes.get(addressKey(NIGHTS)), undefined)
  })

  it('lets only the people write whom its maker names', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make({ publishers: [ROMEO, JULIET] })
    assert.equal(configOf(ctx, NIGHTS)?.publish_model, 'publishers')
    assert.equal((await scene.post(ROMEO)).status, 'done')
    const refused = await scene.post(MALLORY)
    assert.equal(refused.status, 'refused')
    assert.match(refused.problem ?? '', /does not let you post/)
  })
})

describe('a post in a community', () => {
  it('is its writer’s, with its page here and a thread of theirs', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const row = await scene.post(JULIET)
    assert.equal(row.status, 'done', row.problem)
    assert.equal(row.address.node, NIGHTS.node)
    const post = await shown(ctx, row.address)
    assert.equal(post.credit, 'credited')
    assert.equal(post.author?.jid, JULIET)
    assert.equal(post.alternate, `https://blog.example/c/${SERVICE}/${NIGHTS.node}/${row.address.item}`)
    assert.equal(post.comments?.service, JULIET)
  })

  it('is changed by its writer and nobody else', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const { address } = await scene.post(JULIET)
    const edit = { edits: address, draft: { ...DRAFT, text: 'Another' } }
    await assert.rejects(scene.post(MALLORY, { ...edit, key: 'theirs' }), /Only its author can change a post/)
    const row = await scene.post(JULIET, { ...edit, key: 'mine' })
    assert.equal(row.status, 'done', row.problem)
    assert.match((await shown(ctx, address)).html, /Another/)
  })

  it('is a draft for that community again when it was refused', async () => {
    await using scene = await open()
    await scene.make({ publishers: [] })
    const row = await scene.post(ROMEO)
    assert.equal(row.status, 'refused')
    const [draft] = await listDrafts(scene.ctx.state, ROMEO)
    assert.deepEqual(draft?.to, NIGHTS)
    assert.equal(draft?.text, DRAFT.text)
  })

  it('is deleted by its writer where the service lets them, else by the community’s owner for them', async () => {
    for (const mayRetractOwn of [true, false]) {
      await using scene = await open()
      const { ctx } = scene
      ctx.network.mayRetractOwn = mayRetractOwn
      await scene.make()
      const { address } = await scene.post(ROMEO)
      const row = await scene.settle(await queueDelete(ctx, { author: ROMEO, address }))
      assert.equal(row.status, 'done', row.problem)
      assert.equal(row.account, mayRetractOwn ? ROMEO : JULIET)
      assert.equal(await findPost(ctx.index, address), 'gone')
      assert.equal(ctx.network.nodes.get(addressKey(NIGHTS))?.items.size, 0)
    }
  })

  it('of a gallery has a picture, and words for those who cannot see it', async () => {
    await using scene = await open()
    await scene.make({ kind: 'gallery' })
    await assert.rejects(scene.post(JULIET), /Add a picture first/)
    const mute = { ...DRAFT, pictures: [{ ...ROSE, alt: ' ' }] }
    await assert.rejects(scene.post(JULIET, { draft: mute }), /Say in words/)
    const row = await scene.post(JULIET, { draft: { ...DRAFT, text: '', pictures: [ROSE] } })
    assert.equal(row.status, 'done', row.problem)
    const post = await shown(scene.ctx, row.address)
    assert.deepEqual(post.pictures, [ROSE])
    assert.equal(post.profile, 'gallery')
  })
})

describe('the thread of a post in a community', () => {
  const ELSEWHERE: NodeAddress = { service: jidOf('pubsub.montague.example'), node: 'news' }

  async function threadOf(community: NodeAddress, publisher: string, thread: NodeAddress) {
    await using scene = await open()
    const { ctx } = scene
    await addNode(ctx.index, { address: community, kind: 'community', now: ctx.clock() })
    const payload = entryOf({ author: publisher, more: commentsLink(thread) })
    await publishTo(ctx, itemOf(community, 'one'), { payload, publisher })
    const { comments } = await shown(ctx, itemOf(community, 'one'))
    return { comments, node: await findNode(ctx.index, thread) }
  }

  it('is its writer’s, or beside the community', async () => {
    const own = await threadOf(NIGHTS, JULIET, THREAD)
    assert.deepEqual(own.comments, THREAD)
    assert.equal(own.node?.owner, JULIET)
    const beside = { ...ELSEWHERE, node: `${NS.COMMENTS_PREFIX}x` }
    assert.deepEqual((await threadOf(ELSEWHERE, JULIET, beside)).comments, beside)
  })

  it('is nobody else’s: neither a writer nor a service may point at others’ threads', async () => {
    assert.equal((await threadOf(NIGHTS, JULIET, { ...THREAD, service: MALLORY })).comments, undefined)
    // That Juliet wrote it is only what Montague's service says.
    assert.equal((await threadOf(ELSEWHERE, JULIET, THREAD)).comments, undefined)
  })
})

describe('the owner of a community', () => {
  it('removes any post, which a stranger cannot', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const { address } = await scene.post(ROMEO)
    await assert.rejects(queueDelete(ctx, { author: MALLORY, address }), /Only its author, and who owns/)
    assert.equal((await scene.settle(await queueDelete(ctx, { author: JULIET, address }))).status, 'done')
    assert.equal(await findPost(ctx.index, address), 'gone')
  })

  it('shuts somebody out, sees whom, and lets them in again', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const set = async (affiliation: 'outcast' | 'none') =>
      scene.settle(await queueAffiliation(ctx, { by: JULIET, address: NIGHTS, jid: ROMEO, affiliation }))
    assert.equal((await set('outcast')).status, 'done')
    assert.equal((await scene.post(ROMEO)).status, 'refused')
    const blocked = (await listPeople(ctx, JULIET, NIGHTS)).list.filter(({ affiliation }) => affiliation === 'outcast')
    assert.deepEqual(
      blocked.map(({ jid }) => jid),
      [ROMEO],
    )
    assert.equal((await set('none')).status, 'done')
    assert.equal((await scene.post(ROMEO, { key: 'again' })).status, 'done')
    await assert.rejects(
      queueAffiliation(ctx, { by: JULIET, address: NIGHTS, jid: JULIET, affiliation: 'outcast' }),
      /You own this/,
    )
  })

  it('has the posts of who was shut out taken off, where the service lets them publish all the same', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    await scene.settle(await queueAffiliation(ctx, { by: JULIET, address: NIGHTS, jid: ROMEO, affiliation: 'outcast' }))
    const node = ctx.network.nodes.get(addressKey(NIGHTS))
    node?.affiliations.delete(ROMEO)
    const address = itemOf(NIGHTS, 'elsewhere')
    const payload = entryOf({ author: ROMEO })
    await ctx.sessions(ROMEO)?.pubsub.publishItem(address, payload)
    assert.equal(node?.items.size, 1)
    await publishTo(ctx, address, { payload, publisher: ROMEO })
    await until(() => node?.items.size === 0)
    const mine = await scene.post(JULIET)
    assert.equal((await shown(ctx, mine.address)).title, 'Hello')
  })

  it('needs not be there: the site sends nothing that who is blocked writes, and says so', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const { address: post } = await scene.post(JULIET)
    const set = async (affiliation: 'outcast' | 'none') =>
      scene.settle(await queueAffiliation(ctx, { by: JULIET, address: NIGHTS, jid: ROMEO, affiliation }))
    await set('outcast')
    // As servers are: they let outcasts publish.
    ctx.network.nodes.get(addressKey(NIGHTS))?.affiliations.delete(ROMEO)
    ctx.signOut(JULIET)
    const row = await scene.post(ROMEO)
    assert.equal(row.status, 'refused')
    assert.match(row.problem ?? '', /You are blocked in this community\. Your text is kept as a draft/)
    assert.equal((await listDrafts(ctx.state, ROMEO))[0]?.text, DRAFT.text)
    assert.equal(ctx.network.nodes.get(addressKey(NIGHTS))?.items.size, 1)
    const comment = { author: ROMEO, post, text: 'Let me in' }
    const refused = await scene.settle(await queueComment(ctx, { ...comment, key: 'comment-1' }))
    assert.equal(refused.status, 'refused')
    assert.match(refused.problem ?? '', /You are blocked here/)
    ctx.signIn(JULIET)
    await set('none')
    assert.equal((await scene.settle(await queueComment(ctx, { ...comment, key: 'comment-2' }))).status, 'done')
  })

  it('need not be signed in: what who is blocked sends by another client is never shown, until they are let in', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const { address: post } = await scene.post(JULIET)
    const { comments } = await shown(ctx, post)
    assert.ok(comments)
    const set = async (affiliation: 'outcast' | 'none') =>
      scene.settle(await queueAffiliation(ctx, { by: JULIET, address: NIGHTS, jid: ROMEO, affiliation }))
    const arrive = (address: ItemAddress, publisher = `${ROMEO}/balcony`) =>
      publishTo(ctx, address, { payload: entryOf({ author: ROMEO }), publisher })
    await arrive(itemOf(NIGHTS, 'before'))
    await set('outcast')
    ctx.signOut(JULIET)
    assert.equal(await arrive(itemOf(NIGHTS, 'before')), 'unchanged')
    assert.equal(await arrive(itemOf(NIGHTS, 'during')), 'rejected')
    assert.equal(await arrive(itemOf(comments, 'comment')), 'rejected')
    assert.equal(await findPost(ctx.index, itemOf(NIGHTS, 'during')), undefined)
    assert.ok(await shown(ctx, itemOf(NIGHTS, 'before')))
    assert.equal(await arrive(itemOf(NIGHTS, 'another'), MALLORY), 'stored')
    ctx.signIn(JULIET)
    await set('none')
    assert.equal(await arrive(itemOf(NIGHTS, 'after')), 'stored')
    assert.equal(await arrive(itemOf(comments, 'after')), 'stored')
  })

  it('of a node that was not made here is known once the service has said so', async () => {
    await using scene = await open()
    const { ctx } = scene
    await ctx.sessions(ROMEO)?.pubsub.createNode(NIGHTS, { publish_model: 'open' })
    assert.equal(await isModerator(ctx, ROMEO, NIGHTS), false)
    await assert.rejects(listPeople(ctx, MALLORY, NIGHTS), /Only who owns this community/)
    await listPeople(ctx, ROMEO, NIGHTS)
    assert.equal(await isModerator(ctx, ROMEO, NIGHTS), true)
    assert.equal(await isModerator(ctx, MALLORY, NIGHTS), false)
  })
})

describe('who was once seen to own a community', () => {
  const LATER = 49 * 3_600_000

  it('moderates nothing once its disco#info names another', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const node = ctx.network.nodes.get(addressKey(NIGHTS))
    assert.ok(node)
    Object.assign(node, { owner: ROMEO })
    const row = await findNode(ctx.index, NIGHTS)
    assert.ok(row)
    await learnNodeInfo(ctx, { ...row, infoReadAt: undefined })
    assert.equal((await findCommunity(ctx.state, NIGHTS))?.owner, ROMEO)
    await assert.rejects(blockOnBlog(ctx, { by: JULIET, blog: NIGHTS, jid: MALLORY }), /Only who owns/)
    await blockOnBlog(ctx, { by: ROMEO, blog: NIGHTS, jid: MALLORY })
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), ROMEO)
  })

  it('is forgotten with the node, and with them whom they shut out', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    await blockOnBlog(ctx, { by: JULIET, blog: NIGHTS, jid: MALLORY })
    await until(async () => (await listWaitingAccounts(ctx.state)).length === 0)
    await ingest(ctx, { kind: 'deleted', address: NIGHTS })
    assert.equal(await findCommunity(ctx.state, NIGHTS), undefined)
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), undefined)
    assert.equal(await isModerator(ctx, JULIET, NIGHTS), false)
  })

  it('has nobody shut out any more by blocks of before, once its disco#info names others', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    const claims = createUnseenClaims(ctx)
    const { address: post } = await scene.post(ROMEO)
    const { comments: thread } = await shown(ctx, post)
    assert.ok(thread)
    const say = (item: string) =>
      publishTo(ctx, itemOf(thread, item), { payload: entryOf({ author: MALLORY }), publisher: MALLORY })
    const hold = async (item: string) => (await findJudged(ctx.index, itemOf(thread, item)))?.hold
    await say('before')
    await blockOnBlog(ctx, { by: JULIET, blog: NIGHTS, jid: MALLORY })
    assert.equal(await hold('before'), 'blocked')
    const node = ctx.network.nodes.get(addressKey(NIGHTS))
    assert.ok(node)
    const own = async (owner: typeof JULIET) => {
      Object.assign(node, { owner })
      const row = await findNode(ctx.index, NIGHTS)
      assert.ok(row)
      await learnNodeInfo(ctx, { ...row, infoReadAt: undefined })
    }
    await own(JULIET)
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), JULIET)
    await own(ROMEO)
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), undefined)
    assert.equal(await say('after'), 'stored')
    // It was hers for a moment less only: her blocks count again.
    Object.assign(node, { owner: JULIET })
    await claims.look()
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), JULIET)
    await own(ROMEO)
    await claims.look()
    assert.equal(await hold('before'), undefined)
    Object.assign(node, { owner: JULIET })
    await claims.look()
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), undefined)
    assert.deepEqual(await listUnseenClaims(ctx.state), [])
  })

  it('keeps those shut out whom another owner did, and where its service names nobody', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    await blockOnBlog(ctx, { by: JULIET, blog: NIGHTS, jid: MALLORY })
    const learn = async (owners: readonly string[]) => {
      const row = await findNode(ctx.index, NIGHTS)
      assert.ok(row)
      const forms = new Map([[NS.PUBSUB_META_DATA, new Map([['pubsub#owner', owners]])]])
      const disco = {
        ...ctx.site.disco,
        readInfo: async () => ({ identities: [], features: new Set<string>(), forms }),
      }
      await learnNodeInfo({ ...ctx, site: { ...ctx.site, disco } }, { ...row, infoReadAt: undefined })
      return findBlock(ctx.state, NIGHTS, MALLORY)
    }
    assert.equal(await learn([ROMEO, JULIET]), JULIET)
    assert.equal(await learn([]), JULIET)
    assert.equal(await learn([ROMEO]), undefined)
  })

  it('acts at once only where that was seen of late; else it is sent, and done when its effect is seen', async () => {
    await using scene = await open()
    const { ctx } = scene
    ctx.setNow('2026-03-01T12:00:00Z')
    await scene.make()
    ctx.setNow(new Date(ctx.clock().getTime() + LATER))
    ctx.signOut(JULIET)
    await blockOnBlog(ctx, { by: JULIET, blog: NIGHTS, jid: MALLORY })
    assert.equal(await findBlock(ctx.state, NIGHTS, MALLORY), undefined)
    ctx.signIn(JULIET)
    ctx.outbox.wake(JULIET)
    await until(async () => (await findBlock(ctx.state, NIGHTS, MALLORY)) === JULIET)
  })
})

describe('what a service says about a node', () => {
  async function know(ctx: TestContext) {
    await addNode(ctx.index, { address: NIGHTS, kind: 'community', now: ctx.clock() })
    const learn = async () => {
      const node = await findNode(ctx.index, NIGHTS)
      assert.ok(node)
      return learnNodeInfo(ctx, node)
    }
    return learn
  }

  it('is remembered, clean and bounded, for a day', async () => {
    await using scene = await open()
    const { ctx } = scene
    const title = `Night\u202e${'x'.repeat(9_000)}`
    const config = { title, description: 'a\u0000b\n\nc', type: NS.GALLERY, publish_model: 'open' }
    await ctx.sessions(JULIET)?.pubsub.createNode(NIGHTS, config)
    const learn = await know(ctx)
    ctx.setNow('2026-05-01T00:00:00Z')
    const node = await learn()
    assert.equal(node.type, NS.GALLERY)
    assert.equal(node.publishModel, 'open')
    assert.ok((node.title?.length ?? 0) <= 300 && !node.title?.includes('\u202e'))
    assert.equal((await findBlog(ctx.index, NIGHTS))?.description, 'ab c')
    await ctx.sessions(JULIET)?.pubsub.configureNode(NIGHTS, { title: 'Day' })
    ctx.setNow('2026-05-01T23:59:00Z')
    assert.notEqual((await learn()).title, 'Day')
    ctx.setNow('2026-05-02T00:01:00Z')
    assert.equal((await learn()).title, 'Day')
  })

  it('is not asked again where it was refused, and is where its server was down', async () => {
    await using scene = await open()
    const { ctx } = scene
    const learn = await know(ctx)
    ctx.site.setStatus('waiting')
    await assert.rejects(learn(), { code: 'unavailable' })
    ctx.site.setStatus('online')
    assert.ok((await learn()).infoReadAt, 'there is no such node')
  })
})

describe('a followed community', () => {
  it('is read as the kind that its service says it is, and is told anew what changes', async () => {
    await using scene = await open()
    const { ctx } = scene
    const mallory = ctx.sessions(MALLORY)
    await mallory?.pubsub.createNode(NIGHTS, { title: 'Roses', type: NS.GALLERY, publish_model: 'open' })
    const picture = `<link rel='enclosure' type='image/png' href='${ROSE.href}' title='A rose'/>`
    await mallory?.pubsub.publishItem(itemOf(NIGHTS, 'one'), entryOf({ author: MALLORY, more: picture }))
    await mallory?.pubsub.publishItem(itemOf(NIGHTS, 'test_post'), xml("<entry xmlns='http://www.w3.org/2005/Atom'/>"))
    await addFollow(ctx.state, { follower: JULIET, address: NIGHTS, since: ctx.clock() })
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const post = await shown(ctx, itemOf(NIGHTS, 'one'))
    assert.equal(post.profile, 'gallery')
    assert.deepEqual(post.pictures, [ROSE])
    assert.equal(await findPost(ctx.index, itemOf(NIGHTS, 'test_post')), undefined, 'Movim’s probe is no post')
    assert.equal((await findBlog(ctx.index, NIGHTS))?.title, 'Roses')
    await mallory?.pubsub.configureNode(NIGHTS, { title: 'Red roses' })
    ctx.site.emit({ kind: 'configured', address: NIGHTS })
    await until(async () => (await findBlog(ctx.index, NIGHTS))?.title === 'Red roses')
  })
})

describe('browsing a service', () => {
  it('shows its nodes with what they say and how many posts they have, and no threads', async () => {
    await using scene = await open()
    const { ctx } = scene
    await scene.make()
    await scene.post(JULIET)
    const session = ctx.signIn(ROMEO)
    session.services = { pep: true, pubsub: SERVICE }
    for (const node of [`${NS.COMMENTS_PREFIX}x`, `${NS.ATTACHMENTS_PREFIX}y`, 'unknown here']) {
      await session.pubsub.createNode({ service: SERVICE, node }, {})
    }
    assert.equal(await findService(ctx, ROMEO), SERVICE)
    const { nodes, isCut } = await browse(ctx, ROMEO, SERVICE)
    assert.equal(isCut, false)
    assert.deepEqual(
      nodes.map(({ address, title, type, count, isKnown }) => ({ node: address.node, title, type, count, isKnown })),
      [
        { node: NIGHTS.node, title: 'Verona by Night', type: NS.SOCIAL_FEED, count: 1, isKnown: true },
        { node: 'unknown here', title: undefined, type: undefined, count: 0, isKnown: false },
      ],
    )
  })

  it('is bounded, whatever the service answers', async () => {
    await using scene = await open()
    const session = scene.ctx.signIn(ROMEO)
    const asked: (number | undefined)[] = []
    const items = Array.from({ length: 20_000 }, (_, n) => ({
      jid: SERVICE as string,
      node: `node-${n}`,
      name: 'x'.repeat(5_000),
    }))
    const odd = [
      { jid: MALLORY as string, node: 'elsewhere' },
      { jid: SERVICE as string },
      { jid: SERVICE as string, node: 'x'.repeat(3_000) },
    ]
    const disco = {
      listItems: async (_jid: string, _node?: string, { max }: { max?: number } = {}) => {
        asked.push(max)
        return [...odd, ...items]
      },
      readInfo: () => new Promise<never>(() => {}),
    }
    const sessions = () => Object.assign(Object.create(session), { disco })
    const { nodes, isCut } = await browse({ ...scene.ctx, sessions, patience: 20 }, ROMEO, SERVICE)
    assert.equal(nodes.length, 200)
    assert.equal(isCut, true)
    assert.ok(nodes.every(({ address, title = '' }) => address.service === SERVICE && title.length <= 300))
    assert.ok(asked.every((max) => max !== undefined && max < 1_000))
  })

  it('says so where the person’s server is away', async () => {
    await using scene = await open()
    scene.ctx.signIn(ROMEO).setStatus('waiting')
    await assert.rejects(browse(scene.ctx, ROMEO, SERVICE), /cannot be reached/)
  })
})
