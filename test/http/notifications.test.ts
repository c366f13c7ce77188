import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { notify } from '#server/feeds/notify/notify.ts'
import { hideSecret } from '#server/http/home-feed.ts'
import { requireFeedSecret } from '#server/people/feed-secret.ts'
import { updateNode } from '#server/store/node.ts'
import { listNotifications, notifiesByMessage } from '#server/store/notification.ts'
import { findThreadWish } from '#server/store/thread-wish.ts'
import type { BareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { until } from '#test/support/until.ts'
import { BLOG, itemOf, JULIET, ROMEO, THREAD } from '../feeds/fixtures.ts'
import { listen } from './listen.ts'
import { seedAuthor, seedPost } from './seed.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const POST = itemOf(BLOG, 'balcony')

async function seededSite(): Promise<TestSite> {
  const site = await createTestSite()
  // Who has signed in once is told of things; signing in also reads the blog anew.
  for (const jid of [JULIET, ROMEO]) await site.signedIn(jid)
  await seedAuthor(site)
  return site
}

async function julietOf(site: TestSite): Promise<TestBrowser> {
  const browser = await site.signedIn(JULIET)
  await updateNode(site.ctx.index, BLOG, { status: 'open' })
  await seedPost(site, 'balcony')
  return browser
}

function tellOfComment({ ctx }: TestSite, item: string, at = new Date()): Promise<number> {
  const about = itemOf(THREAD, item)
  const said = { actor: ROMEO, actorName: 'Romeo <b>', text: `Words of ${item}`, at }
  return notify(ctx, [{ jid: JULIET, kind: 'comment', about, post: POST, ...said }])
}

function tellOfReactions({ ctx }: TestSite, count: number): Promise<number> {
  const news = Array.from({ length: count }, (_, n) => {
    const actor = `reactor${n}@x.example` as BareJid
    return { jid: JULIET, kind: 'reaction', about: POST, post: POST, actor, text: '♥' } as const
  })
  return notify(ctx, news)
}

describe('the page of notifications', () => {
  it('is for who is signed in', async () => {
    await using site = await seededSite()
    const stranger = await site.browser().get('/notifications')
    assert.equal(stranger.statusCode, 303)
    const romeo = await site.signedIn(ROMEO)
    assert.match((await romeo.get('/notifications')).body, /Nothing yet/)
  })

  it('shows what is new by day, with its words as text, and leads to the comment', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    await tellOfComment(site, 'yesterday', new Date('2026-11-21T20:00:00Z'))
    await tellOfComment(site, 'today', new Date('2026-11-22T08:00:00Z'))
    const { body } = await juliet.get('/notifications')
    assert.match(body, /22 November 2026[\s\S]*21 November 2026/)
    assert.match(body, /href="\/@juliet\/balcony\/comments\/today"/)
    assert.match(body, /Romeo &lt;b&gt;: comment on The balcony/)
    assert.match(body, /Words of today/)
    assert.equal(body.match(/class="is-unread"/g)?.length, 2)
  })

  it('puts what many did in one line', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    await tellOfReactions(site, 42)
    const { body } = await juliet.get('/notifications')
    assert.match(body, /reactor\d+ and 41 others: ♥ for The balcony/)
    assert.equal(body.match(/class="is-unread"/g)?.length, 1)
  })

  it('counts in the head of every page, until all is marked as read up to what was shown', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    const countOf = async () => /data-count>([^<]*)</.exec((await juliet.get('/')).body)?.[1]
    assert.equal(await countOf(), '0')
    await tellOfComment(site, 'first', new Date('2026-11-22T08:00:00Z'))
    assert.equal(await countOf(), '1')
    const page = await juliet.get('/notifications')
    await tellOfComment(site, 'later', new Date('2026-11-22T09:00:00Z'))
    const answer = await juliet.submit(page.body, '/notifications/read', {})
    assert.equal(answer.statusCode, 303)
    assert.equal(await countOf(), '1')
    await tellOfReactions(site, 200)
    assert.equal(await countOf(), '99+')
  })

  it('is read, as far as a post is concerned, once that was opened', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    await tellOfComment(site, 'first')
    const { body } = await juliet.get('/@juliet/balcony')
    assert.match(body, /class="unread"[^>]* hidden/)
    const [row] = await listNotifications(site.ctx.state, JULIET, { limit: 1 })
    assert.ok(row?.readAt)
  })

  it('pages', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    for (let n = 0; n < 130; n += 1) await tellOfComment(site, `c${n}`, new Date(Date.UTC(2026, 0, 1) + n * 1000))
    const first = (await juliet.get('/notifications')).body
    const older = /rel="next" href="([^"]+)"/.exec(first)?.[1]
    assert.ok(older)
    const second = (await juliet.get(older)).body
    assert.equal((first + second).match(/class="is-unread"/g)?.length, 130)
    assert.doesNotMatch(second, /rel="next"/)
  })

  it('has feeds under a secret address, which no log shows', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    await tellOfComment(site, 'first')
    const page = await juliet.get('/notifications')
    const made = await juliet.submit(page.body, '/notifications/address', {})
    assert.equal(made.headers.location, '/notifications?feeds=shown#feeds')
    const secret = await requireFeedSecret(site.ctx, JULIET)
    const atom = await site.browser().get(`/notifications/${secret}/atom.xml`)
    assert.equal(atom.statusCode, 200)
    assert.match(atom.body, /Romeo &lt;b&gt; commented on “The balcony”: Words of first/)
    assert.match(atom.body, /https:\/\/blog\.example\/@juliet\/balcony\/comments\/first/)
    assert.match(String(atom.headers['cache-control']), /private/)
    const json = (await site.browser().get(`/notifications/${secret}/feed.json`)).json()
    assert.equal(json.items.length, 1)
    assert.equal((await site.browser().get('/notifications/guess/atom.xml')).statusCode, 404)
    assert.equal(hideSecret(`/notifications/${secret}/atom.xml`), '/notifications/…/atom.xml')
    assert.equal(hideSecret('/@juliet/a/comments/proof/key/live.events'), '/@juliet/a/comments/proof/…/live.events')
  })

  it('refuses a form of somebody else', async () => {
    await using site = await seededSite()
    const [juliet, romeo] = [await julietOf(site), await site.signedIn(ROMEO)]
    await tellOfComment(site, 'first')
    const token = /name="token" value="([^"]+)"/.exec((await juliet.get('/notifications')).body)?.[1] ?? ''
    assert.equal((await romeo.post('/notifications/read', { token, until: '9-9' })).statusCode, 403)
    assert.equal((await juliet.post('/notifications/read', { token, until: 'never' })).statusCode, 400)
  })
})

