import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { saveCommunity } from '#server/store/community.ts'
import { addFollow } from '#server/store/follow.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { jidOf } from '#test/support/context.ts'
import { entryOf, itemOf, JULIET, MALLORY, publishTo, ROMEO } from '../feeds/fixtures.ts'
import { createTestSite, type TestBrowser, type TestSite } from './test-site.ts'

const SERVICE = jidOf('pubsub.capulet.example')
const NIGHTS: NodeAddress = { service: SERVICE, node: 'verona-by-night' }
const PATH = `/c/${SERVICE}/verona-by-night`
const WRITE = `/write?to=${encodeURIComponent(`xmpp:${SERVICE}?;node=verona-by-night`)}`
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==',
  'base64',
)

async function make(browser: TestBrowser, fields: Record<string, string> = {}) {
  const page = await browser.get('/communities/new')
  const words = {
    title: 'Verona by Night',
    description: 'Who is awake',
    who: 'everyone',
    kind: 'base',
    service: SERVICE,
  }
  return browser.submit(page.body, '/communities', { ...words, ...fields })
}

async function openForm(browser: TestBrowser, url = WRITE) {
  const answer = await browser.get(url)
  return answer.statusCode === 303 ? browser.get(String(answer.headers.location)) : answer
}

async function write(browser: TestBrowser, fields: Record<string, string> = {}) {
  const page = await openForm(browser)
  return browser.submit(page.body, '/write', { title: 'Hello', text: 'A *text*', action: 'publish', ...fields })
}

