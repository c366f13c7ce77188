import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createTestFolder, type TestFolder } from '../support/folder.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { type SlixmppClient, startSlixmpp } from '../support/slixmpp.ts'
import { until } from '../support/until.ts'
import { createWebClient, type WebClient } from '../support/web-client.ts'

const MICROBLOG = 'urn:xmpp:microblog:0'
const MIX = 'urn:xmpp:mix:core:1'

describe('one post, answered through every door', () => {
  const end = randomUUID().slice(0, 8)
  const [site, juliet, nurse, mercutio, romeo] = ['site', 'juliet', 'nurse', 'mercutio', 'romeo'].map(
    (name) => `${name}-${end}`,
  ) as [string, string, string, string, string]
  let rig: Rig
  let folder: TestFolder
  let product: Product
  let author: WebClient
  /** In the room, with a MIX client. */
  let friend: SlixmppClient
  /** On a server without MIX. */
  let stranger: SlixmppClient
  let channel: string
  let path: string
  let item: string
  let comments: { service: string; node: string }

  before(async () => {
    rig = await useRig()
    folder = await createTestFolder()
    const { ejabberd, prosody } = rig
    await writeFile(folder.file('ca.pem'), `${ejabberd.certificate}\n${prosody.certificate}`)
    for (const user of [site, juliet, nurse, mercutio]) await ejabberd.register(user, `password of ${user}`)
    await prosody.register(romeo, `password of ${romeo}`)
    product = await startProduct({
      CANTO_XMPP_JID: `${site}@${ejabberd.domain}`,
      CANTO_XMPP_PASSWORD: `password of ${site}`,
      CANTO_XMPP_SERVICE: ejabberd.service,
      CANTO_BLOGGERS: `${juliet}@${ejabberd.domain}`,
      NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
    })
    author = createWebClient(() => product.url)
    await author.signIn(`${juliet}@${ejabberd.domain}`, `password of ${juliet}`)
    const jid = `${mercutio}@${ejabberd.domain}`
    friend = await startSlixmpp({ ...ejabberd, jid, password: `password of ${mercutio}` })
    stranger = await startSlixmpp({
      ...prosody,
      jid: `${romeo}@${prosody.domain}`,
      password: `password of ${romeo}`,
    })
    for (const client of [friend, stranger]) await client.presence()
  })
  after(async () => {
    await friend?.stop()
    await stranger?.stop()
    await product?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
    await rig?.stop()
  })

  const text = async (address: string) => (await author.get(address)).text()
  const feed = async () => (await fetch(`${product.url}${path}/atom.xml`)).text()
  const anonymous = async () => (await fetch(`${product.url}${path}`)).text()
  const heardInRoom = (words: string) =>
    friend.hear(({ event, xml }) => event === 'stanza' && xml?.includes(words) === true, `"${words}" in the room`)
  const removalOf = async (words: string) => {
    const article = (await text(path)).split('<article').find((part) => part.includes(words)) ?? ''
    return /href="([^"]*\/remove)"/.exec(article)?.[1] ?? ''
  }

  it('has a room beside the blog, that a MIX client joins', async () => {
    const settings = await text('/settings')
    assert.match(settings, /action="\/settings\/room"/)
    assert.equal((await author.submit('/settings', '/settings/room', {})).status, 303)
    const blog = `/@${juliet}`
    const found = await until(async () => /xmpp:([^"?]+@mix\.[^"?]+)\?join/.exec(await text(`${blog}/room`)), {
      what: 'the room',
    })
    channel = found[1] ?? ''
    const join = `<client-join xmlns="urn:xmpp:mix:pam:2" channel="${channel}"><join xmlns="${MIX}"><nick>Mercutio</nick><subscribe node="urn:xmpp:mix:nodes:messages"/><subscribe node="urn:xmpp:mix:nodes:participants"/></join></client-join>`
    assert.match(await friend.iq(`${mercutio}@${rig.ejabberd.domain}`, 'set', join), /type="result"/)
  })

  it('announces a new post there, readable and as an entry', async () => {
    const answer = await author.submit('/write', '/write', {
      ...{ title: 'Many doors', text: 'Come in.', tags: '', action: 'publish', comments: 'on' },
    })
    path = answer.headers.get('location') ?? ''
    item = path.split('/').at(-1) ?? ''
    const { xml = '' } = await heardInRoom('Many doors')
    assert.match(xml, /<[^>]*body[^>]*>[^<]*Many doors/)
    assert.match(xml, /http:\/\/www\.w3\.org\/2005\/Atom/)
    const where = { service: `${juliet}@${rig.ejabberd.domain}`, node: MICROBLOG, ids: [item] }
    const wire = (await stranger.items(where))[0]?.payload ?? ''
    const [, service = '', node = ''] = /href="xmpp:([^"?]+)\?;node=([^";]*comments[^";]*)"/.exec(wire) ?? []
    comments = { service, node: decodeURIComponent(node) }
    assert.ok(wire.includes(`xmpp:${channel}?join`), 'the post links to the room')
  })

  it('joins what comes by web, node, room, heart and attachment into one thread', async () => {
    const web = createWebClient(() => product.url)
    await web.signIn(`${nurse}@${rig.ejabberd.domain}`, `password of ${nurse}`)
    const action = `${path}/comments`
    assert.equal((await web.submit(path, action, { text: 'From the *web*' })).status, 303)
    await stranger.subscribe(comments)
    await stranger.comment({ ...comments, text: 'From Prosody' })
    await stranger.comment({ ...comments, text: '♥' })
    const uri = `xmpp:${juliet}@${rig.ejabberd.domain}?;node=${encodeURIComponent(MICROBLOG)};item=${item}`
    const own = `${romeo}@${rig.prosody.domain}`
    const attachment =
      '<attachments xmlns="urn:xmpp:pubsub-attachments:1"><reactions><reaction>❤️</reaction></reactions></attachments>'
    const node = `urn:xmpp:pubsub-attachments:1/${uri}`
    await stranger.publish({ service: `${juliet}@${rig.ejabberd.domain}`, node, item: own, payload: attachment })
    const { xml = '' } = await heardInRoom('Many doors')
    const id = /\bid="([^"]+)"/.exec(xml)?.[1] ?? ''
    const reply = `<reply xmlns="urn:xmpp:reply:0" id="${id}"/>`
    await friend.send(
      `<message xmlns="jabber:client" to="${channel}" type="groupchat" id="${randomUUID()}"><body>From the room</body>${reply}</message>`,
    )
    const page = await until(
      async () => {
        const html = await anonymous()
        return ['From the <em>web', 'From Prosody', 'From the room'].every((words) => html.includes(words))
          ? html
          : undefined
      },
      { what: 'three comments on one page' },
    )
    assert.equal(page.match(/<article class="comment/g)?.length, 3)
    assert.match(page, /id="comments-heading">\s*3 comments/)
    assert.doesNotMatch(page, new RegExp(`${mercutio}@`), 'no address of who speaks in the room')
    const reactions = await until(
      async () => {
        const html = await (await fetch(`${product.url}${path}/reactions`)).text()
        return html.includes('romeo') ? html : undefined
      },
      { what: 'who reacted' },
    )
    assert.match(reactions, /♥/)
    const chips = /class="reactions"[\s\S]*?<\/(?:div|section|ul)>/.exec(await anonymous())?.[0] ?? ''
    assert.match(chips.replace(/<[^>]*>|\ufe0e/g, ' '), /♥\s+1\b/, 'one person, one heart, by whatever way')
    const entries = (await feed()).match(/<entry>[\s\S]*?<\/entry>/g) ?? []
    assert.equal(entries.length, 3)
  })

  it("retracts the Prosody client's comment on its node when the owner removes it", async () => {
    const remove = await removalOf('From Prosody')
    assert.equal((await author.submit(remove, remove, {})).status, 303)
    await stranger.hear(({ event, node }) => event === 'retracted' && node === comments.node, 'the retraction')
    const left = (await stranger.items(comments)).map(({ payload }) => payload ?? '')
    assert.ok(!left.some((payload) => payload.includes('From Prosody')))
    assert.doesNotMatch(await anonymous(), /From Prosody/)
  })

  it('takes a removed answer of the room off page and feed, and says so in the room', async () => {
    const remove = await removalOf('From the room')
    assert.equal((await author.submit(remove, remove, {})).status, 303)
    await until(async () => !(await anonymous()).includes('From the room'), { what: 'the answer to go' })
    assert.doesNotMatch(await feed(), /From the room/)
    const { xml = '' } = await heardInRoom('urn:xmpp:message-retract:1')
    assert.match(xml, /retract/)
    const page = `<query xmlns="urn:xmpp:mam:2" queryid="${end}"/>`
    assert.match(await friend.iq(channel, 'set', page), /type="result"/)
    await friend.hear(
      ({ event, xml: archived }) =>
        event === 'stanza' && archived?.includes('urn:xmpp:forward:0') === true && archived.includes('From the room'),
      'the archive, which keeps it',
    )
  })

  it('has of the room what its archive has, after it was down for 500 messages', async () => {
    await product.stop()
    for (let n = 0; n < 500; n++) {
      const body = `<body>Missed ${n}.</body>`
      await friend.send(
        `<message xmlns="jabber:client" to="${channel}" type="groupchat" id="${randomUUID()}">${body}</message>`,
      )
    }
    await heardInRoom('Missed 499.')
    await product.start()
    const day = `/@${juliet}/room`
    await until(async () => (await text(day)).includes('Missed 499.'), { timeout: 60_000, what: 'the last message' })
    const shown: string[] = []
    for (let next: string | undefined = `${day}?day=${new Date().toISOString().slice(0, 10)}`; next !== undefined; ) {
      const html: string = await text(next)
      shown.push(...[...html.matchAll(/Missed (\d+)\./g)].map(([, n]) => n ?? ''))
      const [, link]: (string | undefined)[] = /<a href="([^"]+)">Later/.exec(html) ?? []
      next = link?.replaceAll('&amp;', '&')
    }
    assert.deepEqual(
      shown,
      Array.from({ length: 500 }, (_, n) => String(n)),
    )
  })
})
