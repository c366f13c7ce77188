import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openPage, publishPost, signIn } from '../support/browser.ts'
import { type Product, startProduct } from '../support/product.ts'
import { findCommentsNode, readHint, xmppOf } from '../support/product-clients.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { until } from '../support/until.ts'

describe('what people say under a post, looked after by its owner in a browser', () => {
  let product: Product
  let browser: Browser
  let page: Page
  let reader: Page
  let romeo: SlixmppClient
  let post: string
  let comments: { service: string; node: string }

  before(async () => {
    product = await startProduct()
    const { blogger, password } = await readHint(product)
    await product.canto('user', 'add', 'romeo@localhost', '--password', 'romeo-secret')
    browser = await openBrowser()
    page = await openPage(browser)
    reader = await openPage(browser)
    await signIn(page, product.url, blogger, password)
    romeo = await startSlixmpp({ jid: 'romeo@localhost', password: 'romeo-secret', ...(await xmppOf(product)) })
    await romeo.presence()
    await romeo.subscribe({ service: blogger, node: 'urn:xmpp:microblog:0' })
    await publishPost(page, product.url, { title: 'The balcony', text: 'What light?' })
    const { item = '' } = await romeo.hear(({ event }) => event === 'published', 'the post')
    post = `${product.url}/@blogger/${item}`
    comments = await findCommentsNode(romeo, blogger, item)
    await romeo.subscribe(comments)
  })
  after(async () => {
    await browser?.close()
    await romeo?.[Symbol.asyncDispose]()
    await product?.[Symbol.asyncDispose]()
  })

  const isShown = async (text: string) => (await (await fetch(post)).text()).includes(text)
  const shown = (text: string, wanted: boolean) =>
    until(async () => (await isShown(text)) === wanted, { what: `“${text}” to be ${wanted ? 'shown' : 'hidden'}` })
  const there = async (item: string) => (await romeo.items({ ...comments, ids: [item] }).catch(() => [])).length > 0
  const undo = () => page.getByRole('button', { name: 'Undo' }).click()
  let spam: string

  it('holds a first comment with a link, which the owner approves, and holds again', async () => {
    spam = await romeo.comment({ ...comments, text: 'Look at https://spam.example/' })
    await until(
      async () => {
        await page.goto(`${product.url}/moderation`)
        return page.getByText('a first comment with a link').isVisible()
      },
      { what: 'the comment to wait' },
    )
    assert.equal(await isShown('spam.example'), false)
    await page.getByRole('button', { name: /^Approve – Romeo|^Approve – romeo/ }).click()
    await page.getByText('Approved.').waitFor()
    await shown('spam.example', true)
    await undo()
    await page.getByText('Waiting again.').waitFor()
    await shown('spam.example', false)
  })

  it('removes it from the node, so that every client hears of it, and puts it back there', async () => {
    await page.getByRole('button', { name: /^Remove – romeo/i }).click()
    await page.getByText('Removed.', { exact: true }).waitFor()
    await romeo.hear(({ event, item }) => event === 'retracted' && item === spam, 'the retraction')
    assert.equal(await there(spam), false)
    await undo()
    await page.getByText('Put back.').waitFor()
    await until(() => there(spam), { what: 'the comment to be on its node again' })
  })

  it('blocks its writer, whose next comment goes off the node again, and lets them in', async () => {
    await page.getByRole('button', { name: /^Block – romeo@localhost/ }).click()
    await page.getByText('romeo@localhost is blocked, and the comment removed.').waitFor()
    const next = await romeo.comment({ ...comments, text: 'Once more' })
    await romeo.hear(({ event, item }) => event === 'retracted' && item === next, 'its retraction')
    await undo()
    await page.getByText('romeo@localhost is not blocked any more.').waitFor()
    await until(() => there(spam), { what: 'the comment to be on its node again' })
    await romeo.comment({ ...comments, text: 'Thank you' })
    await shown('Thank you', true)
  })

  it('closes the comments, on the wire too, and opens them again', async () => {
    await page.goto(post)
    await page.getByRole('button', { name: 'Close comments' }).click()
    await page.getByRole('button', { name: 'Open comments again' }).waitFor()
    await reader.goto(post)
    await reader.getByText('The comments are closed.').waitFor()
    await assert.rejects(romeo.comment({ ...comments, text: 'Too late' }), /forbidden/)
    await page.getByRole('button', { name: 'Open comments again' }).click()
    await page.getByRole('button', { name: 'Close comments' }).waitFor()
    await romeo.comment({ ...comments, text: 'In time' })
    await shown('In time', true)
  })

  it('takes a report of a reader who is not signed in to who runs the site, who removes it here', async () => {
    await reader.goto(post)
    await reader
      .locator('.comment', { hasText: 'In time' })
      .getByRole('link', { name: /^Report/ })
      .click()
    await reader.getByLabel('What is wrong with it?').fill('It is late')
    await reader.getByRole('button', { name: 'Report' }).click()
    await reader.getByText('Thank you.').waitFor()
    await page.goto(`${product.url}/reports`)
    await page.getByText('It is late').waitFor()
    await page.getByRole('button', { name: /^Remove from this site/ }).click()
    await page.getByText('Removed from this site.').waitFor()
    await shown('In time', false)
    await undo()
    await shown('In time', true)
  })
})
