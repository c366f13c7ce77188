import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findJudged } from '#server/store/judged-entry.ts'
import { asItemId } from '#shared/address.ts'
import { JULIET, MALLORY, ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const SPAM = { title: 'Buy', text: 'Buy at https://spam.example/' }

interface Scene extends AsyncDisposable {
  readonly site: TestSite
  readonly path: string
  readonly thread: string
  /** Signed in once: at each sign-in her node is read, and what is only in the index goes. */
  readonly juliet: TestBrowser
}

async function open(): Promise<Scene> {
  const site = await createTestSite({ env: { CANTO_OPERATORS: JULIET } })
  const juliet = await site.signedIn(JULIET)
  await site.ctx.indexing.idle()
  const { path, thread } = await seedThread(site, 'balcony')
  await site.ctx.sessions(JULIET)?.pubsub.createNode({ service: JULIET, node: thread }, { publish_model: 'open' })
  await seedComment(site, 'spam', { from: MALLORY, thread, ...SPAM })
  return { site, path, thread, juliet, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
}

async function holdOf({ site, thread }: Scene, item: string): Promise<string | null> {
  const entry = await findJudged(site.ctx.index, { service: JULIET, node: thread, item: asItemId(item) })
  return entry === undefined ? 'absent' : (entry.hold ?? null)
}

const uriOf = (page: string) => /name="item-0" value="([^"]*)"/.exec(page)?.[1] ?? ''
const tokenOf = (page: string) => /name="token" value="([^"]*)"/.exec(page)?.[1] ?? ''

describe('what waits for the owner of a blog', () => {
  it('is on no public page and in no feed, but on the page for moderation', async () => {
    await using scene = await open()
    const { site, path } = scene
    for (const url of [path, `${path}/atom.xml`, `${path}/feed.json`, '/']) {
      assert.doesNotMatch((await site.browser().get(url)).body, /spam\.example/, url)
    }
    const { juliet } = scene
    const page = await juliet.get('/moderation')
    assert.match(page.body, /spam\.example/)
    assert.match(page.body, /a first comment with a link/)
    const romeo = await site.signedIn(ROMEO)
    assert.doesNotMatch((await romeo.get('/moderation')).body, /spam\.example/)
    assert.equal((await site.browser().get('/moderation')).statusCode, 303)
  })

  it('is approved, and approved no more, by the forms of the page', async () => {
    await using scene = await open()
    const { juliet } = scene
    const page = (await juliet.get('/moderation')).body
    const fields = { token: tokenOf(page), 'item-0': uriOf(page) }
    const approved = await juliet.post('/moderation', { ...fields, action: 'approve' })
    assert.equal(approved.statusCode, 200)
    assert.match(approved.body, /Approved\./)
    assert.equal(await holdOf(scene, 'spam'), null)
    assert.match((await scene.site.browser().get(scene.path)).body, /spam\.example/)
    const undone = await juliet.post('/moderation', { ...fields, action: 'hold' })
    assert.match(undone.body, /Waiting again/)
    assert.equal(await holdOf(scene, 'spam'), 'held')
  })

  it('is nobody else’s to decide', async () => {
    await using scene = await open()
    const { juliet } = scene
    const uri = uriOf((await juliet.get('/moderation')).body)
    const romeo = await scene.site.signedIn(ROMEO)
    const token = tokenOf((await romeo.get('/settings')).body)
    for (const action of ['approve', 'remove', 'block']) {
      const answer = await romeo.post('/moderation', { token, action, 'item-0': uri })
      assert.equal(answer.statusCode, 403, action)
    }
    assert.equal(
      (await romeo.post('/moderation', { token: 'forged', action: 'approve', 'item-0': uri })).statusCode,
      403,
    )
    assert.equal(await holdOf(scene, 'spam'), 'held')
  })

  it('is removed on the page of its post too, which says where it can be put back', async () => {
    await using scene = await open()
    const { juliet, path, site, thread } = scene
    await seedComment(site, 'plain', { from: ROMEO, thread, text: 'Plain words' })
    const [, removal = ''] = /href="([^"]*\/remove)"/.exec((await juliet.get(path)).body) ?? []
    const answer = await juliet.submit((await juliet.get(removal)).body, '/remove', {})
    const { body } = await juliet.get(String(answer.headers.location))
    assert.match(body, /Removed\.[\s\S]*href="\/moderation"[^>]*>Put it back/)
    assert.doesNotMatch(body, /Plain words/)
    assert.doesNotMatch((await site.browser().get(String(answer.headers.location))).body, /Put it back/)
  })

  it('is removed with many at once, and put back', async () => {
    await using scene = await open()
    const { site, thread } = scene
    await seedComment(site, 'more', { from: 'tybalt@evil.example', thread, ...SPAM })
    const { juliet } = scene
    const page = (await juliet.get('/moderation')).body
    const uris = [...page.matchAll(/form="chosen" name="(item-\d)" value="([^"]*)"/g)].map(([, name, uri]) => [
      name,
      uri,
    ])
    assert.equal(uris.length, 2)
    const removed = await juliet.post('/moderation', {
      token: tokenOf(page),
      action: 'remove',
      ...Object.fromEntries(uris),
    })
    assert.match(removed.body, /Removed: 2 comments/)
    const again = await juliet.submit(removed.body, '/moderation', {})
    assert.match(again.body, /Put back: 2 comments/)
  })

  it('blocks its writer and lets them in again, with the comment', async () => {
    await using scene = await open()
    const { site, thread } = scene
    const { juliet } = scene
    const page = (await juliet.get('/moderation')).body
    const blocked = await juliet.post('/moderation', { token: tokenOf(page), action: 'block', 'item-0': uriOf(page) })
    assert.match(blocked.body, /mallory@evil\.example is blocked/)
    await seedComment(site, 'next', { from: MALLORY, thread }).catch(() => {})
    assert.equal(await holdOf(scene, 'next'), 'absent')
    const undone = await juliet.submit(blocked.body, '/moderation', {})
    assert.match(undone.body, /not blocked any more/)
    assert.equal(await holdOf(scene, 'spam'), 'held')
  })

  it('is chosen by the owner', async () => {
    await using scene = await open()
    const { juliet } = scene
    const token = tokenOf((await juliet.get('/moderation')).body)
    await juliet.post('/moderation', { token, action: 'holds', holds: 'strangers' })
    assert.match((await juliet.get('/moderation')).body, /value="strangers" checked/)
  })
})

