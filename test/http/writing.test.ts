import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '#server/errors.ts'
import { listDrafts } from '#server/store/draft.ts'
import { asItemId } from '#shared/address.ts'
import { until } from '#test/support/until.ts'
import { BLOG, JULIET, ROMEO } from '../feeds/fixtures.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const post = {
  title: 'A balcony',
  text: 'It is the **east**.',
  tags: 'Verona',
  summary: '',
  language: 'en',
  comments: 'on',
}

async function publish(browser: TestBrowser, fields: Record<string, string> = {}): Promise<string> {
  const form = await browser.get('/write')
  const answer = await browser.submit(form.body, '/write', { ...post, ...fields, action: 'publish' })
  assert.equal(answer.statusCode, 303, answer.body)
  return String(answer.headers.location)
}

/** The same browser after its session is over. */
async function endSession(site: TestSite): Promise<void> {
  await site.ctx.state.deleteFrom('browserSession').execute()
}

const countPosts = async (site: TestSite) => (await site.ctx.network.pubsubOf(JULIET).listItems(BLOG)).items.length

describe('writing', () => {
  it('is for those who publish here; others are told so, and strangers sign in first', async () => {
    await using site = await createTestSite()
    const romeo = await site.signedIn(ROMEO)
    assert.equal((await romeo.get('/write')).statusCode, 403)
    const stranger = await site.browser().get('/write')
    assert.equal(stranger.headers.location, '/signin?next=%2Fwrite')
  })

  it('has the labels that people and tests know', async () => {
    await using site = await createTestSite()
    const { body } = await (await site.signedIn(JULIET)).get('/write')
    for (const label of ['Title', 'Text', 'Tags'])
      assert.match(body, new RegExp(`<label for="[a-z]+">${label}</label>`))
    for (const button of ['Publish', 'Preview', 'Save draft'])
      assert.match(body, new RegExp(`<button[^>]*>${button}</button>`))
  })

  it('shows the form again with the text, and says why, where no more can be kept', async () => {
    await using site = await createTestSite({ env: { CANTO_KEEPS: 'drafts=1/1MB' } })
    const browser = await site.signedIn(JULIET)
    const write = async (text: string, action: string) => {
      const form = await browser.get('/write')
      const page = form.statusCode === 303 ? await browser.get(String(form.headers.location)) : form
      return browser.submit(page.body, '/write', { ...post, text, action })
    }
    assert.equal((await write('The first.', 'draft')).statusCode, 303)
    for (const action of ['draft', 'preview']) {
      const { statusCode, body } = await write(`The second, by ${action}.`, action)
      assert.equal(statusCode, 429)
      assert.match(body, /You have 1 drafts?\. Delete some, then save this one\./)
      assert.match(body, new RegExp(`The second, by ${action}\\.</textarea>`))
    }
    const { statusCode, body } = await write('x'.repeat(1_100_000), 'publish')
    assert.equal(statusCode, 413)
    assert.ok(body.includes(`${'x'.repeat(1_000)}</textarea>`))
  })

  it('previews the page as it will be, and the form keeps its text', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = await browser.get('/write')
    const text = 'It is the **east**. <script>alert(1)</script> ![](https://pictures.example/a.png)'
    const preview = await browser.submit(form.body, '/write', { ...post, text, action: 'preview' })
    assert.equal(preview.statusCode, 200)
    assert.match(preview.body, /<strong>east<\/strong>/)
    assert.match(preview.body, /src="\/picture\//)
    assert.doesNotMatch(preview.body, /<script>alert/)
    assert.match(preview.body, /It is the \*\*east\*\*/)
    assert.equal(await countPosts(site), 0)
    const sent = await browser.submit(preview.body, '/write', { ...post, text, action: 'publish' })
    assert.equal(sent.statusCode, 303)
    assert.deepEqual(await listDrafts(site.ctx.state, JULIET), [])
  })

  it('saves drafts by the button and by the script, lists them and deletes them', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    const saved = await browser.submit(form, '/write', { ...post, title: 'Half', action: 'draft' })
    assert.match((await browser.get(String(saved.headers.location))).body, /It is the \*\*east\*\*/)
    const [, url = ''] = /data-save="([^"]*)"/.exec(form) ?? []
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(form) ?? []
    const script = await browser.post(url, { ...post, token, title: 'More than half' }, { accept: 'application/json' })
    assert.ok(!Number.isNaN(Date.parse(script.json().saved)))
    const list = await browser.get('/drafts')
    assert.match(list.body, /More than half/)
    await browser.submit(list.body, '/delete', {})
    assert.doesNotMatch((await browser.get('/drafts')).body, /More than half/)
  })

  it('takes what a browser kept, unless there is something newer or it was published', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    const [, url = ''] = /data-save="([^"]*)"/.exec(form) ?? []
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(form) ?? []
    const send = async (title: string, kept: string) =>
      (await browser.post(`${url}?${new URLSearchParams({ kept })}`, { ...post, token, title })).json()
    assert.equal((await send('Kept', '2020-01-01T00:00:00Z')).isOld, false)
    assert.equal((await send('Too old', '2020-01-01T00:00:00Z')).isOld, true)
    assert.equal((await send('Newer', '2999-01-01T00:00:00Z')).isOld, false)
    assert.deepEqual(
      (await listDrafts(site.ctx.state, JULIET)).map(({ title }) => title),
      ['Newer'],
    )
    await browser.submit(form, '/write', { ...post, action: 'publish' })
    assert.equal((await send(post.title, '2999-01-01T00:00:00Z')).isSent, true)
    assert.deepEqual(await listDrafts(site.ctx.state, JULIET), [])
  })

  it('previews pictures under addresses that end', async () => {
    await using site = await createTestSite({ isPublicAddress: () => false })
    const now = Date.parse('2026-03-14T21:00:00Z')
    site.ctx.setNow(new Date(now))
    const browser = await site.signedIn(JULIET)
    const form = await browser.get('/write')
    const text = '![A rose](http://127.0.0.1/rose.png)'
    const preview = await browser.submit(form.body, '/write', { ...post, text, action: 'preview' })
    const [, path = ''] = /src="(\/picture\/[^"]+)"/.exec(preview.body) ?? []
    const look = async () => (await site.browser().get(path.replaceAll('&amp;', '&'))).body
    assert.match(path, /\?until=\d+$/)
    // It is looked for, and may not be.
    assert.match(await look(), /not on the open internet/)
    site.ctx.setNow(new Date(now + 3 * 3_600_000))
    assert.match(await look(), /There is no such picture/)
  })

  it('publishes once, however often the same form is sent', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    const send = (text = post.text) => browser.submit(form, '/write', { ...post, text, action: 'publish' })
    const answers = await Promise.all([send(), send(), send()])
    assert.equal(new Set(answers.map(({ headers }) => headers.location)).size, 1)
    assert.equal(await countPosts(site), 1)
    // The back button, and something mended: the same post with the new text.
    const again = await send('It is the *west*.')
    assert.equal(again.headers.location, answers[0]?.headers.location)
    assert.match((await browser.get(String(again.headers.location))).body, /<em>west<\/em>/)
    assert.equal(await countPosts(site), 1)
    assert.equal((await send('It is the *west*.')).headers.location, again.headers.location)
    assert.deepEqual(await listDrafts(site.ctx.state, JULIET), [])
    // A late word of the script makes no draft of it.
    const [, url = ''] = /data-save="([^"]*)"/.exec(form) ?? []
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(form) ?? []
    await browser.post(url, { ...post, token })
    assert.deepEqual(await listDrafts(site.ctx.state, JULIET), [])
  })

  it('does so after the back button too, which asks for the form again by its address', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const { location } = (await browser.send('GET', '/write')).headers
    const form = await browser.get(String(location))
    const sent = await browser.submit(form.body, '/write', { ...post, action: 'publish' })
    const back = await browser.get(String(location))
    assert.equal(back.headers.location, `${sent.headers.location}/edit`)
    const again = await browser.submit((await browser.get(`${sent.headers.location}/edit`)).body, '/edit', {
      ...post,
      action: 'publish',
    })
    assert.equal(again.headers.location, sent.headers.location)
    assert.equal(await countPosts(site), 1)
    const other = (await browser.send('GET', '/write')).headers.location
    assert.notEqual(other, location)
    assert.equal((await browser.get('/write?form=a%20b')).headers.location?.toString().slice(0, 12), '/write?form=')
  })

  it('edits with everything in the form, and tells of a change in between instead of writing over it', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const path = await publish(browser)
    const [first, second] = [(await browser.get(`${path}/edit`)).body, (await browser.get(`${path}/edit`)).body]
    assert.match(first, /value="Verona"/)
    assert.match(first, /It is the \*\*east\*\*/)
    const edited = await browser.submit(first, '/edit', { ...post, title: 'A window', action: 'publish' })
    assert.equal(edited.headers.location, path)
    assert.match((await browser.get(path)).body, /A window/)
    const late = await browser.submit(second, '/edit', { ...post, title: 'A door', action: 'publish' })
    assert.equal(late.statusCode, 409)
    assert.match(late.body, /A door/)
    assert.match((await browser.get(path)).body, /A window/)
    const insisted = await browser.submit(late.body, '/edit', { ...post, title: 'A door', action: 'publish' })
    assert.equal(insisted.statusCode, 303, insisted.body)
    assert.match((await browser.get(path)).body, /A door/)
  })

  it('edits and deletes nobody else’s post', async () => {
    await using site = await createTestSite()
    const path = await publish(await site.signedIn(JULIET))
    const nurse = await site.signedIn('nurse@capulet.example')
    for (const end of ['edit', 'delete']) assert.equal((await nurse.get(`${path}/${end}`)).statusCode, 403)
    const own = (await nurse.get('/write')).body
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(own) ?? []
    assert.equal((await nurse.post(`${path}/edit`, { ...post, token, action: 'publish' })).statusCode, 403)
    assert.equal((await nurse.post(`${path}/delete`, { token })).statusCode, 403)
  })

  it('deletes after a question, and the post is gone', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const path = await publish(browser)
    const question = await browser.get(`${path}/delete`)
    const answer = await browser.submit(question.body, '/delete', {})
    assert.equal(answer.headers.location, '/@juliet')
    assert.equal((await site.browser().get(path)).statusCode, 410)
  })

  it('says on the post what has not happened to it yet', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const path = await publish(browser)
    const session = site.ctx.sessions(JULIET) as unknown as { setStatus(status: string): void }
    session.setStatus('waiting')
    const edit = (await browser.get(`${path}/edit`)).body
    await browser.submit(edit, '/edit', { ...post, title: 'A window', action: 'publish' })
    assert.match((await browser.get(path)).body, /Your changes are not published yet\./)
    await browser.submit((await browser.get(`${path}/delete`)).body, '/delete', {})
    assert.match((await browser.get(path)).body, /Not deleted yet\./)
    assert.doesNotMatch((await site.browser().get(path)).body, /not deleted|A window/i)
    session.setStatus('online')
    await until(async () => (await site.browser().get(path)).statusCode === 410, { what: 'the deletion' })
  })

  it('asks for a text', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    assert.equal(
      (await browser.submit(form, '/write', { ...post, title: ' ', text: '\n', action: 'publish' })).statusCode,
      400,
    )
  })
})

