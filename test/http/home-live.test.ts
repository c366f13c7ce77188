import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NODES_TOPIC, POSTS_TOPIC } from '#server/feeds/live.ts'
import { addFollow } from '#server/store/follow.ts'
import { addNode } from '#server/store/node.ts'
import type { NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO } from '../feeds/fixtures.ts'
import { listen } from './listen.ts'
import { seedAuthor, seedPost } from './seed.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const MALLORYS: NodeAddress = { service: MALLORY, node: NS.MICROBLOG }
const WEB = '<link rel="alternate" type="text/html" href="https://elsewhere.example/post"/>'
const PATH = '/@mallory@evil.example'

/** Juliet's blog, and Mallory's, which Romeo follows; Romeo is signed in. */
async function followingSite(): Promise<{ site: TestSite; romeo: TestBrowser } & AsyncDisposable> {
  const site = await createTestSite()
  await seedAuthor(site)
  const { ctx } = site
  await addNode(ctx.index, { address: MALLORYS, kind: 'blog', owner: MALLORY, now: ctx.clock() })
  await addFollow(ctx.state, { follower: ROMEO, address: MALLORYS, since: ctx.clock() })
  await site.app.listen({ port: 0, host: '127.0.0.1' })
  return { site, romeo: await site.signedIn(ROMEO), [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
}

async function post({ ctx }: TestSite, item: string, day: number, more?: string): Promise<void> {
  const published = new Date(Date.UTC(2026, 0, day)).toISOString()
  const payload = entryOf({ title: item, published, author: MALLORY, more })
  assert.equal(await publishTo(ctx, itemOf(MALLORYS, item), { payload, publisher: MALLORY }), 'stored')
}

const versionOn = (page: string) => /data-version="([^"]*)"/.exec(page)?.[1]

describe('an open timeline', () => {
  it('is told of each new post of what I follow, and of nothing else', async () => {
    await using both = await followingSite()
    const { site, romeo } = both
    await post(site, 'first', 1)
    const shown = versionOn((await romeo.get('/home')).body)
    const page = await listen(site, '/home/live.events', { cookies: romeo.cookies })
    assert.equal(await until(() => page.versions[0]), shown)
    await seedPost(site, 'balcony', { jid: JULIET })
    await post(site, 'second', 2)
    const second = await until(() => page.versions.find((version) => version !== shown))
    assert.equal(second, versionOn((await romeo.get('/home')).body))
    assert.equal(new Set(page.versions).size, 2)
    page.answer.destroy()
  })

  it('is told of a post with an old date, too', async () => {
    await using both = await followingSite()
    const { site, romeo } = both
    await post(site, 'second', 2)
    const shown = versionOn((await romeo.get('/home')).body)
    const page = await listen(site, '/home/live.events', { cookies: romeo.cookies })
    assert.equal(await until(() => page.versions[0]), shown)
    await post(site, 'first', 1)
    await until(() => page.versions.find((version) => version !== shown))
    page.answer.destroy()
  })

  it('is nobody’s who is not signed in', async () => {
    await using both = await followingSite()
    assert.equal((await both.site.browser().get('/home/live.events')).statusCode, 401)
  })

  it('is read anew a few times, not once for each of many events', async () => {
    await using both = await followingSite()
    const { site, romeo } = both
    const page = await listen(site, '/home/live.events', { cookies: romeo.cookies })
    await until(() => page.versions[0])
    for (let n = 0; n < 500; n++) site.ctx.live.publish(POSTS_TOPIC, { kind: 'changed' })
    await post(site, 'last', 3)
    const last = versionOn((await romeo.get('/home')).body)
    await until(() => page.versions.at(-1) === last)
    assert.ok(page.versions.length <= 4, `${page.versions.length} versions`)
    page.answer.destroy()
  })

  it('shows a feed that is followed just now as soon as its first page is read', async () => {
    await using both = await followingSite()
    const { site, romeo } = both
    const { ctx } = site
    const address = { service: ROMEO, node: 'garden' }
    const pubsub = ctx.network.pubsubOf(ROMEO)
    await pubsub.createNode(address, { access_model: 'open' })
    await pubsub.publishItem(itemOf(address, 'weeds'), entryOf({ author: ROMEO, title: 'weeds' }))
    await ctx.indexing.start()
    await ctx.indexing.idle()
    const page = await listen(site, '/home/live.events', { cookies: romeo.cookies })
    const empty = await until(() => page.versions[0])
    await addFollow(ctx.state, { follower: ROMEO, address, since: ctx.clock() })
    await addNode(ctx.index, { address, kind: 'community', now: ctx.clock() })
    ctx.live.publish(NODES_TOPIC, { kind: 'node-added', address })
    await until(() => page.versions.find((version) => version !== empty))
    assert.match((await romeo.get('/home')).body, /weeds/)
    page.answer.destroy()
  })
})

describe('an open blog that is not of the site', () => {
  it('tells a stranger only of what is on the web, and a follower of all', async () => {
    await using both = await followingSite()
    const { site, romeo } = both
    await post(site, 'open', 1, WEB)
    const stranger = await listen(site, `${PATH}/live.events`)
    const follower = await listen(site, `${PATH}/live.events`, { cookies: romeo.cookies })
    const shown = await until(() => stranger.versions[0])
    assert.equal(shown, versionOn((await site.browser().get(PATH)).body))
    assert.equal(await until(() => follower.versions[0]), shown)
    await post(site, 'quiet', 2)
    const quiet = await until(() => follower.versions.find((version) => version !== shown))
    assert.equal(quiet, versionOn((await romeo.get(PATH)).body))
    await post(site, 'later', 3, WEB)
    const later = versionOn((await site.browser().get(PATH)).body)
    await until(() => stranger.versions.at(-1) === later)
    assert.ok(!stranger.versions.includes(quiet))
    for (const { answer } of [stranger, follower]) answer.destroy()
  })
})
