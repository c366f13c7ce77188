import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { AppError } from '#server/errors.ts'
import { isBelievedAbout, mayHoldComments } from '#server/feeds/belief.ts'
import { createDomainServices } from '#server/feeds/domain-services.ts'
import { queueComment, queuePost } from '#server/feeds/outbox.ts'
import { showPublished } from '#server/feeds/show.ts'
import { nameThread } from '#server/feeds/thread-name.ts'
import { createUnseenClaims } from '#server/feeds/unseen-claims.ts'
import { findBlock, findCommunity } from '#server/store/community.ts'
import { openState } from '#server/store/database.ts'
import { findJudged, saveHold } from '#server/store/judged-entry.ts'
import { MIGRATIONS } from '#server/store/migrate.ts'
import { addNode, findNode, updateNode } from '#server/store/node.ts'
import { findOutboxRow } from '#server/store/outbox.ts'
import { findPost } from '#server/store/post.ts'
import type { ItemAddress, NodeAddress } from '#shared/address.ts'
import type { PostDraft } from '#shared/entry.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const HOSTED = jidOf('mallory.capulet.example')
const SERVICE = jidOf('pubsub.capulet.example')
const DRAFT: PostDraft = { title: 'Hello', text: 'A text', tags: [], language: 'en', summary: '', comments: true }

async function know(ctx: TestContext, address: NodeAddress): Promise<void> {
  await addNode(ctx.index, { address, kind: 'community', now: ctx.clock() })
}

describe('a service below a domain', () => {
  it('is believed about the accounts of the domain only where the domain names it', async () => {
    await using ctx = await createTestContext({ siteJid: 'canto@site.example' })
    for (const service of [SERVICE, HOSTED]) {
      const address = { service, node: 'news' }
      await know(ctx, address)
      await publishTo(ctx, itemOf(address, 'post'), { payload: entryOf({ author: JULIET }), publisher: JULIET })
      const post = await findPost(ctx.index, itemOf(address, 'post'))
      assert.ok(typeof post === 'object')
      assert.equal(post.credit, service === SERVICE ? 'credited' : 'according')
    }
  })

  it('of the site is believed about everybody only where the site’s own server names it', async () => {
    await using ctx = await createTestContext()
    assert.equal(await isBelievedAbout(ctx, SERVICE, ROMEO), true)
    assert.equal(await isBelievedAbout(ctx, HOSTED, ROMEO), false)
    assert.equal(await isBelievedAbout(ctx, ctx.siteDomain, ROMEO), true)
    assert.equal(await isBelievedAbout(ctx, JULIET, ROMEO), true)
    assert.equal(await isBelievedAbout(ctx, jidOf('bob@mallory.capulet.example'), ROMEO), false)
    assert.equal(await isBelievedAbout(ctx, jidOf('pubsub.evil.example'), ROMEO), false)
  })

  it('holds no comments unless the domain names it', async () => {
    await using ctx = await createTestContext()
    await knowBlog(ctx)
    const named = { service: SERVICE, node: 'comments' }
    const hosted = { service: HOSTED, node: 'comments' }
    for (const thread of [named, hosted]) {
      const address = itemOf(BLOG, `post-${thread.service}`)
      await publishTo(ctx, address, { payload: entryOf({ author: JULIET, more: commentsLink(thread) }) })
      assert.equal((await findNode(ctx.index, thread)) !== undefined, thread === named)
    }
    assert.equal(await mayHoldComments(ctx, jidOf('bob@capulet.example'), JULIET), false)
    assert.equal(await mayHoldComments(ctx, JULIET, JULIET), true)
  })

  it('is asked for again as soon as the site account is online, where that was why it could not be', async () => {
    const site = {
      status: 'waiting' as 'waiting' | 'online',
      disco: {
        listItems: async () => {
          if (site.status === 'waiting') throw new AppError('unavailable', 'The site is not connected')
          return [{ jid: SERVICE }]
        },
      },
    }
    const services = createDomainServices({ site, clock: () => new Date('2026-01-01T00:00:00Z') })
    const domain = jidOf('capulet.example')
    await assert.rejects(services.isServiceOf(SERVICE, domain), /not connected/)
    site.status = 'online'
    assert.equal(await services.isServiceOf(SERVICE, domain), true)
  })

  it('is asked for once, and again while the domain does not answer; then what comes of it waits', async () => {
    await using ctx = await createTestContext()
    let now = new Date('2026-01-01T00:00:00Z')
    let asked = 0
    let answer: readonly { jid: string }[] | undefined
    const listItems = async () => {
      asked++
      if (answer === undefined) throw new AppError('unavailable', 'capulet.example cannot be reached now')
      return answer
    }
    const services = createDomainServices({ site: { disco: { listItems }, status: 'online' }, clock: () => now })
    const domain = jidOf('capulet.example')
    const later = (minutes: number) => {
      now = new Date(now.getTime() + minutes * 60_000)
    }
    await assert.rejects(services.isServiceOf(SERVICE, domain), /cannot be reached/)
    await assert.rejects(services.isServiceOf(SERVICE, domain), /cannot be reached/)
    assert.equal(asked, 1)
    await knowBlog(ctx)
    const post = entryOf({ author: JULIET, more: commentsLink({ service: SERVICE, node: 'comments' }) })
    await assert.rejects(publishTo({ ...ctx, services }, itemOf(BLOG, 'post'), { payload: post }), /cannot be reached/)
    assert.equal(await findPost(ctx.index, itemOf(BLOG, 'post')), undefined)
    later(61)
    assert.equal(await services.isServiceOf(SERVICE, domain), false)
    later(2)
    answer = [{ jid: SERVICE }, { jid: 'pubsub.evil.example' }]
    assert.equal(await services.isServiceOf(SERVICE, domain), true)
    assert.equal(await services.isServiceOf(jidOf('pubsub.evil.example'), domain), false)
    later(25 * 60)
    answer = undefined
    assert.equal(await services.isServiceOf(SERVICE, domain), true)
    assert.equal(await services.isServiceOf(domain, domain), true)
  })
})

