import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { jidOf } from '../support/context.ts'
import { createTestFolder, type TestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { PROSODY_ADMIN } from '../support/prosody.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'
import { createWebClient, type WebClient } from '../support/web-client.ts'

const MICROBLOG = 'urn:xmpp:microblog:0'
const TOUR = readFileSync(new URL('../fixtures/tour.md', import.meta.url), 'utf8')
const SURVIVES = ['日本語の段落です。', 'هذه فقرة بالعربية، من اليمين إلى اليسار.', '👩‍👩‍👧‍👦', '🏳️‍🌈', '☕', '🇮🇹']

for (const kind of ['ejabberd', 'prosody'] as const) {
  describe(`a site whose account and authors are on ${kind}`, () => {
    const end = randomUUID().slice(0, 8)
    const [site, author, commenter] = [`site-${end}`, `juliet-${end}`, `romeo-${end}`]
    let rig: Rig
    let folder: TestFolder
    let product: Product
    let web: WebClient
    let reader: SlixmppClient
    let path: string
    let comments: { service: string; node: string }

    before(async () => {
      rig = await useRig()
      folder = await createTestFolder()
      const server = rig[kind]
      await writeFile(folder.file('ca.pem'), server.certificate)
      for (const user of [site, author, commenter]) await server.register(user, `password of ${user}`)
      product = await startProduct({
        CANTO_XMPP_JID: `${site}@${server.domain}`,
        CANTO_XMPP_PASSWORD: `password of ${site}`,
        CANTO_XMPP_SERVICE: server.service,
        CANTO_BLOGGERS: `${author}@${server.domain}`,
        NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
      })
      web = createWebClient(() => product.url)
      await web.signIn(`${author}@${server.domain}`, `password of ${author}`)
      const jid = `${commenter}@${server.domain}`
      reader = await startSlixmpp({ ...server, jid, password: `password of ${commenter}` })
      await reader.presence()
      await reader.subscribe({ service: `${author}@${server.domain}`, node: MICROBLOG })
    })
    after(async () => {
      await reader?.stop()
      await product?.[Symbol.asyncDispose]()
      await folder?.[Symbol.asyncDispose]()
      await rig?.stop()
    })

    const text = async (address: string) => (await web.get(address)).text()
    const itemOf = (address: string) => address.split('/').at(-1) ?? ''
    const readPost = async () => {
      const where = { service: `${author}@${rig[kind].domain}`, node: MICROBLOG, ids: [itemOf(path)] }
      return (await reader.items(where))[0]?.payload ?? ''
    }

    it('publishes: page, feed and node have every script and every emoji', async () => {
      const fields = { title: 'A tour 日本語 ☕', text: TOUR, tags: 'tour', action: 'publish', comments: 'on' }
      const answer = await web.submit('/write', '/write', fields)
      assert.equal(answer.status, 303)
      path = answer.headers.get('location') ?? ''
      const heard = await reader.hear(({ event }) => event === 'published', 'the post')
      assert.equal(heard.item, itemOf(path))
      const [page, feed, wire] = [await text(path), await text('/atom.xml'), await readPost()]
      for (const words of SURVIVES) {
        for (const [name, found] of Object.entries({ page, feed, wire, heard: heard.payload ?? '' })) {
          assert.ok(found.includes(words), `${words} in ${name}`)
        }
      }
      for (const found of [page, feed]) assert.doesNotMatch(found, /alert\('never'\)|evil\.example|onclick/)
      const [, service = '', node = ''] = /href="xmpp:([^"?]+)\?;node=([^";]*comments[^";]*)"/.exec(wire) ?? []
      comments = { service, node: decodeURIComponent(node) }
    })

    it('takes a comment from another client, and lets the author of the post remove it', async () => {
      await reader.subscribe(comments)
      await reader.comment({ ...comments, text: 'From my own client' })
      await until(async () => (await text(path)).includes('From my own client'), { what: 'the comment on the page' })
      const [, remove = ''] = /href="([^"]*remove[^"]*)"/.exec(await text(path)) ?? []
      const answer = await web.submit(remove, remove, {})
      assert.equal(answer.status, 303)
      await reader.hear(({ event, node }) => event === 'retracted' && node === comments.node, 'the removal')
      assert.doesNotMatch(await text(path), /From my own client/)
    })

    it('sends a comment from the page, and lets its author remove it', async () => {
      const romeo = createWebClient(() => product.url)
      await romeo.signIn(`${commenter}@${rig[kind].domain}`, `password of ${commenter}`)
      const action = /<form[^>]*id="comment"[^>]*action="([^"]+)"/.exec(await (await romeo.get(path)).text())?.[1] ?? ''
      assert.equal((await romeo.submit(path, action, { text: 'From the *page*' })).status, 303)
      const { payload } = await reader.hear((heard) => heard.payload?.includes('page') === true, 'the comment')
      assert.match(payload ?? '', /From the page/)
      const [, remove = ''] = /href="([^"]*remove[^"]*)"/.exec(await (await romeo.get(path)).text()) ?? []
      assert.equal((await romeo.submit(remove, remove, {})).status, 303)
      await until(async () => !(await text(path)).includes('From the'), { what: 'the comment to go' })
      await until(async () => (await reader.items(comments)).length === 0, { what: 'the comments node to be empty' })
    })

    it('edits: the same item, its date kept, the page and every subscriber told', async () => {
      const before = /<[^<]*published>([^<]+)</.exec(await readPost())?.[1]
      const action = `${path}/edit`
      const answer = await web.submit(action, action, {
        title: 'Edited',
        text: 'Shorter.',
        comments: 'on',
        action: 'publish',
      })
      assert.equal(answer.status, 303)
      await reader.hear(({ payload }) => payload?.includes('Shorter.') === true, 'the edit')
      assert.match(await text(path), /Shorter\./)
      assert.equal(/<[^<]*published>([^<]+)</.exec(await readPost())?.[1], before)
    })

    it('has after a restart what happened while it was away', async () => {
      await product.stop()
      const other = { service: comments.service, node: comments.node }
      await reader.comment({ ...other, text: 'While you were away' })
      await product.start()
      await until(async () => (await text(path)).includes('While you were away'), { what: 'what was missed' })
    })

    it('shows what an account of the other server put on the web, once the operator follows it', async () => {
      const other = rig[kind === 'ejabberd' ? 'prosody' : 'ejabberd']
      const [user, node] = [`mercutio-${end}`, MICROBLOG]
      const jid = `${user}@${other.domain}`
      await other.register(user, `password of ${user}`)
      await using mercutio = await startSlixmpp({ ...other, jid, password: `password of ${user}` })
      const config = { access_model: 'open', max_items: '50', presence_based_delivery: '0', persist_items: '1' }
      await mercutio.create({ node, config })
      await mercutio.publish({ node, item: 'a-plague', payload: publicEntry(jid, 'A plague on both') })
      assert.match(await product.canto('follow', jid), new RegExp(`/@${jid}`))
      const address = `/@${jid}/a-plague`
      await until(async () => (await web.get(address)).status === 200, { what: 'the page of the followed post' })
      assert.match(await text(address), /noindex/)
      assert.doesNotMatch(await text('/'), /A plague/)
      assert.match(await product.canto('unfollow', jid), /is not followed any more/)
      await until(async () => (await web.get(address)).status === 404, { what: 'the page to go' })
    })

    it('sees, or says that it does not, who owns a community of the other server', async () => {
      const other = kind === 'ejabberd' ? 'prosody' : 'ejabberd'
      const founder = other === 'prosody' ? PROSODY_ADMIN : `founder-${end}`
      await rig[other].register(founder, `password of ${founder}`).catch(() => {})
      await using session = openTestSession(rig[other], founder)
      await session.whenOnline(30_000)
      const nights = { service: jidOf(`pubsub.${other}.test`), node: `nights-${end}` }
      await session.pubsub.createNode(nights, { publish_model: 'open' })
      await session.pubsub.setAffiliation(nights, jidOf(`${author}@${rig[kind].domain}`), 'owner')
      const uri = `xmpp:${nights.service}?;node=${nights.node}`
      const looked = await web.submit('/following', '/following/preview', { address: uri })
      await web.submit(await looked.text(), '/following', {})
      const people = `/communities/people?of=${encodeURIComponent(uri)}`
      const page = await until(async () => {
        const answer = await web.get(people)
        return answer.status === 404 ? undefined : answer
      })
      assert.equal(page.status, 200)
      const isUnseen = (await page.text()).includes('does not show this site who owns this community')
      assert.equal(isUnseen, other === 'prosody')
    })

    it('deletes: the item and its comments are gone from the server, and the page says so', async () => {
      const action = `${path}/delete`
      assert.equal((await web.submit(action, action, {})).status, 303)
      await reader.hear(({ event, item }) => event === 'retracted' && item === itemOf(path), 'the retraction')
      assert.equal((await web.get(path)).status, 410)
      await assert.rejects(reader.items(comments), /item-not-found|forbidden/)
    })
  })
}

function publicEntry(jid: string, title: string): string {
  return `<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">${title}</title><id>1</id>
    <published>2026-03-14T10:00:00Z</published><updated>2026-03-14T10:00:00Z</updated>
    <author><name>Mercutio</name><uri>xmpp:${jid}</uri></author><content type="text">${title}</content>
    <link rel="alternate" type="text/html" href="https://elsewhere.example/a-plague"/></entry>`
}
