import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'

const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic']

/**
 * A headless Debian Chromium that makes no connection of its own. Playwright has it load every page anew on the way
 * back, unless it `keepsPages` as people's browsers do.
 */
export function openBrowser({ keepsPages = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    ...(keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...QUIET],
  })
}

/** A page in a context of its own (its own cookies). */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options })
  return context.newPage()
}

/** Signs in by the form, as a person does. */
export async function signIn(page: Page, url: string, jid: string, password: string): Promise<void> {
  await page.goto(`${url}/signin`)
  await page.getByLabel('XMPP address').fill(jid)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Writes and publishes a post by the form; resolves when the browser has left the form. */
export async function publishPost(
  page: Page,
  url: string,
  post: { title: string; text: string; tags?: string },
): Promise<void> {
  await page.goto(`${url}/write`)
  await page.getByLabel('Title').fill(post.title)
  await page.getByLabel('Text').fill(post.text)
  if (post.tags !== undefined) await page.getByLabel('Tags').fill(post.tags)
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.waitForURL((address) => !address.pathname.endsWith('/write'))
}
