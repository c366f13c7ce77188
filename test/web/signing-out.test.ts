import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { listDrafts } from '#server/store/draft.ts'
import { listOutbox } from '#server/store/outbox.ts'
import { openBrowser, openPage, signIn } from '#test/support/browser.ts'
import { jidOf } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { ROMEO } from '../feeds/fixtures.ts'
import { createTestSite, type TestSite } from '../http/test-site.ts'

const JULIET = 'juliet@capulet.example'
const SECRET = 'Wilt thou be gone?'

let browser: Browser

before(async () => {
  browser = await openBrowser()
})
after(() => browser.close())

interface Scene extends AsyncDisposable {
  readonly site: TestSite
  readonly url: string
  readonly page: Page
  readonly post: string
}

async function open({ javaScriptEnabled = true, from = browser } = {}): Promise<Scene> {
  const site = await createTestSite({ env: { CANTO_URL: 'http://127.0.0.1' } })
  const writer = await site.signedIn(JULIET)
  const fields = { title: 'A balcony', text: 'It is the east.', comments: 'on', action: 'publish' }
  const sent = await writer.submit((await writer.get('/write')).body, '/write', fields)
  const path = String(sent.headers.location)
  await site.app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(site.app.server.address() as AddressInfo).port}`
  const page = await openPage(from, { javaScriptEnabled })
  await signIn(page, url, JULIET, 'secret')
  await page.waitForURL(`${url}/`)
  return {
    ...{ site, url, page, post: `${url}${path}` },
    async [Symbol.asyncDispose]() {
      await page.context().close()
      await site[Symbol.asyncDispose]()
    },
  }
}

async function signOut(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/settings`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(`${url}/`)
}

/** Finds typed text in the storages of this tab, and in the fields and the text of its page. */
async function findTyped(page: Page, words = SECRET): Promise<string[]> {
  const kept = await page.evaluate(() => [
    ...Object.entries({ ...localStorage, ...sessionStorage }).map((entry) => entry.join(' ')),
    ...[...document.querySelectorAll('textarea')].map(({ value }) => value),
    document.body.innerText,
  ])
  return kept.filter((each) => decodeURIComponent(each.replaceAll('+', ' ')).includes(words))
}

const textsOf = async ({ site }: Scene) => (await listDrafts(site.ctx.state, jidOf(JULIET))).map(({ text }) => text)

