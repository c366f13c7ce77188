import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openPage, publishPost, signIn } from '../support/browser.ts'
import { createTestFolder, type TestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { until } from '../support/until.ts'

const [site, juliet, romeo] = ['site', 'juliet', 'romeo'].map((name) => `${name}-${randomUUID().slice(0, 8)}`)

describe('a comment by somebody of another server who has only their own XMPP client', () => {
  let rig: Rig
  let folder: TestFolder
  let product: Product
  let browser: Browser
  let author: Page
  let reader: SlixmppClient
  let address: string
  let [siteJid, readerJid] = ['', '']

  before(async () => {
    rig = await useRig()
    folder = await createTestFolder()
    const { ejabberd, prosody } = rig
    await writeFile(folder.file('ca.pem'), `${ejabberd.certificate}\n${prosody.certificate}`)
    for (const user of [site, juliet]) await ejabberd.register(`${user}`, `password of ${user}`)
    await prosody.register(`${romeo}`, `password of ${romeo}`)
    siteJid = `${site}@${ejabberd.domain}`
    readerJid = `${romeo}@${prosody.domain}`
    product = await startProduct({
      CANTO_XMPP_JID: siteJid,
      CANTO_XMPP_PASSWORD: `password of ${site}`,
      CANTO_XMPP_SERVICE: ejabberd.service,
      CANTO_BLOGGERS: `${juliet}@${ejabberd.domain}`,
      NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
    })
    browser = await openBrowser()
    author = await openPage(browser)
    await signIn(author, product.url, `${juliet}@${ejabberd.domain}`, `password of ${juliet}`)
    await publishPost(author, product.url, { title: 'The balcony', text: 'What light.' })
    address = author.url()
    reader = await startSlixmpp({ ...prosody, jid: readerJid, password: `password of ${romeo}` })
    await reader.presence()
  })
  after(async () => {
    await browser?.close()
    await reader?.stop()
    await product?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
    await rig?.stop()
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
    assert.equal(await link.getAttribute('href'), `xmpp:${siteJid}?message;body=${code}`)
    await reader.message(siteJid, code.toLowerCase())
    const comment = page.locator('.comment', { hasText: 'He jests at scars' })
    await comment.waitFor()
    assert.match(page.url(), /#comment-/)
    assert.match(await comment.locator('.by').innerText(), /Romeo/)
    assert.match(await comment.innerText(), /by way of Canto, confirmed by a message from romeo-/)
    await author.locator('.comment', { hasText: 'He jests at scars' }).waitFor()
    await reader.hear(({ body }) => body?.startsWith('Your comment is published') === true, 'the answer')
    await page.context().close()
  })

  it('works without scripts, by a question to their address', async () => {
    const page = await openPage(browser, { javaScriptEnabled: false })
    const code = await write(page, 'That never felt a wound', readerJid)
    await reader.hear(({ body }) => body?.includes(code) === true, 'the question')
    await reader.send(
      `<message to="${siteJid}"><confirm xmlns="http://jabber.org/protocol/http-auth" id="${code}" method="POST" url="x"/></message>`,
    )
    const comment = page.locator('.comment', { hasText: 'That never felt a wound' })
    await until(
      async () => {
        await page.reload()
        return comment.isVisible()
      },
      { what: 'the comment' },
    )
    assert.match(await comment.innerText(), /confirmed by romeo-/)
    await page.context().close()
  })
})
