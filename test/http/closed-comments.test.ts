import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { scanNews } from '#server/feeds/notify/scan.ts'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { findNode } from '#server/store/node.ts'
import { listNotifications } from '#server/store/notification.ts'
import type { BareJid } from '#shared/jid.ts'
import { nodePath } from '#shared/paths.ts'
import { jidOf } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, ROMEO } from '../feeds/fixtures.ts'
import {
  ATTACHMENTS,
  BLOG,
  type ClosedScene,
  COMMENT_WORDS,
  COMMENTS,
  createClosedScene,
  MERCUTIO,
  OWNER,
  TYBALT,
} from './closed-scene.ts'
import type { TestBrowser } from './test-site.ts'

const HOUR = 3_600_000
/** What only somebody may know who may read the comments. */
const LEAKS = [COMMENT_WORDS, 'mercutio', '🦄', '1 comment', 'thr:count="1"']

async function listDoors({ site: { ctx }, path }: ClosedScene, jid: BareJid): Promise<string[]> {
  const secret = await requireFeedSecret(ctx, jid)
  return [
    ...[path, `${path}?view=flat`, `${path}?reply=c1`, `${path}/comments/c1`, `${path}/comments/c1/remove`],
    ...[`${path}/reactions`, `${path}/people.json?q=m`, `${path}/atom.xml`, `${path}/feed.json`],
    ...['/', '/home', `/home/${secret}/atom.xml`, `/home/${secret}/feed.json`, '/notifications', '/moderation'],
    ...[`/notifications/${secret}/atom.xml`, nodePath({ domain: ctx.siteDomain }, BLOG)],
  ]
}

async function listLeaks(scene: ClosedScene, browser: TestBrowser, jid: BareJid): Promise<string[]> {
  const found: string[] = []
  for (const door of await listDoors(scene, jid)) {
    const { body, headers } = await browser.get(door)
    const page = `${headers.location ?? ''} ${body}`
    for (const leak of LEAKS) if (page.includes(leak)) found.push(`${door} shows ${leak}`)
  }
  return found
}

const mayRead = ({ site: { ctx } }: ClosedScene, jid: BareJid) =>
  ctx.permits.has(jid, COMMENTS) && ctx.permits.has(jid, ATTACHMENTS)

for (const isBlogOpen of [false, true]) {
  describe(`comments for contacts on ${isBlogOpen ? 'an open blog' : 'a blog for contacts'}`, () => {
    const createScene = async () => {
      const scene = await createClosedScene({ isBlogOpen })
      await scene.comment(MERCUTIO, 'c1')
      await scene.react(MERCUTIO, '🦄')
      const { ctx } = scene.site
      for (const jid of [ROMEO, MERCUTIO, TYBALT]) await ctx.permits.ask(scene.sessionOf(jid))
      // What is attached to a post of others is read once somebody opens it.
      await scene.mercutio.get(scene.path)
      await ctx.indexing.idle()
      return scene
    }

    it('are behind no door for strangers, nor for somebody who follows the blog and opened the post', async () => {
      await using scene = await createScene()
      const { site, tybalt, path, sessionOf } = scene
      for (const address of [COMMENTS, ATTACHMENTS])
        assert.equal((await findNode(site.ctx.index, address))?.status, 'restricted')
      await tybalt.get(path)
      await site.ctx.permits.ask(sessionOf(TYBALT))
      assert.deepEqual(await listLeaks(scene, tybalt, TYBALT), [])
      assert.deepEqual(await listLeaks(scene, site.browser(), TYBALT), [])
      if (!isBlogOpen) return
      const list = (await tybalt.get(nodePath({ domain: site.ctx.siteDomain }, BLOG))).body
      assert.ok(list.includes(path))
      assert.doesNotMatch(list, /no comments/, 'nor is it said that there are none')
      assert.match((await tybalt.get(path)).body, /access to the comments is being checked/)
      assert.match((await site.browser().get(path)).body, /Only people whom its owner lets in may read the comments/)
    })

    it('are shown to somebody whose own session fetched them, after the post was opened', async () => {
      await using scene = await createScene()
      const { site, romeo, path } = scene
      assert.match((await romeo.get(path)).body, /access to the comments is being checked/)
      await until(() => mayRead(scene, ROMEO))
      const page = (await romeo.get(path)).body
      for (const words of [COMMENT_WORDS, '1 comment', '🦄']) assert.ok(page.includes(words), words)
      assert.match((await romeo.get(`${path}/people.json?q=m`)).body, /mercutio/)
      assert.match((await romeo.get(`${path}/reactions`)).body, /mercutio/)
      await site.ctx.network.pubsubOf(OWNER).setAffiliation(COMMENTS, ROMEO, 'none')
      await site.ctx.network.pubsubOf(OWNER).setAffiliation(ATTACHMENTS, ROMEO, 'none')
      site.ctx.setNow(new Date(site.ctx.clock().getTime() + HOUR))
      await site.ctx.permits.ask(scene.sessionOf(ROMEO))
      const shown = (await romeo.get(path)).body
      for (const words of [COMMENT_WORDS, '1 comment']) assert.ok(!shown.includes(words), words)
    })
  })
}

