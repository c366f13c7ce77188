import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createTestFolder, type TestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { until } from '../support/until.ts'
import { createWebClient, type WebClient } from '../support/web-client.ts'

interface Site {
  readonly product: Product
  readonly web: WebClient
  readonly author: string
}

describe('Two Cantos, on ejabberd and on Prosody', () => {
  const end = randomUUID().slice(0, 8)
  const sites = new Map<'ejabberd' | 'prosody', Site>()
  let rig: Rig
  let folder: TestFolder

  before(async () => {
    rig = await useRig()
    folder = await createTestFolder()
    for (const kind of ['ejabberd', 'prosody'] as const) {
      const server = rig[kind]
      const [site, author] = [`site-${end}`, `author-${end}`]
      await writeFile(folder.file(`${kind}.pem`), server.certificate)
      for (const user of [site, author]) await server.register(user, `password of ${user}`)
      const product = await startProduct({
        CANTO_XMPP_JID: `${site}@${server.domain}`,
        CANTO_XMPP_PASSWORD: `password of ${site}`,
        CANTO_XMPP_SERVICE: server.service,
        CANTO_BLOGGERS: `${author}@${server.domain}`,
        NODE_EXTRA_CA_CERTS: folder.file(`${kind}.pem`),
      })
      const web = createWebClient(() => product.url)
      const jid = `${author}@${server.domain}`
      await web.signIn(jid, `password of ${author}`)
      sites.set(kind, { product, web, author: jid })
    }
  })
  after(async () => {
    for (const { product } of sites.values()) await product[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
    await rig?.stop()
  })

  const site = (kind: 'ejabberd' | 'prosody') => sites.get(kind) ?? assert.fail(`There is no site on ${kind}`)
  const text = async ({ web }: Site, path: string) => (await web.get(path)).text()
  const publish = async ({ web }: Site, title: string) => {
    const answer = await web.submit('/write', '/write', { title, text: 'A text', action: 'publish', comments: 'on' })
    assert.equal(answer.status, 303)
  }
  const shows = (reader: Site, path: string, words: string) =>
    until(async () => (await text(reader, path)).includes(words), { what: `${words} at ${path}` })

  for (const [kind, other] of [
    ['ejabberd', 'prosody'],
    ['prosody', 'ejabberd'],
  ] as const) {
    it(`lets the one on ${kind} follow a blog of the one on ${other}, read it at home, and leave it`, async () => {
      const [reader, writer] = [site(kind), site(other)]
      await publish(writer, `Before ${kind} came`)
      const looked = await reader.web.submit('/following', '/following/preview', { address: ` xmpp:${writer.author} ` })
      const preview = await looked.text()
      assert.ok(preview.includes(`Before ${kind} came`), preview)
      const followed = await reader.web.submit(preview, '/following', {})
      assert.equal(followed.headers.get('location'), `/@${writer.author}`)
      await shows(reader, '/home', `Before ${kind} came`)
      await publish(writer, `After ${kind} came`)
      await shows(reader, '/home', `After ${kind} came`)
      assert.ok(!(await text(reader, '/')).includes(`After ${kind} came`), 'no stranger’s list shows it')
      await reader.product.kill()
      await publish(writer, `While ${kind} was away`)
      await reader.product.start()
      await shows(reader, '/home', `While ${kind} was away`)
      const opml = await text(reader, '/following/opml.xml')
      const [, feed = ''] = /xmlUrl="([^"]*)"/.exec(opml) ?? []
      assert.ok((await (await fetch(feed.replaceAll('&amp;', '&'))).text()).includes(`While ${kind} was away`))
      const left = await reader.web.submit('/following', '/following/unfollow', {})
      assert.equal(left.status, 303)
      assert.ok(!(await text(reader, '/home')).includes(`After ${kind} came`))
    })
  }
})
