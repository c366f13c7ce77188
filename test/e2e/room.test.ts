import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openPage, publishPost, signIn } from '../support/browser.ts'
import { type Product, startProduct } from '../support/product.ts'
import { readHint } from '../support/product-clients.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { until } from '../support/until.ts'

const NODES = ['messages', 'participants'].map((name) => `<subscribe node="urn:xmpp:mix:nodes:${name}"/>`).join('')

describe('the room of a blog, in browsers and in a MIX client', () => {
  let product: Product
  let browser: Browser
  let juliet: Page
  let romeo: Page
  /** Not signed in. */
  let visitor: Page
  let mercutio: SlixmppClient
  let channel: string
  let room: string

  before(async () => {
    product = await startProduct()
    const { blogger, password } = await readHint(product)
    for (const user of ['romeo', 'mercutio'])
      await product.canto('user', 'add', `${user}@localhost`, '--password', 'secret-1')
    browser = await openBrowser()
    ;[juliet, romeo, visitor] = [await openPage(browser), await openPage(browser), await openPage(browser)]
    await signIn(juliet, product.url, blogger, password)
    await signIn(romeo, product.url, 'romeo@localhost', 'secret-1')
    const certificate = await readFile(`${product.data}/local/certificate.pem`, 'utf8')
    const service = `xmpp://127.0.0.1:${product.xmppPort}`
    mercutio = await startSlixmpp({ jid: 'mercutio@localhost', password: 'secret-1', service, certificate })
    await mercutio.presence()
  })
  after(async () => {
    await browser?.close()
    await mercutio?.[Symbol.asyncDispose]()
    await product?.[Symbol.asyncDispose]()
  })

  const heard = (words: string) =>
    mercutio.hear(({ event, xml }) => event === 'stanza' && xml?.includes(words) === true, `"${words}" in the room`)
  const say = (body: string, more = '') =>
    mercutio.send(
      `<message xmlns="jabber:client" to="${channel}" type="groupchat" id="${crypto.randomUUID()}"><body>${body}</body>${more}</message>`,
    )

  it('is opened by the author, and a MIX client joins it', async () => {
    await juliet.goto(`${product.url}/settings`)
    await juliet.getByRole('button', { name: 'Open a room' }).click()
    await juliet.getByRole('link', { name: 'Show the room' }).click()
    await juliet.getByRole('heading', { name: 'Room', exact: true }).waitFor()
    room = new URL(juliet.url()).pathname
    await visitor.goto(`${product.url}${room}`)
    const uri = await visitor.locator('.how-to .address').innerText()
    channel = /xmpp:([^?]+)\?join/.exec(uri)?.[1] ?? ''
    const join = `<client-join xmlns="urn:xmpp:mix:pam:2" channel="${channel}"><join xmlns="urn:xmpp:mix:core:1"><nick>Mercutio</nick>${NODES}</join></client-join>`
    assert.match(await mercutio.iq('mercutio@localhost', 'set', join), /type="result"/)
    await visitor.getByText('This room is public').waitFor()
    await visitor.locator('.names', { hasText: 'Mercutio' }).waitFor()
  })

  it('shows what the client says on every open page, by nickname', async () => {
    await say('A plague o’ both your houses!')
    for (const page of [visitor, juliet]) await page.getByText('A plague o’ both').waitFor()
    assert.match(await visitor.locator('article', { hasText: 'A plague' }).locator('.by').innerText(), /Mercutio/)
    assert.doesNotMatch(await visitor.content(), /mercutio@/)
  })

  it('lets a reader join and speak as their own account, without leaving the page', async () => {
    await romeo.goto(`${product.url}${room}`)
    await romeo.getByLabel('Your name in the room').fill('Roma')
    await romeo.getByRole('button', { name: 'Join the room' }).click()
    const field = romeo.getByLabel('Message')
    await field.fill('Courage, man; the hurt cannot be much.')
    await romeo.evaluate(() => Object.assign(globalThis, { stayed: true }))
    await romeo.getByRole('button', { name: 'Send' }).click()
    const { xml = '' } = await heard('Courage, man')
    assert.match(xml, /nick>Roma</)
    await visitor.locator('article', { hasText: 'Courage, man' }).locator('.by', { hasText: 'Roma' }).waitFor()
    await romeo.locator('.said:not(.waiting)', { hasText: 'Courage, man' }).waitFor()
    assert.equal(await romeo.locator('.said', { hasText: 'Courage, man' }).count(), 1)
    assert.equal(await romeo.evaluate(() => 'stayed' in globalThis), true)
    await until(async () => (await field.inputValue()) === '')
    await field.fill('Good mercutio')
    await field.press('Enter')
    await heard('Good mercutio')
  })

  it('announces a post, and what is answered to that is a comment', async () => {
    await publishPost(juliet, product.url, { title: 'Wherefore', text: 'Deny thy father.' })
    const post = juliet.url()
    const { xml = '' } = await heard('Wherefore')
    await visitor.getByRole('link', { name: 'Wherefore' }).waitFor()
    const id = /\bid="([^"]+)"/.exec(xml)?.[1] ?? ''
    await say('I will make thee a grave man', `<reply xmlns="urn:xmpp:reply:0" id="${id}"/>`)
    await visitor.getByRole('link', { name: 'about Wherefore' }).click()
    await visitor.waitForURL((url) => url.href.startsWith(post))
    await visitor.locator('.thread').getByText('I will make thee a grave man').waitFor()
    await visitor.goto(`${product.url}${room}`)
  })

  it('takes back what its writer or its author removes', async () => {
    await romeo.locator('.said', { hasText: 'Good mercutio' }).getByRole('link', { name: 'Remove' }).click()
    await romeo.getByRole('button', { name: 'Remove' }).click()
    await visitor.getByText('Good mercutio').waitFor({ state: 'detached' })
    await heard('urn:xmpp:message-retract:1')
    await juliet.goto(`${product.url}${room}`)
    await juliet.locator('.said', { hasText: 'A plague' }).getByRole('link', { name: 'Remove' }).click()
    await juliet.getByRole('button', { name: 'Remove' }).click()
    await visitor.getByText('A plague').waitFor({ state: 'detached' })
  })

  it('is left, and closed after a question', async () => {
    await romeo.goto(`${product.url}${room}`)
    await romeo.getByRole('button', { name: 'Leave the room' }).click()
    await romeo.getByRole('button', { name: 'Join the room' }).waitFor()
    await visitor.locator('.names', { hasText: 'Roma' }).waitFor({ state: 'detached' })
    await romeo.getByLabel('Your name in the room').fill('mercutio')
    await romeo.getByRole('button', { name: 'Join the room' }).click()
    await romeo.getByText('Take another one, such as “mercutio 2”').waitFor()
    await romeo.getByLabel('Your name in the room').fill('Romeo')
    await romeo.getByRole('button', { name: 'Join the room' }).click()
    await romeo.getByLabel('Message').fill('I dreamt a dream')
    await juliet.goto(`${product.url}/settings`)
    await juliet.getByRole('link', { name: 'Close the room' }).click()
    await juliet.getByRole('button', { name: 'Close the room' }).click()
    await juliet.getByRole('button', { name: 'Open a room' }).waitFor()
    assert.equal((await fetch(`${product.url}${room}`)).status, 404)
    await visitor.getByText('This blog has no room').waitFor()
    await romeo.getByRole('heading', { name: 'This room was closed' }).waitFor()
    assert.equal(await romeo.getByLabel('Your message').inputValue(), 'I dreamt a dream')
  })
})
