import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openPage, publishPost, signIn } from '../support/browser.ts'
import { type Product, startProduct } from '../support/product.ts'
import { readHint } from '../support/product-clients.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { until } from '../support/until.ts'

const MICROBLOG = 'urn:xmpp:microblog:0'

describe('a blog over XMPP from one command, read by a client that is not ours', () => {
  let product: Product
  let browser: Browser
  let page: Page
  let reader: SlixmppClient
  let blogger: string
  let password: string

  before(async () => {
    product = await startProduct()
    ;({ blogger, password } = await readHint(product))
    await product.canto('user', 'add', 'romeo@localhost', '--password', 'romeo-secret')
    browser = await openBrowser()
    page = await openPage(browser)
    await signIn(page, product.url, blogger, password)
    reader = await startSlixmpp({ jid: 'romeo@localhost', password: 'romeo-secret', ...(await xmppOf(product)) })
    await reader.presence()
  })
  after(async () => {
    await browser?.close()
    await reader?.[Symbol.asyncDispose]()
    await product?.[Symbol.asyncDispose]()
  })

  it('notifies a subscribed XMPP client of a post that was published on the web', async () => {
    await reader.subscribe({ service: blogger, node: MICROBLOG })
    const began = performance.now()
    await publishPost(page, product.url, { title: 'The first post', text: 'It *works*.', tags: 'first' })
    const { payload = '' } = await reader.hear(({ event }) => event === 'published', 'the post')
    console.log(`# from the button to the notification: ${Math.round(performance.now() - began)} ms`)
    assert.match(payload, /The first post/)
    assert.match(payload, /<[a-z0-9:]*em>works<\/[a-z0-9:]*em>/)
    const feed = await (await fetch(`${product.url}/atom.xml`)).text()
    assert.match(feed, /<title>The first post<\/title>/)
  })

  it('shows a comment from an XMPP client under the post, on the open page, without a reload', async () => {
    const { item = '' } = await reader.hear(({ event }) => event === 'published', 'the post')
    const comments = await findCommentsNode(reader, blogger, item)
    await reader.comment({ ...comments, text: 'Wilt thou be gone?' })
    await page.getByText('Wilt thou be gone?').waitFor()
    const name = await page.locator('.comment', { hasText: 'Wilt thou be gone?' }).locator('.by').innerText()
    assert.match(name, /romeo/i)
    assert.doesNotMatch(name, /not verified/)
  })

  it('sends a comment that was written on the page to an XMPP client', async () => {
    const { item = '' } = await reader.hear(({ event }) => event === 'published', 'the post')
    const comments = await findCommentsNode(reader, blogger, item)
    await reader.subscribe(comments)
    await page.getByLabel('Comment').fill('It was the *nightingale*.')
    await page.getByRole('button', { name: 'Send' }).click()
    const heard = await reader.hear(({ payload }) => payload?.includes('nightingale') === true, 'the comment')
    assert.equal(heard.publisher?.split('/')[0], blogger)
    await page.locator('.comment em', { hasText: 'nightingale' }).waitFor()
  })

  it('shows what an author publishes from another client, as page and feed', async () => {
    const address = { service: 'romeo@localhost', node: MICROBLOG, item: 'from-my-client' }
    await reader.publish({ ...address, payload: postEntry('romeo@localhost', 'Written elsewhere') })
    const response = await until(
      async () => {
        const answer = await fetch(`${product.url}/@romeo/from-my-client`)
        return answer.ok ? answer : undefined
      },
      { what: 'the page of the post' },
    )
    assert.match(await response.text(), /Written elsewhere/)
    assert.match(await (await fetch(`${product.url}/@romeo/atom.xml`)).text(), /Written elsewhere/)
  })

  it('brings to the timeline of who follows what comes, live, as new until it is opened, and to their feed reader', async () => {
    const home = await page.context().newPage()
    await home.goto(`${product.url}/@romeo`)
    await home.getByRole('button', { name: 'Follow', exact: true }).click()
    await home.getByRole('link', { name: 'Home', exact: true }).click()
    await home.getByRole('link', { name: 'Written elsewhere' }).waitFor()
    const isNew = home.locator('article', { hasText: 'News of the day' }).getByText('New', { exact: true })
    assert.equal(await home.locator('.new').count(), 0, 'what was there before is no news')
    const address = { service: 'romeo@localhost', node: MICROBLOG, item: 'news-of-the-day' }
    await reader.publish({ ...address, payload: postEntry('romeo@localhost', 'News of the day') })
    await home.getByRole('link', { name: 'There is a new post.' }).click()
    await isNew.waitFor()
    await home.getByRole('link', { name: 'News of the day' }).click()
    await home.getByRole('heading', { name: 'News of the day' }).waitFor()
    await home.goBack()
    await home.getByRole('link', { name: 'News of the day' }).waitFor()
    await isNew.waitFor({ state: 'detached' })
    await home.getByText('Read this in a feed reader').click()
    await home.getByRole('button', { name: 'Make addresses' }).click()
    const feed = await home.getByRole('link', { name: /\/home\/.*atom\.xml$/ }).innerText()
    assert.match(await (await fetch(feed)).text(), /<title>News of the day<\/title>/)
    await home.close()
  })

  it('retracts for everybody what its author deletes', async () => {
    const { item = '' } = await reader.hear(({ event }) => event === 'published', 'the post')
    await page.getByRole('link', { name: 'Delete', exact: true }).click()
    await page.locator('main form button.primary').click()
    await reader.hear((heard) => heard.event === 'retracted' && heard.item === item, 'the retraction')
    const gone = await until(
      async () => {
        const answer = await fetch(`${product.url}/@blogger/${item}`)
        return answer.status === 410 ? answer : undefined
      },
      { what: 'the page to be gone' },
    )
    assert.equal(gone.status, 410)
  })
})

async function xmppOf({ data, xmppPort }: Product) {
  const certificate = await readFile(`${data}/local/certificate.pem`, 'utf8')
  return { service: `xmpp://127.0.0.1:${xmppPort}`, certificate }
}

async function findCommentsNode(client: SlixmppClient, service: string, item: string) {
  const [post] = await client.items({ service, node: MICROBLOG, ids: [item] })
  const [, where = '', node = ''] = /"xmpp:([^"?]+)\?;node=([^";]+)"/.exec(commentsLink(post?.payload ?? '')) ?? []
  assert.notEqual(node, '', `no comments link in ${post?.payload}`)
  return { service: where, node: decodeURIComponent(node) }
}

function commentsLink(payload: string): string {
  return payload.match(/<[^<]*link[^>]*title="comments"[^>]*>/)?.[0] ?? ''
}

function postEntry(jid: string, title: string): string {
  return `<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">${title}</title>
    <id>tag:${jid}</id><updated>2026-03-14T10:00:00Z</updated><published>2026-03-14T10:00:00Z</published>
    <author><name>Romeo</name><uri>xmpp:${jid}</uri></author>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>${title}, and <em>how</em>.</p></div></content></entry>`
}