describe('what was typed is never lost', () => {
  it('when the session ended: it is there after signing in again, for the same account only', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    await endSession(site)
    const answer = await browser.submit(form, '/write', { ...post, action: 'publish' })
    assert.equal(answer.statusCode, 303)
    const signIn = await browser.get(String(answer.headers.location))
    assert.match(signIn.body, /Your text is kept\./)
    const back = await browser.submit(signIn.body, '/signin', { jid: JULIET, password: 'secret' })
    assert.match((await browser.get(String(back.headers.location))).body, /It is the \*\*east\*\*/)
    const nurse = await site.signedIn('nurse@capulet.example')
    assert.equal((await nurse.get(String(back.headers.location))).statusCode, 404)
    assert.doesNotMatch((await nurse.get('/drafts')).body, /A balcony/)
  })

  it('when somebody else is signed in by then: it is among the drafts of whose it is', async () => {
    await using site = await createTestSite()
    const form = (await (await site.signedIn(JULIET)).get('/write')).body
    const nurse = await site.signedIn('nurse@capulet.example')
    assert.equal((await nurse.submit(form, '/write', { ...post, action: 'publish' })).statusCode, 403)
    assert.equal((await listDrafts(site.ctx.state, JULIET)).length, 1)
    assert.equal(await countPosts(site), 0)
  })

  it('when the session ended while the script saves', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    const [, url = ''] = /data-save="([^"]*)"/.exec(form) ?? []
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(form) ?? []
    await endSession(site)
    assert.equal((await browser.post(url, { ...post, token })).statusCode, 200)
    assert.equal((await listDrafts(site.ctx.state, JULIET)).length, 1)
  })

  it('when the form is of an earlier session of the same account: its text is kept, and nothing else is done', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const path = await publish(browser, { title: 'Night' })
    const [form, thread, settings, drafts] = [
      (await browser.get('/write')).body,
      (await browser.get(path)).body,
      (await browser.get('/settings')).body,
      async () => (await browser.get('/drafts')).body,
    ]
    await browser.submit(settings, '/signout', {})
    assert.equal((await browser.get('/settings')).statusCode, 303)
    const signIn = await browser.get('/signin')
    await browser.submit(signIn.body, '/signin', { jid: JULIET, password: 'secret' })

    const posts = await countPosts(site)
    const sent = await browser.submit(form, '/write', { ...post, action: 'publish' })
    assert.equal(sent.statusCode, 303)
    assert.match(String(sent.headers.location), /^\/write\?draft=/)
    assert.match((await browser.get(String(sent.headers.location))).body, /It is the \*\*east\*\*/)
    assert.equal(await countPosts(site), posts)
    const comment = await browser.submit(thread, '/comments', { text: 'Wherefore?' })
    assert.equal(comment.statusCode, 403)
    assert.match(comment.body, /<textarea[^>]*>Wherefore\?<\/textarea>/)
    for (const action of ['/settings', '/signout']) {
      assert.equal((await browser.submit(settings, action, { title: 'Changed' })).statusCode, 403, action)
    }
    const [, token = ''] = /name="token" value="([^"]*)"/.exec(form) ?? []
    const [, key = ''] = /name="key" value="([^"]*)"/.exec(form) ?? []
    assert.equal((await browser.post(`/drafts/${key}/delete`, { token })).statusCode, 403)
    assert.match(await drafts(), /A balcony/)
    assert.equal((await browser.get('/settings')).statusCode, 200)
    assert.doesNotMatch((await browser.get('/settings')).body, /Changed/)
  })

  it('when the form was too old: it comes back in a new one', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/write')).body
    const answer = await browser.submit(form, '/write', { ...post, token: 'old', action: 'publish' })
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /It is the \*\*east\*\*/)
    assert.equal((await browser.submit(answer.body, '/write', { ...post, action: 'publish' })).statusCode, 303)
  })

  it('when the author’s server refuses it: the form says so, with the status, and it can be sent again', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    await publish(browser, { title: 'First' })
    const form = (await browser.get('/write')).body
    site.ctx.network.failNext('publishItem', new AppError('too-large', 'capulet.example finds it too large'))
    const answer = await browser.submit(form, '/write', { ...post, action: 'publish' })
    assert.equal(answer.statusCode, 413, answer.body)
    assert.match(answer.body, /Not published\./)
    assert.match(answer.body, /finds it too large/)
    assert.match(answer.body, /It is the \*\*east\*\*/)
    assert.match((await browser.get('/drafts')).body, /finds it too large/)
    const again = await browser.submit(answer.body, '/write', { ...post, text: 'Shorter', action: 'publish' })
    assert.equal(again.statusCode, 303, again.body)
    assert.match((await site.browser().get(String(again.headers.location))).body, /Shorter/)
  })

  it('when the network is away: its author sees it waiting, nobody else sees it, and it goes out by itself', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const session = site.ctx.sessions(JULIET) as unknown as { setStatus(status: string): void }
    session.setStatus('waiting')
    const form = (await browser.get('/write')).body
    const answer = await browser.submit(form, '/write', { ...post, action: 'publish' })
    const path = String(answer.headers.location)
    const own = await browser.get(path)
    assert.equal(own.statusCode, 200)
    assert.match(own.body, /not published yet\./i)
    assert.match((await browser.get('/@juliet')).body, /A balcony/)
    assert.match((await browser.get('/drafts')).body, /A balcony/)
    assert.equal((await site.browser().get(path)).statusCode, 404)
    assert.doesNotMatch((await site.browser().get('/@juliet')).body, /A balcony/)
    session.setStatus('online')
    await until(async () => (await site.browser().get(path)).statusCode === 200, { what: 'the post' })
    assert.equal(await countPosts(site), 1)
  })
})

