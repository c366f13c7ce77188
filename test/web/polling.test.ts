import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { openBrowser, openPage } from '#test/support/browser.ts'
import { until } from '#test/support/until.ts'
import { ROMEO } from '../feeds/fixtures.ts'
import { listen } from '../http/listen.ts'
import { seedAuthor, seedComment, seedThread } from '../http/seed.ts'
import { createTestSite, type TestSite } from '../http/test-site.ts'

let browser: Browser

before(async () => {
  browser = await openBrowser()
})
after(() => browser.close())

const createSite = (options: { readonly pollMs?: number } = {}) =>
  createTestSite({ ...options, env: { CANTO_URL: 'http://127.0.0.1' } })

/** Serves a post that has comments, for a browser. */
async function openThread(site: TestSite) {
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'balcony')
  await site.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = site.app.server.address() as AddressInfo
  return { path, thread, url: `http://127.0.0.1:${port}${path}` }
}

describe('a page in a network with a hundred live ones', () => {
  it('shows new comments by asking again and again, and is live once there is a place', async () => {
    await using site = await createSite({ pollMs: 300 })
    const { thread, url } = await openThread(site)
    const others = await Promise.all(Array.from({ length: 100 }, () => listen(site, '/@juliet/live.events')))
    const page = await openPage(browser)
    let asked = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/live.events')) asked += 1
    })
    await page.goto(url)
    await until(() => asked >= 2)
    await seedComment(site, 'c1', { thread, from: ROMEO, title: 'Hear me' })
    await page.locator('#comment-c1').waitFor()
    for (const { answer } of others) answer.destroy()
    // With a place it is told, and asks no more.
    await until(async () => {
      const before = asked
      await seedComment(site, `n${before}`, { thread, from: ROMEO, title: 'While' })
      await page.locator(`#comment-n${before}`).waitFor()
      return asked === before
    })
    await page.context().close()
  })
})

describe('a live page behind a proxy', () => {
  it('goes on asking when the answer is an error, and is live again once the site answers', async () => {
    await using site = await createSite()
    const { thread, url } = await openThread(site)
    const page = await openPage(browser)
    await page.clock.install()
    let refused = 0
    await page.route('**/live.events', async (route) => {
      if (refused >= 3) return route.continue()
      refused += 1
      return route.fulfill({ status: refused === 2 ? 404 : 502, body: 'Bad gateway' })
    })
    await page.goto(url)
    await until(async () => {
      await page.clock.runFor(1_000)
      return refused === 3
    })
    await seedComment(site, 'c1', { thread, from: ROMEO, title: 'Hear me' })
    await until(async () => {
      await page.clock.runFor(1_000)
      return page.locator('#comment-c1').isVisible()
    })
    await page.context().close()
  })

  it('shows what it could not fetch once it is connected again', async () => {
    await using site = await createSite()
    const { path, thread, url } = await openThread(site)
    const page = await openPage(browser)
    let refused = 0
    await page.route(`**${path}`, async (route) => {
      if (refused > 0 || route.request().resourceType() !== 'fetch') return route.continue()
      refused += 1
      return route.fulfill({ status: 502, body: 'Bad gateway' })
    })
    const isLive = page.waitForResponse((response) => response.url().endsWith('/live.events'))
    await page.goto(url)
    await isLive
    await seedComment(site, 'c1', { thread, from: ROMEO, title: 'Hear me' })
    await until(() => refused > 0)
    site.app.server.closeAllConnections()
    await page.locator('#comment-c1').waitFor()
    await page.context().close()
  })
})