describe('what is remembered of the services of domains', () => {
  const services = (listItems: (domain: string) => Promise<readonly { jid: string }[]>) =>
    createDomainServices({
      site: { disco: { listItems }, status: 'online' },
      clock: () => new Date('2026-01-01T00:00:00Z'),
    })
  const isNamed = (known: ReturnType<typeof services>, service: string, domain: string) =>
    known.isServiceOf(jidOf(service), jidOf(domain))

  it('does not grow with the domains that somebody makes up, whether they answer or not', async () => {
    for (const isSilent of [true, false]) {
      const asked: string[] = []
      const known = services(async (domain) => {
        asked.push(domain)
        if (isSilent) throw new AppError('timeout', 'It does not answer')
        return [{ jid: `pubsub.${domain}` }]
      })
      const look = (n: number) => isNamed(known, `pubsub.d${n}.example`, `d${n}.example`).catch(() => false)
      for (let n = 0; n < 3_000; n++) await look(n)
      asked.length = 0
      await look(2_999)
      assert.deepEqual(asked, [], 'those that were asked last are known')
      await look(0)
      assert.deepEqual(asked, ['d0.example'])
      await look(2_998)
      assert.equal(asked.length, 1, 'one that is new costs the oldest alone')
    }
  })

  it('is little of one that names services without end', async () => {
    const known = services(async () => Array.from({ length: 1_000 }, (_, n) => ({ jid: `s${n}.a.example` })))
    assert.equal(await isNamed(known, 's0.a.example', 'a.example'), true)
    assert.equal(await isNamed(known, 's999.a.example', 'a.example'), false)
  })
})

