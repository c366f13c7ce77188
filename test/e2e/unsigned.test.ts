import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openPage, publishPost, signIn } from '../support/browser.ts'
import { type Product, startProduct } from '../support/product.ts'
import { readHint } from '../support/product-clients.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { until } from '../support/until.ts'

const SITE = 'canto@localhost'

describe('a comment by somebody who has only their own XMPP client', () => {
  let product: Product
  let browser: Browser
  let author: Page
  let reader: SlixmppClient
  let address: string

  before(async () => {
    product = await startProduct()
    const { blogger, password } = await readHint(product)
    await product.canto('user', 'add', 'romeo@localhost', '--password', 'romeo-secret')
    browser = await openBrowser()
    author = await openPage(browser)
    await signIn(author, product.url, blogger, password)
    await publishPost(author, product.url, { title: 'The balcony', text: 'What light.' })
    address = author.url()
    const certificate = await readFile(`${product.data}/local/certificate.pem`, 'utf8')
    const service = `xmpp://127.0.0.1:${product.xmppPort}`
    reader = await startSlixmpp({ jid: 'romeo@localhost', password: 'romeo-secret', service, certificate })
    await reader.presence()
  })
  after(async () => {
    await browser?.close()
    await reader?.stop()
    await product?.[Symbol.asyncDispose]()
  })

  async function write(page: Page, text: string, jid = ''): Promise<string> {
    await page.goto(address)
    await page.getByLabel('Comment', { exact: true }).fill(text)
    await page.getByLabel('Your name').fill('Romeo')
    await page.getByLabel('XMPP address').fill(jid)
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByRole('heading', { name: 'Confirm your comment' }).waitFor()
    return page.locator('.code').innerText()
  }

  it('is shown as theirs, on both open pages, once they have sent the code', async () => {
    const page = await openPage(browser)
    const code = await write(page, 'He jests at *scars*')
    const link = page.getByRole('link', { name: 'Open my XMPP client' })
    assert.equal(await link.getAttribute('href'), `xmpp:${SITE}?message;body=${code}`)
    await reader.message(SITE, code.toLowerCase())
    const comment = page.locator('.comment', { hasText: 'He jests at scars' })
    await comment.waitFor()
    assert.match(page.url(), /#comment-/)
    assert.match(await comment.locator('.by').innerText(), /Romeo/)
    assert.match(await comment.innerText(), /by way of Canto, confirmed by a message from romeo@localhost/)
    await author.locator('.comment', { hasText: 'He jests at scars' }).waitFor()
    await reader.hear(({ body }) => body?.startsWith('Your comment is published') === true, 'the answer')
    await page.context().close()
  })

  it('works without scripts, by a question to their address', async () => {
    const page = await openPage(browser, { javaScriptEnabled: false })
    const code = await write(page, 'That never felt a wound', 'romeo@localhost')
    await reader.hear(({ body }) => body?.includes(code) === true, 'the question')
    await reader.send(
      `<message to="${SITE}"><confirm xmlns="http://jabber.org/protocol/http-auth" id="${code}" method="POST" url="x"/></message>`,
    )
    const comment = page.locator('.comment', { hasText: 'That never felt a wound' })
    await until(
      async () => {
        await page.reload()
        return comment.isVisible()
      },
      { what: 'the comment' },
    )
    assert.match(await comment.innerText(), /confirmed by romeo@localhost/)
    await page.context().close()
  })
})