describe('comments for contacts', () => {
  it('are shown to the owner of the blog', async () => {
    await using scene = await createClosedScene({})
    await scene.comment(MERCUTIO, 'c1')
    await scene.site.ctx.indexing.idle()
    const owner = await scene.site.signedIn(OWNER)
    assert.match((await owner.get(scene.path)).body, new RegExp(COMMENT_WORDS))
  })

  it('may be begun where there are none, are shown to their writer, and to others who may read them', async () => {
    await using scene = await createClosedScene({})
    const { site, romeo, mercutio, path, sessionOf } = scene
    const { ctx } = site
    ctx.permits.start()
    for (const jid of [ROMEO, MERCUTIO]) await ctx.permits.ask(sessionOf(jid))
    await romeo.get(path)
    const page = (await mercutio.get(path)).body
    assert.match(page, /No comments yet/)
    assert.match(page, /Only people whom its owner lets in can read it/)
    assert.doesNotMatch(page, /Everyone can read it/)
    assert.equal((await mercutio.submit(page, '/comments', { text: COMMENT_WORDS })).statusCode, 303)
    await until(async () => (await mercutio.get(path)).body.includes(COMMENT_WORDS))
    await until(async () => (await romeo.get(path)).body.includes(COMMENT_WORDS))
    await ctx.permits.ask(sessionOf(MERCUTIO))
    assert.equal(ctx.permits.has(MERCUTIO, COMMENTS), false, 'one’s own words prove nothing')
    await scene.comment(ROMEO, 'c2', 'An answer')
    await until(async () => (await mercutio.get(path)).body.includes('An answer'))
  })

  it('are not shown to somebody who wrote one, and whose server gives that back', async () => {
    await using scene = await createClosedScene({ isBlogOpen: true })
    const { site, tybalt, path, sessionOf } = scene
    await scene.comment(MERCUTIO, 'c1')
    await site.ctx.indexing.idle()
    const own = { id: itemOf(COMMENTS, 'own').item, payload: entryOf({ title: 'Mine', text: 'Mine', author: TYBALT }) }
    await site.ctx.network.pubsubOf(OWNER).setAffiliation(COMMENTS, TYBALT, 'member')
    await scene.comment(TYBALT, 'own', 'Mine')
    await site.ctx.network.pubsubOf(OWNER).setAffiliation(COMMENTS, TYBALT, 'none')
    await site.ctx.indexing.idle()
    sessionOf(TYBALT).pubsub.listItems = async () => ({ items: [own], isComplete: true })
    await tybalt.get(path)
    await site.ctx.permits.ask(sessionOf(TYBALT))
    const page = (await tybalt.get(path)).body
    assert.match(page, /Mine/)
    assert.ok(!page.includes(COMMENT_WORDS))
  })

  it('are not shown to somebody whose server gives back what an accomplice on another server wrote', async () => {
    await using scene = await createClosedScene({ isBlogOpen: true })
    const { site, romeo, path, sessionOf } = scene
    const { ctx } = site
    await scene.comment(MERCUTIO, 'c1')
    await ctx.indexing.idle()
    ctx.setNow(new Date(ctx.clock().getTime() + 60_000))
    const accomplice = jidOf('abraham@evil.example')
    await ctx.network.pubsubOf(OWNER).setAffiliation(COMMENTS, accomplice, 'member')
    await scene.comment(accomplice, 'c2', 'Bait')
    await ctx.indexing.idle()
    const session = sessionOf(TYBALT)
    Object.assign(session, { jid: jidOf('tybalt@liar.example') })
    const payload = entryOf({ title: 'Bait', text: 'Bait', author: accomplice })
    const bait = { id: itemOf(COMMENTS, 'c2').item, payload }
    session.pubsub.listItems = async () => ({ items: [bait], isComplete: true })
    session.pubsub.findItems = async () => [bait]
    ctx.permits.look(session.jid, [COMMENTS])
    await ctx.permits.ask(session)
    assert.equal(ctx.permits.has(session.jid, COMMENTS), false)
    await romeo.get(path)
    await until(() => ctx.permits.has(ROMEO, COMMENTS))
  })

  it('are told to those alone who may read them', async () => {
    await using scene = await createClosedScene({ isBlogOpen: true })
    const { site, romeo, tybalt, path, sessionOf } = scene
    const { ctx } = site
    await scene.comment(MERCUTIO, 'c1')
    await ctx.indexing.idle()
    for (const browser of [romeo, tybalt]) await browser.get(path)
    await until(() => ctx.permits.has(ROMEO, COMMENTS))
    await ctx.permits.ask(sessionOf(TYBALT))
    await scanNews({ ...ctx })
    const mention = (jid: BareJid) => `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${jid}'/>`
    const more = mention(ROMEO) + mention(TYBALT)
    const payload = entryOf({ title: COMMENT_WORDS, author: MERCUTIO, more, published: '2026-03-01T12:00:00Z' })
    await ctx.network.pubsubOf(MERCUTIO).publishItem(itemOf(COMMENTS, 'to-both'), payload)
    await ctx.indexing.idle()
    await scanNews({ ...ctx })
    assert.equal((await listNotifications(ctx.state, ROMEO, { limit: 10 })).length, 1)
    assert.deepEqual(await listNotifications(ctx.state, TYBALT, { limit: 10 }), [])
  })
})