describe('what is sent to another server', () => {
  /** A blog of Romeo's, whom the site follows; Juliet writes on it from the site's own server. */
  async function open() {
    const ctx = await createTestContext()
    const juliet = ctx.signIn(JULIET)
    ctx.signIn(ROMEO)
    await ctx.outbox.start()
    const to = { service: jidOf('pubsub.montague.example'), node: 'nights' }
    await ctx.network.pubsubOf(ROMEO).createNode(to, { access_model: 'open', publish_model: 'open' })
    await know(ctx, to)
    return { ctx, juliet, to }
  }

  it('shows as the site account reads it back, and not before', async () => {
    const { ctx, to } = await open()
    await using _ = ctx
    ctx.site.setStatus('waiting')
    const row = await queuePost(ctx, { author: JULIET, key: 'one', draft: DRAFT, to })
    await until(async () => (await findOutboxRow(ctx.state, row.id))?.nextTry)
    assert.ok(await ctx.network.pubsubOf(ROMEO).findItem(row.address))
    assert.equal(await findPost(ctx.index, row.address), undefined)
    ctx.site.setStatus('online')
    ctx.outbox.wake(JULIET)
    await until(async () => (await findOutboxRow(ctx.state, row.id))?.status === 'done')
    const post = await findPost(ctx.index, row.address)
    assert.ok(typeof post === 'object')
    assert.equal(post.publisher, JULIET)
  })

  it('and may not be read by the site account is told to have been sent', async () => {
    const { ctx, to } = await open()
    await using _ = ctx
    const node = [...ctx.network.nodes.values()].find(({ address }) => address.node === to.node)
    node?.affiliations.set(ctx.siteJid, 'outcast')
    const row = await queuePost(ctx, { author: JULIET, key: 'one', draft: DRAFT, to })
    const last = await ctx.outbox.settle(row.id, 30_000)
    assert.equal(last.status, 'done')
    assert.match(last.problem ?? '', /sent to pubsub\.montague\.example, which does not let this site read it/)
    assert.equal(await findPost(ctx.index, row.address), undefined)
  })

  it('is of nobody but its sender, whomever their own server names, where its service names no publisher', async () => {
    await using ctx = await createTestContext()
    const address = itemOf({ service: SERVICE, node: 'open' }, 'post')
    await know(ctx, address)
    const mallory = ctx.signIn('mallory@evil.example')
    const payload = entryOf({ author: JULIET })
    await ctx.network.pubsubOf(ROMEO).createNode(address, { access_model: 'open', publish_model: 'open' })
    await ctx.network.pubsubOf(mallory.jid).publishItem(address, payload)
    const { findItem } = ctx.site.pubsub
    const withoutPublisher = async (asked: ItemAddress) => {
      const found = await findItem(asked)
      return found && { ...found, publisher: undefined }
    }
    Object.assign(ctx.site.pubsub, { findItem: withoutPublisher })
    const deed = { session: mallory, row: { createdAt: ctx.clock() }, address }
    assert.equal(await showPublished(ctx, deed, { id: address.item, payload, publisher: JULIET }), undefined)
    const post = await findPost(ctx.index, address)
    assert.ok(typeof post === 'object')
    assert.equal(post.publisher, mallory.jid)
    assert.notEqual(post.author?.jid, JULIET)
  })

  it('opens no node that only some may read', async () => {
    const { ctx, juliet, to } = await open()
    await using _ = ctx
    const address = itemOf(to, 'post')
    const payload = entryOf({ author: JULIET })
    await ctx.network.pubsubOf(JULIET).publishItem(address, payload)
    const deed = { session: juliet, row: { createdAt: ctx.clock() }, address }
    for (const status of ['restricted', 'closed'] as const) {
      await updateNode(ctx.index, to, { status })
      await showPublished(ctx, deed, { id: address.item, payload, publisher: JULIET })
      assert.equal((await findNode(ctx.index, to))?.status, status === 'closed' ? 'open' : status)
    }
  })

  it('is written on one’s own account at once, whatever the site account may read', async () => {
    const { ctx } = await open()
    await using _ = ctx
    ctx.site.setStatus('waiting')
    const row = await queuePost(ctx, { author: JULIET, key: 'one', draft: DRAFT })
    assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
    assert.equal(typeof (await findPost(ctx.index, row.address)), 'object')
    ctx.site.setStatus('online')
    const comment = { author: ROMEO, key: 'two', post: row.address, text: 'Hark' }
    assert.equal((await ctx.outbox.settle((await queueComment(ctx, comment)).id, 30_000)).status, 'done')
  })
})

describe('a post in a community of another server', () => {
  const nights = { service: jidOf('pubsub.montague.example'), node: 'nights' }

  it('takes comments on the node that its writer made for it, whatever its service is believed', async () => {
    await using ctx = await createTestContext()
    ctx.signIn(JULIET)
    await ctx.outbox.start()
    await ctx.network.pubsubOf(ROMEO).createNode(nights, { access_model: 'open', publish_model: 'open' })
    await know(ctx, nights)
    const row = await queuePost(ctx, { author: JULIET, key: 'one', draft: DRAFT, to: nights })
    assert.equal((await ctx.outbox.settle(row.id, 30_000)).status, 'done')
    const post = await findPost(ctx.index, row.address)
    assert.ok(typeof post === 'object')
    assert.equal(post.credit, 'according')
    assert.equal(post.comments?.service, JULIET)
    ctx.signIn(ROMEO)
    const comment = { author: ROMEO, key: 'two', post: row.address, text: 'Hark' }
    assert.equal((await ctx.outbox.settle((await queueComment(ctx, comment)).id, 30_000)).status, 'done')
  })

  it('does not take those of another post of its writer by the word of its service', async () => {
    await using ctx = await createTestContext()
    ctx.signIn(JULIET)
    await ctx.outbox.start()
    await know(ctx, nights)
    const own = await queuePost(ctx, { author: JULIET, key: 'one', draft: DRAFT })
    await ctx.outbox.settle(own.id, 30_000)
    const elsewhere = { ...nights, item: own.address.item }
    for (const node of [`urn:xmpp:microblog:0:comments/${own.address.item}`, nameThread(JULIET, elsewhere)]) {
      const at = itemOf(nights, `forged-${node.length}`)
      const payload = entryOf({ author: JULIET, more: commentsLink({ service: JULIET, node }) })
      await publishTo(ctx, at, { payload, publisher: JULIET })
      const post = await findPost(ctx.index, at)
      assert.ok(typeof post === 'object')
      assert.equal(post.comments, undefined)
    }
  })
})