/** Sends a form with a file, as browsers do. */
async function sendFile(
  browser: TestBrowser,
  page: string,
  { fields, file }: { fields: Record<string, string>; file: Buffer },
) {
  const [, action = '', body = ''] = /<form class="desk"[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page) ?? []
  const hidden = [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')] as const,
  )
  const parts = [...new Map([...hidden, ...Object.entries(fields)])].map(
    ([name, value]) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const head =
    '--x\r\ncontent-disposition: form-data; name="picture"; filename="a.png"\r\ncontent-type: text/html\r\n\r\n'
  const payload = Buffer.concat([Buffer.from(parts.join('') + head), file, Buffer.from('\r\n--x--\r\n')])
  const type = { 'content-type': 'multipart/form-data; boundary=x' }
  return browser.send('POST', action, payload as unknown as string, type)
}

/** A place for uploads, as a person's server offers one. */
async function startUpload(site: TestSite, jid: string) {
  const puts: { type: string | undefined; authorization: string | undefined; bytes: Buffer }[] = []
  const server = createServer(async (request, answer) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { 'content-type': type, authorization } = request.headers
    puts.push({ type, authorization, bytes: Buffer.concat(chunks) })
    answer.writeHead(201).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const put = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slot`
  const session = site.ctx.sessions(jidOf(jid))
  Object.assign(session ?? {}, {
    requestUploadSlot: async () => ({
      put,
      get: 'https://upload.capulet.example/a.png',
      headers: { Authorization: 'Basic x' },
    }),
  })
  return { puts, [Symbol.asyncDispose]: async () => void server.close() }
}

describe('the page of communities', () => {
  it('shows everybody what was made here, and who is signed in what a service has', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    assert.equal((await make(juliet)).headers.location, PATH)
    const stranger = await site.browser().get('/communities')
    assert.match(stranger.body, /Verona by Night/)
    assert.doesNotMatch(stranger.body, /name="service"/)
    const browsed = await juliet.get(`/communities?service=${SERVICE}`)
    assert.match(browsed.body, /Who is awake/)
    assert.match(browsed.body, /You follow it/)
    const romeo = await site.signedIn(ROMEO)
    const list = await romeo.get(`/communities?service=${SERVICE}`)
    const followed = await romeo.submit(list.body, '/following', {})
    assert.equal(followed.headers.location, PATH)
    assert.match((await romeo.get(`/communities?service=${SERVICE}`)).body, /You follow it/)
  })

  it('asks a service nothing for a stranger, and says what is wrong with an address', async () => {
    await using site = await createTestSite()
    const answer = await site.browser().get(`/communities?service=${SERVICE}`)
    assert.match(String(answer.headers.location), /^\/signin/)
    const juliet = await site.signedIn(JULIET)
    const wrong = await juliet.get('/communities?service=%40%40')
    assert.equal(wrong.statusCode, 400)
    assert.match(wrong.body, /such as pubsub\.example\.org/)
  })
})

describe('making a community on the web', () => {
  it('keeps what was typed where the service refuses, and says why', async () => {
    await using site = await createTestSite()
    site.ctx.network.creators.set(SERVICE, [])
    const answer = await make(await site.signedIn(JULIET))
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /does not let you make communities/)
    assert.match(answer.body, /value="Verona by Night"/)
  })

  it('names people by their addresses alone', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    const wrong = await make(juliet, { who: 'named', people: 'romeo@montague.example, @@' })
    assert.equal(wrong.statusCode, 400)
    assert.match(wrong.body, /is no XMPP address/)
    assert.equal((await make(juliet, { who: 'named', people: 'romeo@montague.example' })).statusCode, 303)
    const node = site.ctx.network.nodes.get(addressKey(NIGHTS))
    assert.deepEqual([...(node?.affiliations ?? [])], [[ROMEO, 'publisher']])
  })

  it('is not done by a form of another site', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    const answer = await juliet.post('/communities', { key: 'a-form-key', title: 'x', service: SERVICE })
    assert.equal(answer.statusCode, 403)
    assert.equal(site.ctx.network.nodes.get(addressKey(NIGHTS)), undefined)
  })
})

describe('the page of a community', () => {
  it('that was made here is everybody’s to read, with feeds', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet)
    const posted = await write(juliet)
    assert.equal(posted.statusCode, 303, posted.body)
    const stranger = site.browser()
    const page = await stranger.get(PATH)
    assert.match(page.body, /Hello/)
    assert.doesNotMatch(page.body, /noindex|Write here|>People</)
    assert.match((await stranger.get(`${PATH}/atom.xml`)).body, /<title>Hello<\/title>/)
    assert.equal((await stranger.get(`${PATH}/feed.json`)).statusCode, 200)
    const post = await stranger.get(String(posted.headers.location))
    assert.match(post.body, /<em>text<\/em>/)
    assert.doesNotMatch(post.body, /\/delete"|\/edit"/)
    assert.match((await juliet.get(PATH)).body, /Write here[\s\S]*People/)
    // The address of its service alone would lead a client nowhere.
    const [, follow = ''] = /<details class="follow">([\s\S]*?)<\/details>/.exec(page.body) ?? []
    assert.deepEqual(
      [...follow.matchAll(/<code class="address">(.*?)<\/code>/g)].map(([, text]) => text),
      [NIGHTS.service, NIGHTS.node],
    )
    for (const part of [0, 1]) assert.match((await stranger.get(`/sitemap-${part}.xml`)).body, /verona-by-night/)
  })

  it('of others shows a stranger only what its writers put on the web, and followers all', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    await addNode(ctx.index, { address: NIGHTS, kind: 'community', now: ctx.clock() })
    await updateNode(ctx.index, NIGHTS, { isWaiting: 0, type: NS.SOCIAL_FEED })
    const web = '<link rel="alternate" type="text/html" href="https://elsewhere.example/a"/>'
    await publishTo(ctx, itemOf(NIGHTS, 'open'), {
      payload: entryOf({ title: 'On the web', more: web }),
      publisher: MALLORY,
    })
    await publishTo(ctx, itemOf(NIGHTS, 'quiet'), { payload: entryOf({ title: 'Quiet' }), publisher: MALLORY })
    const page = await site.browser().get(PATH)
    assert.match(page.body, /On the web/)
    assert.doesNotMatch(page.body, /Quiet/)
    assert.match(page.body, /noindex/)
    assert.equal((await site.browser().get(`${PATH}/quiet`)).statusCode, 404)
    assert.equal((await site.browser().get(`${PATH}/atom.xml`)).statusCode, 404)
    const juliet = await site.signedIn(JULIET)
    await addFollow(ctx.state, { follower: JULIET, address: NIGHTS, since: ctx.clock() })
    assert.match((await juliet.get(PATH)).body, /Quiet/)
    assert.equal((await juliet.get(`${PATH}/quiet`)).statusCode, 200)
  })
})

describe('the feed of a community', () => {
  it('has what its service says of people of other servers, and nothing that nobody vouches for', async () => {
    await using site = await createTestSite()
    const { ctx } = site
    const address = { service: jidOf('pubsub.montague.example'), node: 'news' }
    await saveCommunity(ctx.state, { address, owner: ROMEO, since: ctx.clock() })
    await addNode(ctx.index, { address, kind: 'community', now: ctx.clock() })
    await updateNode(ctx.index, address, { isWaiting: 0 })
    const publish = (item: string, author: string, publisher: string) =>
      publishTo(ctx, itemOf(address, item), { payload: entryOf({ title: item, author }), publisher })
    await publish('vouched', JULIET, JULIET)
    await publish('forged', JULIET, MALLORY)
    const feed = await site.browser().get('/c/pubsub.montague.example/news/atom.xml')
    assert.match(feed.body, /<title>vouched<\/title>/)
    assert.doesNotMatch(feed.body, /<title>forged<\/title>/)
    assert.match((await site.browser().get('/c/pubsub.montague.example/news')).body, /not verified/)
  })
})

describe('writing in a community on the web', () => {
  it('is for whoever is signed in, also who may not blog here; each changes and deletes their own', async () => {
    await using site = await createTestSite()
    site.ctx.network.mayRetractOwn = true
    const juliet = await site.signedIn(JULIET)
    await make(juliet)
    const romeo = await site.signedIn(ROMEO)
    assert.equal((await romeo.get('/write')).statusCode, 403)
    const posted = await write(romeo)
    assert.equal(posted.statusCode, 303, posted.body)
    const path = String(posted.headers.location)
    assert.match(path, new RegExp(`^${PATH}/hello-`))
    const edit = await romeo.get(`${path}/edit`)
    const changed = await romeo.submit(edit.body, '/edit', { title: 'Hello again', text: 'x', action: 'publish' })
    assert.equal(changed.statusCode, 303, changed.body)
    assert.match((await romeo.get(path)).body, /Hello again/)
    assert.equal((await juliet.get(`${path}/edit`)).statusCode, 403)
    assert.equal((await site.signedIn('paris@capulet.example').then((b) => b.get(`${path}/delete`))).statusCode, 403)
    const question = await romeo.get(`${path}/delete`)
    await romeo.submit(question.body, '/delete', {})
    assert.equal((await romeo.get(path)).statusCode, 410)
  })

  it('has comments, which who wrote the post may remove, and who looks after the community', async () => {
    await using site = await createTestSite()
    site.ctx.network.mayRetractOwn = true
    const juliet = await site.signedIn(JULIET)
    await make(juliet)
    const romeo = await site.signedIn(ROMEO)
    const paris = await site.signedIn('paris@capulet.example')
    const path = String((await write(romeo, { comments: 'on' })).headers.location)
    const page = await paris.get(path)
    await paris.submit(page.body, '/comments', { text: 'Hail' })
    const commented = await romeo.get(path)
    assert.match(commented.body, /Hail/)
    const [, remove = ''] = /href="([^"]*\/remove)"/.exec(commented.body) ?? []
    assert.doesNotMatch((await site.browser().get(path)).body, /\/remove"/)
    const benvolio = await site.signedIn('benvolio@montague.example')
    assert.doesNotMatch((await benvolio.get(path)).body, /\/remove"/)
    assert.equal((await benvolio.get(remove)).statusCode, 403)
    await romeo.submit((await romeo.get(remove)).body, '/remove', {})
    assert.doesNotMatch((await romeo.get(path)).body, /Hail/)

    await paris.submit((await paris.get(path)).body, '/comments', { text: 'Villain' })
    const [, second = ''] = /href="([^"]*\/remove)"/.exec((await juliet.get(path)).body) ?? []
    // The thread is the writer's: it goes by his session.
    await juliet.submit((await juliet.get(second)).body, '/remove', {})
    assert.doesNotMatch((await site.browser().get(path)).body, /Villain/)
    assert.equal((await site.browser().get(`${path}/atom.xml`)).statusCode, 200)
    assert.match((await site.browser().get(`${PATH}/tag/none`)).body, /No posts with this tag/)
  })

  it('is drafted and previewed as for a blog, and stays for that community', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet)
    const page = await openForm(juliet)
    assert.match(page.body, /In <a href="\/c\/pubsub/)
    const saved = await juliet.submit(page.body, '/write', { title: 'Later', text: 'x', action: 'draft' })
    const again = await juliet.get(String(saved.headers.location))
    assert.match(again.body, /name="to" value="xmpp:/)
    const preview = await juliet.submit(again.body, '/write', { title: 'Later', text: 'x', action: 'preview' })
    assert.match(preview.body, /This is a preview/)
    const posted = await juliet.submit(again.body, '/write', { title: 'Later', text: 'x', action: 'publish' })
    assert.match(String(posted.headers.location), new RegExp(`^${PATH}/later-`))
    assert.doesNotMatch((await juliet.get('/@juliet')).body, /Later/)
  })

  it('shows the service’s refusal and keeps the text', async () => {
    await using site = await createTestSite()
    await make(await site.signedIn(JULIET), { who: 'named', people: '' })
    const answer = await write(await site.signedIn(ROMEO))
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /does not let you post/)
    assert.match(answer.body, /A \*text\*/)
  })

  it('is possible only where the community is known', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    assert.equal((await openForm(juliet)).statusCode, 404)
    assert.equal((await juliet.get('/write?to=nonsense')).statusCode, 404)
    const odd = await juliet.get(`${WRITE}&form=%40`)
    assert.match(String(odd.headers.location), /to=xmpp.*&form=[0-9a-f-]{36}$/)
  })
})

describe('looking after a community', () => {
  it('its owner deletes a post, blocks its writer and lets them in again', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet)
    const romeo = await site.signedIn(ROMEO)
    const path = String((await write(romeo)).headers.location)
    const page = await juliet.get(path)
    const [, block = ''] = /href="(\/communities\/block[^"]*)"/.exec(page.body) ?? []
    assert.doesNotMatch((await romeo.get(path)).body, /communities\/block/)
    const question = await juliet.get(block.replaceAll('&amp;', '&'))
    assert.match(question.body, /Block romeo@montague\.example\?/)
    assert.match(question.body, /can no longer write or comment/)
    const blocked = await juliet.submit(question.body, '/communities/block', {})
    const people = await juliet.get(String(blocked.headers.location))
    assert.match(people.body, /Blocked[\s\S]*romeo@montague\.example/)
    assert.equal((await write(romeo)).statusCode, 403)
    assert.doesNotMatch((await romeo.get(PATH)).body, /Write here/)
    assert.match((await juliet.get(PATH)).body, /Write here[\s\S]*Follow this community/)
    await juliet.submit(people.body, '/communities/block', {})
    assert.match((await romeo.get(PATH)).body, /Write here/)
    assert.equal((await write(romeo)).statusCode, 303)
    await juliet.submit((await juliet.get(`${path}/delete`)).body, '/delete', {})
    assert.equal((await juliet.get(path)).statusCode, 410)
  })

  it('its owner lets more people write, and fewer', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet, { who: 'named', people: '' })
    const romeo = await site.signedIn(ROMEO)
    assert.equal((await write(romeo)).statusCode, 403)
    const [, people = ''] = /href="(\/communities\/people[^"]*)"/.exec((await juliet.get(PATH)).body) ?? []
    const page = await juliet.get(people.replaceAll('&amp;', '&'))
    const allowed = await juliet.submit(page.body, '/communities/block', { jid: ROMEO, action: 'allow' })
    assert.match((await juliet.get(String(allowed.headers.location))).body, /May post[\s\S]*romeo@montague\.example/)
    assert.equal((await write(romeo)).statusCode, 303)
    const again = await juliet.get(String(allowed.headers.location))
    await juliet.submit(again.body, '/communities/block', { jid: ROMEO, action: 'let-in' })
    assert.equal((await write(romeo)).statusCode, 403)
    const odd = await juliet.submit(again.body, '/communities/block', { jid: ROMEO, action: 'constructor' })
    assert.equal(odd.statusCode, 400)
  })

  it('is not for others', async () => {
    await using site = await createTestSite()
    await make(await site.signedIn(JULIET))
    const romeo = await site.signedIn(ROMEO)
    const of = `xmpp:${SERVICE}?;node=verona-by-night`
    const people = await romeo.get(`/communities/people?${new URLSearchParams({ of })}`)
    assert.equal(people.statusCode, 403)
    const form = await romeo.get(`/communities/block?${new URLSearchParams({ of, jid: JULIET })}`)
    const answer = await romeo.submit(form.body, '/communities/block', {})
    assert.equal(answer.statusCode, 403)
    assert.equal(site.ctx.network.nodes.get(addressKey(NIGHTS))?.affiliations.size, 0)
  })
})

describe('a gallery', () => {
  it('keeps the words of a picture that was not chosen, and says so', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet, { kind: 'gallery' })
    const answer = await write(juliet, { action: 'picture', 'picture-alt': 'A red rose' })
    assert.equal(answer.statusCode, 400)
    assert.match(answer.body, /Choose a picture first, or give its address\./)
    assert.match(answer.body, /name="picture-alt" value="A red rose"/)
  })

  it('takes a picture with words for it, uploads it to the writer’s server and shows it through ours', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet, { kind: 'gallery' })
    await using upload = await startUpload(site, JULIET)
    const page = await openForm(juliet)
    assert.match(page.body, /enctype="multipart\/form-data"/)
    const mute = await sendFile(juliet, page.body, { fields: { title: 'Rose', action: 'publish' }, file: PNG })
    assert.equal(mute.statusCode, 400)
    assert.match(mute.body, /Say in words/)
    assert.match(mute.body, /name="href-0" value="https:\/\/upload\.capulet\.example\/a\.png"/)
    const posted = await juliet.submit(mute.body, '/write', { title: 'Rose', 'alt-0': 'A red rose', action: 'publish' })
    assert.equal(posted.statusCode, 303, posted.body)
    const post = await juliet.get(String(posted.headers.location))
    assert.match(post.body, /<img class="u-photo" src="\/picture\/[^"]+" alt="A red rose"/)
    assert.match((await juliet.get(PATH)).body, /class="thumbnail"/)
    const feed = await juliet.get(`${PATH}/atom.xml`)
    assert.match(feed.body, /rel="enclosure" type="image\/png" title="A red rose"/)
    const edit = await juliet.get(`${posted.headers.location}/edit`)
    assert.match(edit.body, /id="alt-0"[^>]*value="A red rose"/)
    const changed = await juliet.submit(edit.body, '/edit', {
      title: 'Rose',
      'alt-0': 'A rose, red',
      action: 'publish',
    })
    assert.equal(changed.statusCode, 303, changed.body)
    assert.match((await juliet.get(String(posted.headers.location))).body, /alt="A rose, red"/)
    // What the browser calls it means nothing, and what the server wants with it is sent.
    assert.deepEqual(upload.puts, [{ type: 'image/png', authorization: 'Basic x', bytes: PNG }])
  })

  it('adds and drops pictures before it is published', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet, { kind: 'gallery' })
    await using _upload = await startUpload(site, JULIET)
    const page = await openForm(juliet)
    const added = await sendFile(juliet, page.body, {
      fields: { 'picture-alt': 'A rose', action: 'picture' },
      file: PNG,
    })
    assert.equal(added.statusCode, 303, added.body)
    const again = await juliet.get(String(added.headers.location))
    assert.match(again.body, /id="alt-0"[^>]*value="A rose"/)
    const dropped = await juliet.submit(again.body, '/write', { title: 'x', 'drop-0': 'on', action: 'publish' })
    assert.equal(dropped.statusCode, 400)
    assert.match(dropped.body, /Add a picture first/)
  })

  it('takes nothing that is no picture, nor one that is too large, and keeps the text', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    await make(juliet, { kind: 'gallery' })
    await using upload = await startUpload(site, JULIET)
    const page = await openForm(juliet)
    const fields = { title: 'Kept title', action: 'publish' }
    const text = await sendFile(juliet, page.body, { fields, file: Buffer.from('<svg onload="alert(1)"/>') })
    assert.equal(text.statusCode, 400)
    assert.match(text.body, /That is no picture[\s\S]*Kept title/)
    const large = await sendFile(juliet, page.body, {
      fields,
      file: Buffer.concat([PNG, Buffer.alloc(11 * 1024 * 1024)]),
    })
    assert.equal(large.statusCode, 413)
    assert.match(large.body, /10 MB[\s\S]*Kept title/)
    assert.equal(upload.puts.length, 0)
  })

  it('sends no picture to a private address that a stranger’s server names', async () => {
    await using site = await createTestSite()
    await make(await site.signedIn(JULIET), { kind: 'gallery' })
    const romeo = await site.signedIn(ROMEO)
    await using upload = await startUpload(site, ROMEO)
    const page = await openForm(romeo)
    const answer = await sendFile(romeo, page.body, { fields: { title: 'x', action: 'publish' }, file: PNG })
    assert.equal(answer.statusCode, 403)
    assert.equal(upload.puts.length, 0)
  })
})