describe('a comment of a session that is over', () => {
  it('is kept for its owner, and not offered to somebody else who is signed in now', async () => {
    await using site = await createTestSite()
    const path = await publish(await site.signedIn(JULIET))
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get(path)).body
    const nurse = await site.signedIn('nurse@capulet.example')
    const answer = await nurse.submit(page, '/comments', { text: 'Wherefore?' })
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /kept for romeo@montague\.example/)
    assert.doesNotMatch(answer.body, /<textarea/)
    assert.doesNotMatch((await nurse.get(path)).body, /Wherefore/)
    assert.match((await romeo.get(path)).body, /<textarea[^>]*>Wherefore\?<\/textarea>/)
  })

  it('is kept where the same account is signed in anew', async () => {
    await using site = await createTestSite()
    const path = await publish(await site.signedIn(JULIET))
    const page = (await (await site.signedIn(ROMEO)).get(path)).body
    const romeo = await site.signedIn(ROMEO)
    assert.equal((await romeo.submit(page, '/comments', { text: 'Wherefore?' })).statusCode, 403)
    assert.match((await romeo.get(path)).body, /<textarea[^>]*>Wherefore\?<\/textarea>/)
  })
})

describe('commenting', () => {
  it('keeps the comment of a session that ended, for the same post and account', async () => {
    await using site = await createTestSite()
    const path = await publish(await site.signedIn(JULIET))
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get(path)).body
    await endSession(site)
    const answer = await romeo.submit(page, '/comments', { text: 'Wherefore?' })
    const signIn = await romeo.get(String(answer.headers.location))
    assert.match(signIn.body, /Your comment is kept\./)
    const back = await romeo.submit(signIn.body, '/signin', { jid: ROMEO, password: 'secret' })
    const again = await romeo.get(String(back.headers.location).split('#')[0] ?? '')
    assert.match(again.body, /<textarea[^>]*>Wherefore\?<\/textarea>/)
    await romeo.submit(again.body, '/comments', { text: 'Wherefore?' })
    assert.doesNotMatch((await romeo.get(path)).body, /<textarea[^>]*>Wherefore/)
  })

  it('keeps what an answer answers when its session ended, or when it was refused', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    const path = await publish(juliet)
    const romeo = await site.signedIn(ROMEO)
    await romeo.submit((await romeo.get(path)).body, '/comments', { text: 'First' })
    const [, reply = ''] = /href="([^"]*reply=[^"]*)"/.exec((await juliet.get(path)).body) ?? []
    const form = (await juliet.get(reply.split('#')[0] ?? '')).body
    const [, answered] = /name="reply" value="([^"]+)"/.exec(form) ?? []
    await endSession(site)
    const sent = await juliet.submit(form, '/comments', { text: 'Second' })
    const signIn = await juliet.get(String(sent.headers.location))
    await juliet.submit(signIn.body, '/signin', { jid: JULIET, password: 'secret' })
    const again = (await juliet.get(path)).body
    assert.match(again, /<textarea[^>]*>Second<\/textarea>/)
    assert.ok(again.includes(`name="reply" value="${answered}"`))
    // It need not answer any more.
    const [, cancel = ''] = /href="([^"]*\?reply=)#comment"/.exec(again) ?? []
    const cancelled = (await juliet.get(cancel)).body
    assert.match(cancelled, /<textarea[^>]*>Second<\/textarea>/)
    assert.doesNotMatch(cancelled, /name="reply"/)
    await juliet.submit(again, '/comments', { text: 'Second' })
    const thread = (await site.browser().get(path)).body
    assert.match(thread, /depth-1[^>]*>[\s\S]*Second/)
    const anew = (await juliet.get(reply.split('#')[0] ?? '')).body
    site.ctx.signOut(JULIET)
    await juliet.submit(anew, '/comments', { text: 'Third' })
    await site.ctx.state.updateTable('outbox').set({ status: 'refused' }).where('status', '=', 'waiting').execute()
    await juliet.submit((await juliet.get(path)).body, '/comments/discard', { action: 'edit' })
    const edited = (await juliet.get(path)).body
    assert.match(edited, /<textarea[^>]*>Third<\/textarea>/)
    assert.ok(edited.includes(`name="reply" value="${answered}"`))
  })

  it('answers a comment under it', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    const path = await publish(juliet)
    const romeo = await site.signedIn(ROMEO)
    const sent = await romeo.submit((await romeo.get(path)).body, '/comments', { text: 'First' })
    const [, reply = ''] = /href="([^"]*reply=[^"]*)"/.exec((await juliet.get(path)).body) ?? []
    const form = await juliet.get(reply.split('#')[0] ?? '')
    assert.match(form.body, /name="reply"/)
    await juliet.submit(form.body, '/comments', { text: 'Second' })
    const { body } = await site.browser().get(path)
    assert.match(body, /depth-1[^>]*>[\s\S]*Second/)
    const anchor = String(sent.headers.location).split('#')[1]
    assert.ok(body.includes(`id="${anchor}"`))
  })

  it('counts a comment once, and says what is missing in an empty one', async () => {
    await using site = await createTestSite()
    const path = await publish(await site.signedIn(JULIET))
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get(path)).body
    await Promise.all([1, 2].map(() => romeo.submit(page, '/comments', { text: 'Once' })))
    assert.equal([...(await romeo.get(path)).body.matchAll(/class="comment /g)].length, 1)
    // The back button brings the text again, in a form of a new page.
    const anew = (await romeo.get(path)).body
    const again = await romeo.submit(anew, '/comments', { text: 'Once' })
    assert.equal([...(await romeo.get(path)).body.matchAll(/class="comment /g)].length, 1)
    assert.match(String(again.headers.location), /#comment-/)
    // What was removed may be said again.
    const [, removal = ''] = /href="([^"]*\/remove)"/.exec((await romeo.get(path)).body) ?? []
    await romeo.submit((await romeo.get(removal)).body, '/remove', {})
    assert.doesNotMatch((await romeo.get(path)).body, /class="comment /)
    await romeo.submit((await romeo.get(path)).body, '/comments', { text: 'Once' })
    assert.match((await romeo.get(path)).body, /class="comment /)
    const empty = await romeo.submit(page, '/comments', { text: ' ' })
    assert.equal(empty.statusCode, 400)
    assert.match(empty.body, /Write a comment first\./)
  })

  it('removes only one’s own, and what is under one’s own post', async () => {
    await using site = await createTestSite()
    const path = await publish(await site.signedIn(JULIET))
    const romeo = await site.signedIn(ROMEO)
    await romeo.submit((await romeo.get(path)).body, '/comments', { text: 'Mine' })
    const nurse = await site.signedIn('nurse@capulet.example')
    assert.doesNotMatch((await nurse.get(path)).body, /\/remove"/)
    const [, removal = ''] = /href="([^"]*\/remove)"/.exec((await romeo.get(path)).body) ?? []
    assert.equal((await nurse.get(removal)).statusCode, 403)
    await romeo.submit((await romeo.get(removal)).body, '/remove', {})
    await until(async () => !(await site.browser().get(path)).body.includes('Mine'), { what: 'the removal' })
    assert.equal((await romeo.get(`${path}/comments/${asItemId('none')}/remove`)).statusCode, 303)
  })
})

describe('settings', () => {
  it('name the blog and its author', async () => {
    await using site = await createTestSite()
    const browser = await site.signedIn(JULIET)
    const form = (await browser.get('/settings')).body
    const fields = { title: 'Orchard walls', description: 'High and hard to climb', name: 'Juliet', language: 'it' }
    const answer = await browser.submit(form, '/settings', fields)
    assert.equal(answer.headers.location, '/settings?saved=1', answer.body)
    const blog = await site.browser().get('/@juliet')
    assert.match(blog.body, /<h1[^>]*>Orchard walls<\/h1>/)
    assert.match(blog.body, /High and hard to climb/)
    assert.match((await browser.get('/')).body, />Juliet</)
    assert.equal((await browser.submit(form, '/settings', { ...fields, language: 'no language' })).statusCode, 400)
  })
})