describe('an open page', () => {
  it('counts what is new and what was read, whatever it shows, in its one stream', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    for (const path of ['/notifications/live.events', '/@juliet/live.events', '/@juliet/balcony/live.events']) {
      const page = await listen(site, path, { cookies: juliet.cookies })
      await until(() => page.unread.at(-1) === '0' && page.versions.length > 0)
      await tellOfComment(site, path)
      await until(() => page.unread.at(-1) === '1')
      await juliet.get('/@juliet/balcony')
      await until(() => page.unread.at(-1) === '0')
      page.answer.destroy()
    }
    const stranger = await listen(site, '/@juliet/live.events')
    await until(() => stranger.versions.length > 0)
    assert.deepEqual(stranger.unread, [])
    stranger.answer.destroy()
    assert.equal((await site.browser().get('/notifications/live.events')).statusCode, 401)
  })
})

describe('what one wants to hear of', () => {
  it('is also sent as messages, by a setting', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    const page = await juliet.get('/settings')
    assert.match(page.body, /Also send them to my XMPP account/)
    const answer = await juliet.submit(page.body, '/settings/messages', { messages: 'on' })
    assert.match((await juliet.get(String(answer.headers.location))).body, /<strong>Saved\.<\/strong>/)
    assert.equal(await notifiesByMessage(site.ctx.state, JULIET), true)
    const again = await juliet.get('/settings')
    assert.match(again.body, /name="messages" value="on" checked/)
    const { body } = again
    const token = /id="messages"[\s\S]*?name="token" value="([^"]+)"/.exec(body)?.[1] ?? ''
    await juliet.post('/settings/messages', { token })
    assert.equal(await notifiesByMessage(site.ctx.state, JULIET), false)
  })

  it('is a thread that is followed or muted on its page', async () => {
    await using site = await seededSite()
    await julietOf(site)
    const romeo = await site.signedIn(ROMEO)
    const path = '/@juliet/balcony'
    await romeo.submit((await romeo.get(path)).body, '/wish', { wish: 'follow' })
    assert.equal(await findThreadWish(site.ctx.state, ROMEO, POST), 'follow')
    assert.match((await romeo.get(path)).body, /You follow this thread/)
    await romeo.submit((await romeo.get(path)).body, '/wish', { wish: 'none' })
    await romeo.submit((await romeo.get(path)).body, '/wish', { wish: 'mute' })
    assert.equal(await findThreadWish(site.ctx.state, ROMEO, POST), 'mute')
    assert.doesNotMatch((await site.browser().get(path)).body, /thread-wish/)
    const token = /name="token" value="([^"]+)"/.exec((await romeo.get(path)).body)?.[1] ?? ''
    assert.equal((await romeo.post(`${path}/wish`, { token, wish: 'toString' })).statusCode, 400)
    assert.equal((await romeo.post('/@juliet/nothing/wish', { token, wish: 'mute' })).statusCode, 404)
  })

  it('names a new follower', async () => {
    await using site = await seededSite()
    const juliet = await julietOf(site)
    const about = { service: JULIET, node: NS.MICROBLOG }
    await notify(site.ctx, [{ jid: JULIET, kind: 'follower', about, actor: ROMEO }])
    assert.match((await juliet.get('/notifications')).body, /New follower: romeo/)
  })
})