describe('who was believed to own something before', () => {
  const nights = { service: jidOf('pubsub.montague.example'), node: 'nights' }
  const local = { service: SERVICE, node: 'local' }

  /** Opens a state as an older Canto left it. */
  async function openOld() {
    const folder = await createTestFolder()
    const path = folder.file('state.sqlite')
    const older = folder.file('migrations')
    mkdirSync(older)
    for (const name of ['0001-first.ts', '0002-following.ts', '0003-conversations.ts'])
      writeFileSync(`${older}/${name}`, `export * from '${new URL(name, MIGRATIONS.state)}'`)
    const old = await openState(path, pathToFileURL(`${older}/`))
    const since = '2026-01-01T00:00:00.000Z'
    const insert = (table: string, values: Record<string, string>) =>
      old
        .insertInto(table as 'community')
        .values(values as never)
        .execute()
    await insert('community', { ...nights, owner: ROMEO, since })
    await insert('community', { ...local, owner: JULIET, since })
    await insert('community', { service: SERVICE, node: 'secrets', owner: ROMEO, since })
    await insert('block', { ...BLOG, jid: ROMEO, by: JULIET, since })
    await insert('block', { ...BLOG, jid: JULIET, by: ROMEO, since })
    await insert('block', { ...nights, jid: JULIET, by: ROMEO, since })
    await insert('block', { ...local, jid: JULIET, by: ROMEO, since })
    await old.destroy()
    const ctx = await createTestContext({ statePath: path })
    return {
      ctx,
      claims: createUnseenClaims(ctx),
      async [Symbol.asyncDispose]() {
        await ctx[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  }

  it('counts again once the site sees it, and shows again what it had hidden where it does not', async () => {
    await using scene = await openOld()
    const { ctx, claims } = scene
    await ctx.network.pubsubOf(ROMEO).createNode(nights, {})
    assert.equal(await findCommunity(ctx.state, nights), undefined)
    assert.equal(await findBlock(ctx.state, BLOG, ROMEO), JULIET)
    assert.equal(await findBlock(ctx.state, nights, JULIET), undefined)
    // Claims about a node stay until it was looked at.
    assert.equal((await ctx.state.selectFrom('community').selectAll().execute()).length, 3)
    await knowBlog(ctx)
    await publishTo(ctx, itemOf(BLOG, 'post'), { payload: entryOf({ more: commentsLink(THREAD) }), publisher: JULIET })
    await publishTo(ctx, itemOf(THREAD, 'c1'), { payload: entryOf({ author: JULIET }), publisher: JULIET })
    const hidden = await findJudged(ctx.index, itemOf(THREAD, 'c1'))
    assert.ok(hidden)
    await saveHold(ctx.index, hidden.id, { hold: 'blocked' })
    await claims.look()
    assert.equal((await findCommunity(ctx.state, nights))?.owner, ROMEO)
    assert.equal((await findCommunity(ctx.state, local))?.owner, JULIET)
    assert.equal(await findCommunity(ctx.state, { service: SERVICE, node: 'secrets' }), undefined)
    assert.equal(await findBlock(ctx.state, nights, JULIET), ROMEO)
    assert.equal(await findBlock(ctx.state, local, JULIET), undefined)
    assert.equal(await findBlock(ctx.state, BLOG, JULIET), undefined)
    assert.equal((await findJudged(ctx.index, itemOf(THREAD, 'c1')))?.hold ?? null, null)
  })

  it('of one service waits for no other, and is asked about no more where its service does not answer', async () => {
    await using scene = await openOld()
    const { ctx, claims } = scene
    const { readInfo } = ctx.site.disco
    const silence = Promise.withResolvers<never>()
    let asked = 0
    ctx.site.disco.readInfo = (service, node) => {
      if (service !== SERVICE || node === undefined) return readInfo(service, node)
      asked++
      return silence.promise
    }
    const looked = claims.look()
    await until(async () => (await findBlock(ctx.state, nights, JULIET)) === ROMEO)
    await until(() => asked > 0)
    silence.reject(new AppError('timeout', 'Nobody answers'))
    await looked
    assert.equal(asked, 1)
    assert.equal(await findBlock(ctx.state, local, JULIET), undefined)
  })

  it('is looked at when the site account comes online', async () => {
    await using scene = await openOld()
    const { ctx, claims } = scene
    await ctx.network.pubsubOf(ROMEO).createNode(nights, {})
    ctx.site.setStatus('waiting')
    claims.start()
    assert.equal(await findCommunity(ctx.state, nights), undefined)
    ctx.site.setStatus('online')
    await until(async () => (await findCommunity(ctx.state, nights))?.owner === ROMEO)
    await claims.stop()
  })
})