describe('after signing out', () => {
  it('what was typed in a comment is nowhere in the browser, not by the way back either', async () => {
    await using scene = await open()
    const { page, url, post } = scene
    await page.goto(post)
    await page.getByLabel('Comment', { exact: true }).fill(SECRET)
    await page.goto(`${url}/discover`)
    await page.goto(post)
    assert.ok((await findTyped(page)).length > 0, 'it is there again before')
    await signOut(page, url)
    assert.deepEqual(await findTyped(page), [])
    for (let back = 0; back < 5; back++) {
      await page.goBack()
      await page.waitForLoadState()
      assert.deepEqual(await findTyped(page), [], page.url())
      assert.equal(await page.getByRole('link', { name: 'Sign in', exact: true }).first().isVisible(), true, page.url())
    }
  })

  it('a text that only the browser had is among the drafts of its writer, and gone from the browser', async () => {
    await using scene = await open()
    const { page, url } = scene
    await page.goto(`${url}/write`)
    // The server cannot be reached while it is typed, and the tab is closed.
    await page.route('**/drafts/*', (route) => route.abort())
    await page.getByLabel('Text', { exact: true }).fill(SECRET)
    await until(async () => (await findTyped(page)).some((each) => each.includes('canto-draft')))
    const other = await page.context().newPage()
    await page.close()
    await signOut(other, url)
    assert.deepEqual(await findTyped(other), [])
    assert.deepEqual(await textsOf(scene), [SECRET])
  })

  it('the other tabs have nothing of it either: what was typed at the desk is a draft, and they are signed out', async () => {
    await using scene = await open()
    const { page: desk, url, post } = scene
    const [thread, settings] = [await desk.context().newPage(), await desk.context().newPage()]
    await thread.goto(post)
    await thread.getByLabel('Comment', { exact: true }).fill('A comment that is not sent')
    await desk.goto(`${url}/write`)
    await desk.getByLabel('Text', { exact: true }).fill(SECRET)
    await signOut(settings, url)
    await desk.waitForURL('**/signin?*')
    await thread.getByRole('link', { name: 'Sign in', exact: true }).first().waitFor()
    assert.deepEqual(await findTyped(desk), [])
    assert.deepEqual(await findTyped(thread, 'A comment'), [])
    assert.deepEqual((await textsOf(scene)).sort(), ['A comment that is not sent', SECRET])
    await desk.goBack()
    assert.deepEqual(await findTyped(desk), [])
    const sent = await listOutbox(scene.site.ctx.state, jidOf(JULIET))
    assert.deepEqual(
      sent.filter(({ kind }) => kind === 'comment'),
      [],
    )
    await signIn(thread, url, JULIET, 'secret')
    await thread.waitForURL(`${url}/`)
    await thread.goto(post)
    assert.equal(await thread.getByLabel('Comment', { exact: true }).inputValue(), 'A comment that is not sent')
  })

  it('nobody finds it on a page that the browser has kept as it was', async () => {
    const keeping = await openBrowser({ keepsPages: true })
    try {
      await using scene = await open({ from: keeping })
      const { page, url, post } = scene
      let keptPages = 0
      page.on('console', (message) => {
        if (message.text() === 'kept page') keptPages += 1
      })
      await page.addInitScript(() =>
        addEventListener('pageshow', (event) => event.persisted && console.log('kept page')),
      )
      await page.goto(post)
      await page.getByLabel('Comment', { exact: true }).fill(SECRET)
      await page.goto(`${url}/write`)
      await page.getByLabel('Text', { exact: true }).fill(SECRET)
      await signOut(page, url)
      for (const ended of ['/signin?next=%2Fsettings', '/signin?next=%2Fwrite', new URL(post).pathname]) {
        // Playwright's own way back waits for a page to load, and none does.
        await page.evaluate(() => history.back()).catch(() => {})
        await page.waitForURL((address) => `${address.pathname}${address.search}`.startsWith(ended))
        await page.getByRole('link', { name: 'Sign in', exact: true }).first().waitFor()
        assert.deepEqual(await findTyped(page), [], ended)
      }
      assert.ok(keptPages > 0, 'the browser keeps no pages')
    } finally {
      await keeping.close()
    }
  })

  it('nobody finds it by the way back, in a browser without scripts', async () => {
    await using scene = await open({ javaScriptEnabled: false })
    const { page, url, post } = scene
    await page.goto(post)
    await page.getByLabel('Comment', { exact: true }).fill(SECRET)
    await signOut(page, url)
    for (let back = 0; back < 2; back++) await page.goBack()
    assert.equal(page.url(), post)
    assert.equal(await page.getByText('Sign in to comment').isVisible(), true)
    for (const field of await page.locator('textarea').all()) assert.equal(await field.inputValue(), '')
  })

  it('what somebody else typed in the same browser and could not send is still theirs', async () => {
    await using scene = await open()
    const { page, url } = scene
    const draft = { url: '/drafts/abcdefgh', body: 'text=Romeo+s', at: new Date().toISOString() }
    const key = `canto-draft ${ROMEO} ${draft.url}`
    await page.evaluate(([name, value]) => localStorage.setItem(name ?? '', value ?? ''), [key, JSON.stringify(draft)])
    await signOut(page, url)
    assert.ok((await page.evaluate(() => Object.keys(localStorage))).includes(key))
  })

  it('the same person signs in again, and writes as before', async () => {
    await using scene = await open()
    const { page, url } = scene
    await signOut(page, url)
    await signIn(page, url, JULIET, 'secret')
    await page.waitForURL(`${url}/`)
    await page.goto(`${url}/write`)
    await page.getByLabel('Text', { exact: true }).fill('A new day')
    await page.getByRole('button', { name: 'Save draft' }).click()
    await page.waitForURL('**/write?draft=*')
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'A new day')
  })
})
