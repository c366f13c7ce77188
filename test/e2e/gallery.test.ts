import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openPage, signIn } from '../support/browser.ts'
import { type Product, startProduct } from '../support/product.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==',
  'base64',
)

describe('a gallery, from one command', () => {
  let product: Product
  let browser: Browser
  let page: Page

  before(async () => {
    product = await startProduct()
    await product.canto('user', 'add', 'romeo@localhost', '--password', 'romeo-secret')
    browser = await openBrowser()
    page = await openPage(browser)
    await signIn(page, product.url, 'romeo@localhost', 'romeo-secret')
    await page.waitForURL(`${product.url}/`)
  })
  after(async () => {
    await browser?.close()
    await product?.[Symbol.asyncDispose]()
  })

  it('is made, gets a picture from this device with words for it, and shows it to everybody', async () => {
    await page.goto(`${product.url}/communities`)
    await page.getByRole('link', { name: 'Make a community' }).click()
    await page.getByLabel('Title').fill('Roses')
    await page.getByLabel(/Pictures, each/).check()
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.waitForURL(/\/c\/pubsub\.localhost\/roses$/)
    await page.getByRole('link', { name: 'Write here' }).click()
    await page.getByLabel('Title').fill('After the rain')
    await page
      .getByLabel('A picture from this device')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: PNG })
    await page.getByLabel('What it shows', { exact: true }).fill('A red rose')
    await page.getByRole('button', { name: 'Publish' }).click()
    await page.waitForURL(/\/c\/pubsub\.localhost\/roses\/after-the-rain-\w+$/)
    // The picture is on the server that runs here, and comes through the site.
    const visitor = await openPage(browser)
    await visitor.goto(page.url())
    const picture = visitor.getByRole('img', { name: 'A red rose' })
    await picture.waitFor()
    await picture.scrollIntoViewIfNeeded()
    await visitor.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0))
    await visitor.context().close()
    assert.equal(
      (await (await fetch(`${product.url}/c/pubsub.localhost/roses/atom.xml`)).text()).match(/enclosure/g)?.length,
      1,
    )
  })

  it('takes a picture from a browser without scripts', async () => {
    const plain = await openPage(browser, { javaScriptEnabled: false })
    await signIn(plain, product.url, 'romeo@localhost', 'romeo-secret')
    await plain.goto(`${product.url}/c/pubsub.localhost/roses`)
    await plain.getByRole('link', { name: 'Write here' }).click()
    await plain.getByLabel('Title').fill('Before the rain')
    const file = { name: 'a.png', mimeType: 'image/png', buffer: PNG }
    await plain.getByLabel('A picture from this device').setInputFiles(file)
    await plain.getByLabel('What it shows', { exact: true }).fill('A white rose')
    await plain.getByRole('button', { name: 'Publish' }).click()
    await plain.waitForURL(/\/c\/pubsub\.localhost\/roses\/before-the-rain-\w+$/)
    assert.equal(await plain.getByRole('img', { name: 'A white rose' }).count(), 1)
    await plain.context().close()
  })
})