describe('a report', () => {
  it('is sent by anybody, who needs not sign in, five times an hour', async () => {
    await using scene = await open()
    const { site, path, thread } = scene
    await seedComment(site, 'rude', { from: ROMEO, thread, text: 'You are a fool' })
    const reader = site.browser()
    const page = await reader.get(`${path}/comments/rude/report`)
    assert.match(page.body, /You are a fool/)
    assert.equal((await reader.submit(page.body, '/report', { reason: ' ' })).statusCode, 400)
    assert.match((await reader.submit(page.body, '/report', { reason: 'Rude' })).body, /has been told/)
    assert.equal((await site.browser().post(`${path}/report`, { reason: 'No token' })).statusCode, 403)
    assert.equal((await reader.get(`${path}/comments/spam/report`)).statusCode, 404)
    const { juliet } = scene
    const reports = await juliet.get('/reports')
    assert.match(reports.body, /<strong>Rude<\/strong>/)
    assert.match(reports.body, /Dismiss<span class="visually-hidden"> – (?!\d)\S/)
    const fields = { token: tokenOf(reports.body), report: /name="report" value="(\d+)"/.exec(reports.body)?.[1] ?? '' }
    const hidden = await juliet.post('/reports', { ...fields, action: 'hide' })
    assert.match(hidden.body, /Removed from this site/)
    assert.equal(await holdOf(scene, 'rude'), 'removed')
    // At any time later too.
    const later = (await juliet.get('/reports')).body
    const uri = /name="item-0" value="([^"]*)"><button[^>]*>Show again/.exec(later)?.[1] ?? ''
    assert.match(
      (await juliet.post('/reports', { token: tokenOf(later), action: 'show', 'item-0': uri })).body,
      /Shown/,
    )
    assert.equal(await holdOf(scene, 'rude'), null)
    await juliet.post('/reports', { ...fields, action: 'hide' })
    assert.equal(await holdOf(scene, 'rude'), 'removed')
    assert.match((await juliet.submit(hidden.body, '/reports', {})).body, /Shown again/)
    assert.equal(await holdOf(scene, 'rude'), null)
    const blocked = await juliet.post('/reports', { ...fields, action: 'block-server' })
    assert.match(blocked.body, /montague\.example is not shown any more/)
    assert.equal(await holdOf(scene, 'rude'), 'blocked')
    await juliet.submit(blocked.body, '/reports', {})
    assert.equal(await holdOf(scene, 'rude'), null)
  })

  it('is seen by nobody but who runs the site', async () => {
    await using scene = await open()
    const romeo = await scene.site.signedIn(ROMEO)
    assert.equal((await romeo.get('/reports')).statusCode, 403)
    const token = tokenOf((await romeo.get('/settings')).body)
    assert.equal((await romeo.post('/reports', { token, action: 'block', address: 'evil.example' })).statusCode, 403)
  })

  it('blocks a whole blog, which is then nowhere', async () => {
    await using scene = await open()
    const { site, path } = scene
    await seedAuthor(site, 'nurse@capulet.example')
    const nurse = '/@nurse'
    assert.equal((await site.browser().get(nurse)).statusCode, 200)
    const { juliet } = scene
    const token = tokenOf((await juliet.get('/reports')).body)
    const wrong = await juliet.post('/reports', { token, action: 'block', address: 'capulet.example' })
    assert.equal(wrong.statusCode, 400)
    await juliet.post('/reports', { token, action: 'block', address: 'nurse@capulet.example' })
    assert.equal((await site.browser().get(nurse)).statusCode, 404)
    assert.equal((await site.browser().get(path)).statusCode, 200)
  })
})

