import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { saveRoom } from '#server/store/room.ts'
import { until } from '#test/support/until.ts'
import { ROMEO } from '../feeds/fixtures.ts'
import { BLOG, COMMENTS, createClosedScene, MERCUTIO, OWNER, TYBALT } from './closed-scene.ts'
import { type Listening, listen } from './listen.ts'
import type { TestBrowser, TestSite } from './test-site.ts'

const HOUR = 3_600_000

/** A page that is open in somebody's browser. */
async function open(site: TestSite, browser: TestBrowser, path: string): Promise<Listening> {
  const page = await listen(site, `${path}/live.events`, { cookies: browser.cookies })
  await until(() => page.versions.length > 0)
  return page
}

const latest = ({ versions }: Listening) => versions.at(-1)

/** Waits until a page that may be told was told; whoever listened before it was then told as well, if at all. */
async function whileTold(page: Listening, act: () => Promise<void>): Promise<void> {
  const before = latest(page)
  await act()
  await until(() => latest(page) !== before)
}

describe('an open page about a closed blog', () => {
  it('hears nothing of new posts, comments, reactions and talk once its reader’s permit ended', async () => {
    await using scene = await createClosedScene({ isListening: true })
    const { site, romeo, mercutio, path, sessionOf } = scene
    const { ctx } = site
    const channel = 'ball@mix.montague.example' as typeof OWNER
    await saveRoom(ctx.state, { channel, blog: BLOG, owner: OWNER, status: 'open', since: ctx.clock() })
    ctx.permits.start()
    for (const jid of [ROMEO, MERCUTIO]) await ctx.permits.ask(sessionOf(jid))
    await scene.comment(ROMEO, 'c1', 'First')
    for (const browser of [romeo, mercutio]) await browser.get(path)
    await ctx.indexing.idle()
    for (const browser of [romeo, mercutio]) await browser.get(path)
    await until(() => ctx.permits.has(MERCUTIO, COMMENTS) && ctx.permits.has(ROMEO, COMMENTS))

    const blogPath = '/@benvolio@montague.example'
    const paths = [path, blogPath, `${blogPath}/room`, '/home']
    const romeos = await Promise.all(paths.map((each) => open(site, romeo, each)))
    await ctx.network.pubsubOf(OWNER).setAffiliation(BLOG, ROMEO, 'none')
    await ctx.network.pubsubOf(OWNER).setAffiliation(COMMENTS, ROMEO, 'none')
    sessionOf(ROMEO).setStatus('waiting')
    ctx.setNow(new Date(ctx.clock().getTime() + HOUR))
    await ctx.permits.ask(sessionOf(MERCUTIO))
    const heard = romeos.map(({ versions }) => [...versions])

    const [onPost, onBlog] = [await open(site, mercutio, path), await open(site, mercutio, blogPath)]
    await whileTold(onPost, () => scene.comment(MERCUTIO, 'c2'))
    await whileTold(onPost, () => scene.react(ROMEO, '🦄'))
    await whileTold(onBlog, () => scene.post('later'))
    ctx.live.publish(`room:${channel}`, { kind: 'participants-changed' })
    await whileTold(onPost, () => scene.comment(MERCUTIO, 'c3'))
    assert.deepEqual(
      romeos.map(({ versions }) => versions),
      heard,
    )
    for (const page of [...romeos, onPost, onBlog]) page.answer.destroy()
  })

  it('is not opened without a permit', async () => {
    await using scene = await createClosedScene({ isListening: true })
    const { site, tybalt, path } = scene
    const blogPath = '/@benvolio@montague.example'
    for (const browser of [tybalt, site.browser()]) {
      for (const each of [path, blogPath, `${blogPath}/room`]) {
        const { statusCode } = await browser.get(`${each}/live.events`)
        assert.ok(statusCode === 403 || statusCode === 404, `${each} answers ${statusCode}`)
      }
    }
  })

  it('that others share ends when the blog is closed, whoever opened it first', async () => {
    await using scene = await createClosedScene({ isListening: true, isBlogOpen: true, areCommentsOpen: true })
    const { site, tybalt, path } = scene
    const owner = await site.signedIn(OWNER)
    const pages = [
      await open(site, owner, path),
      await open(site, tybalt, path),
      await open(site, site.browser(), path),
    ]
    const heard = pages.map(({ versions }) => [...versions])
    await site.ctx.network.pubsubOf(OWNER).setAffiliation(BLOG, site.ctx.siteJid, 'member')
    await site.ctx.network.pubsubOf(OWNER).configureNode(BLOG, { access_model: 'presence' })
    site.ctx.setNow(new Date(site.ctx.clock().getTime() + HOUR))
    await site.ctx.permits.ask(scene.sessionOf(OWNER))
    await scene.comment(MERCUTIO, 'c1')
    await until(() => pages.every(({ isEnded }) => isEnded))
    assert.deepEqual(
      pages.map(({ versions }) => versions),
      heard,
    )
  })
})

describe('an open page of somebody who may read the post and not its comments', () => {
  it('hears nothing of comments and reactions', async () => {
    await using scene = await createClosedScene({ isListening: true, isBlogOpen: true })
    const { site, mercutio, tybalt, path, sessionOf } = scene
    const { ctx } = site
    ctx.permits.start()
    await scene.comment(ROMEO, 'c1', 'First')
    for (const browser of [mercutio, tybalt]) await browser.get(path)
    await ctx.indexing.idle()
    for (const browser of [mercutio, tybalt]) await browser.get(path)
    await until(() => ctx.permits.has(MERCUTIO, COMMENTS))
    await ctx.permits.ask(sessionOf(TYBALT))
    const shut = [
      await open(site, tybalt, path),
      await open(site, site.browser(), path),
      await open(site, tybalt, '/home'),
    ]
    const heard = shut.map(({ versions }) => [...versions])
    const page = await open(site, mercutio, path)
    await whileTold(page, () => scene.comment(MERCUTIO, 'c2'))
    await whileTold(page, () => scene.react(ROMEO, '🦄'))
    await whileTold(page, () => scene.comment(ROMEO, 'c3'))
    assert.deepEqual(
      shut.map(({ versions }) => versions),
      heard,
    )
    for (const each of [...shut, page]) each.answer.destroy()
  })
})