describe('the comments of a post', () => {
  it('are closed by who owns the blog, and opened again', async () => {
    await using scene = await open()
    const { site, path } = scene
    const { juliet } = scene
    const token = tokenOf((await juliet.get('/settings')).body)
    const before = (await juliet.get(path)).body
    assert.equal((await juliet.post(`${path}/thread`, { token, action: 'close' })).statusCode, 303)
    assert.match((await juliet.get(path)).body, /The comments are closed\./)
    const romeo = await site.signedIn(ROMEO)
    const his = tokenOf((await romeo.get('/settings')).body)
    const comment = { token: his, key: 'a-form-key', text: 'Too late' }
    const refused = await romeo.post(`${path}/comments`, comment)
    assert.equal(refused.statusCode, 403)
    assert.match(refused.body, /The comments on this post are closed\.<\/span>/)
    assert.match(refused.body, />Too late<\/textarea>/)
    const closed = await romeo.get(path)
    assert.doesNotMatch(closed.body, /<textarea/)
    const versionOf = (page: string) => /data-version="([^"]*)"/.exec(page)?.[1]
    assert.notEqual(versionOf(closed.body), versionOf(before))
    assert.equal((await romeo.post(`${path}/thread`, { token: his, action: 'open' })).statusCode, 403)
    await juliet.post(`${path}/thread`, { token, action: 'open' })
    assert.equal((await romeo.post(`${path}/comments`, comment)).statusCode, 303)
  })
  it('that are refused are discarded by who wrote them, or are in the form again', async () => {
    await using scene = await open()
    const { site, path } = scene
    const romeo = await site.signedIn(ROMEO)
    site.ctx.signOut(ROMEO)
    const send = async (key: string, text: string) => {
      await romeo.post(`${path}/comments`, { token: tokenOf((await romeo.get('/settings')).body), key, text })
      await site.ctx.state.updateTable('outbox').set({ status: 'refused', problem: 'You are blocked here' }).execute()
      const { body } = await romeo.get(path)
      assert.match(body, /You are blocked here\./)
      return { token: tokenOf(body), row: /name="row" value="([0-9]+)"/.exec(body)?.[1] ?? '' }
    }
    const first = await send('first-form-key', 'Let me in')
    const { juliet } = scene
    const token = tokenOf((await juliet.get('/settings')).body)
    await juliet.post(`${path}/comments/discard`, { ...first, token, action: 'discard' })
    assert.match((await romeo.get(path)).body, /Let me in/, 'only its writer can')
    const edited = await romeo.post(`${path}/comments/discard`, { ...first, action: 'edit' })
    assert.equal(edited.headers.location, `${path}#comment`)
    const again = (await romeo.get(path)).body
    assert.match(again, />Let me in<\/textarea>/)
    assert.doesNotMatch(again, /name="row"/)
    const second = await send('second-form-key', 'Please')
    const gone = await romeo.post(`${path}/comments/discard`, { ...second, action: 'discard' })
    assert.equal(gone.headers.location, `${path}#comments`)
    assert.doesNotMatch((await romeo.get(path)).body, /Please/)
  })
})
