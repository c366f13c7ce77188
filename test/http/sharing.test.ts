import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listDrafts } from '#server/store/draft.ts'
import { addFollow } from '#server/store/follow.ts'
import { listDueOriginals } from '#server/store/original.ts'
import { writeXmppUri } from '#shared/address.ts'
import { readEntry } from '#shared/entry.ts'
import { childrenOf, textOf } from '#shared/xml.ts'
import { commentsLink, entryOf, itemOf, JULIET, publishTo, ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedPost } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const NODE = 'urn:xmpp:microblog:0'
const ROMEOS = { service: ROMEO, node: NODE }
const THREAD = { service: ROMEO, node: 'urn:xmpp:microblog:0:comments/cafe' }
const PAGE = 'https://montague.example/cafe'
const WEB = `<link rel='alternate' type='text/html' href='${PAGE}'/>`

/** A post of Romeo's, with comments, that Romeo has put on the web. */
async function seedOriginal(site: TestSite, more = WEB): Promise<string> {
  await seedAuthor(site)
  await seedAuthor(site, ROMEO)
  const words = { title: 'At the *café*', author: ROMEO, name: 'Romeo', more: more + commentsLink(THREAD) }
  return seedPost(site, 'cafe', { ...words, text: 'One [thing]', jid: ROMEO })
}

async function share(site: TestSite, path: string, fields: Record<string, string> = {}) {
  const juliet = await site.signedIn(JULIET)
  const page = await juliet.get(`${path}/share`)
  const answer = await juliet.submit(page.body, '/share', fields)
  return { juliet, page, answer }
}

function published({ ctx }: TestSite) {
  const node = [...ctx.network.nodes.values()].find(
    ({ address }) => address.service === JULIET && address.node === NODE,
  )
  const [item] = [...(node?.items.values() ?? [])].filter(({ id }) => id !== '0')
  assert.ok(item?.payload)
  return item.payload
}

describe('sharing a post', () => {
  it('publishes it on one’s own blog, as one’s own act, and says whose it is', async () => {
    await using site = await createTestSite()
    const { juliet, answer } = await share(site, await seedOriginal(site))
    assert.equal(answer.statusCode, 303)
    const payload = published(site)
    const entry = readEntry(payload)
    assert.equal(entry?.author.jid, JULIET)
    assert.equal(entry?.title, 'At the *café*')
    assert.match(entry?.source ?? '', /^Shared from \[Romeo\]\(<https:\/\/montague\.example\/cafe>\):\n/)
    assert.deepEqual(entry?.via, { address: itemOf(ROMEOS, 'cafe'), name: 'Romeo' })
    assert.deepEqual(entry?.comments, THREAD)
    const [via] = childrenOf(payload, 'link', 'http://www.w3.org/2005/Atom').filter(({ attrs }) => attrs.rel === 'via')
    assert.equal(via?.attrs.ref, 'x')
    assert.ok(!textOf(payload).includes(ROMEO))
    const made = [...site.ctx.network.nodes.values()].map(({ address }) => address.node)
    assert.ok(!made.some((node) => node.includes('comments') || node.includes('attachments')), String(made))
    const page = (await juliet.get(String(answer.headers.location))).body
    assert.match(page, /written by Romeo/)
    assert.match(page, /People talk about it at the original/)
    assert.doesNotMatch(page, /No comments yet|takes no comments/)
  })

  it('puts one’s own words after what they are about', async () => {
    await using site = await createTestSite()
    await share(site, await seedOriginal(site), { words: 'How *true*' })
    assert.match(readEntry(published(site))?.html ?? '', /<\/blockquote>.*How <em>true<\/em>/s)
  })

  it('is done once, however often it is asked for', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    const { juliet, page, answer } = await share(site, path)
    const again = await juliet.submit(page.body, '/share', {})
    assert.equal(again.headers.location, answer.headers.location)
    const second = await juliet.get(`${path}/share`)
    assert.match(second.body, /You have shared this already/)
    assert.doesNotMatch(second.body, /Repost</)
    const { key, token } = { key: 'another-key', token: /name="token" value="([^"]*)"/.exec(page.body)?.[1] ?? '' }
    assert.equal((await juliet.post(`${path}/share`, { key, token })).statusCode, 409)
  })

  it('is not for one’s own posts, nor for what its author keeps off the web', async () => {
    await using site = await createTestSite()
    const juliet = await site.signedIn(JULIET)
    const own = await seedPost(site, 'own')
    const page = (await juliet.get(`${own}/share`)).body
    assert.match(page, /This is your own post/)
    assert.match(page, /\/write\?quote=/)
    assert.doesNotMatch((await juliet.get(own)).body, /\/share"/)
    await addFollow(site.ctx.state, { follower: JULIET, address: ROMEOS, since: new Date() })
    const hidden = await juliet.get(`${await seedOriginal(site, '')}/share`)
    assert.match(hidden.body, /has not put this post on the web/)
    assert.doesNotMatch(hidden.body, /Repost</)
  })

  it('takes whoever is not signed in to sign in', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    const answer = await site.browser().get(`${path}/share`)
    assert.equal(answer.statusCode, 303)
    assert.match(String(answer.headers.location), /^\/signin/)
    assert.doesNotMatch((await site.browser().get(path)).body, /\/share"/)
  })

  it('is told under the original, by whom', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    await share(site, path)
    assert.match((await site.browser().get(path)).body, /1 share<[\s\S]*<bdi>juliet<\/bdi>/i)
  })

  it('is undone as any post is deleted, and leaves the original’s thread alone', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    await site.ctx.network.pubsubOf(ROMEO).createNode(THREAD, { access_model: 'open' })
    const { juliet, answer } = await share(site, path)
    const repost = String(answer.headers.location)
    const question = await juliet.get(`${repost}/delete`)
    await juliet.submit(question.body, '/delete', {})
    assert.equal((await juliet.get(repost)).statusCode, 410)
    assert.ok([...site.ctx.network.nodes.values()].some(({ address }) => address.node === THREAD.node))
    assert.match((await juliet.get(`${path}/share`)).body, /Repost</)
  })

  it('says in feeds who shared it, and where it is from', async () => {
    await using site = await createTestSite()
    await share(site, await seedOriginal(site))
    const feed = (await site.browser().get('/@juliet/atom.xml')).body
    assert.match(feed, /<title>juliet shared: At the \*café\*<\/title>/i)
    assert.match(feed, new RegExp(`<link rel="via"[^>]* href="${PAGE}"`))
  })

  it('keeps its original when it is edited', async () => {
    await using site = await createTestSite()
    const { juliet, answer } = await share(site, await seedOriginal(site))
    const form = await juliet.get(`${answer.headers.location}/edit`)
    await juliet.submit(form.body, '/edit', { title: 'Changed', text: 'Changed', comments: 'on', action: 'publish' })
    const entry = readEntry(published(site))
    assert.deepEqual([entry?.title, entry?.via?.address.item, entry?.comments], ['Changed', 'cafe', THREAD])
  })

  it('names nobody whose own node does not say so', async () => {
    await using site = await createTestSite()
    await seedAuthor(site)
    const via = itemOf({ service: ROMEO, node: NODE }, 'unknown')
    const more = `<link rel='via' title='Romeo' href='${writeXmppUri(via)}'/>`
    await publishTo(site.ctx, itemOf({ service: JULIET, node: NODE }, 'claim'), {
      payload: entryOf({ author: ROMEO, name: 'Romeo', more }),
      publisher: JULIET,
    })
    const page = (await site.browser().get('/@juliet/claim')).body
    assert.match(page, /said to be by Romeo/)
    assert.match(page, /<bdi>juliet<\/bdi>/)
    const patience = { unknown: 0, missing: 0, found: 0 }
    assert.deepEqual(await listDueOriginals(site.ctx.index, { now: site.ctx.clock(), patience, limit: 9 }), [via])
  })
})

describe('quoting a post', () => {
  it('opens the desk with a passage and a link', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    const juliet = await site.signedIn(JULIET)
    const quote = /href="(\/write\?quote=[^"]*)"/.exec((await juliet.get(`${path}/share`)).body)?.[1] ?? ''
    const opened = await juliet.get(quote.replaceAll('&amp;', '&'))
    const desk = await juliet.get(String(opened.headers.location))
    assert.match(desk.body, /(?:&gt;|>) One \\\[thing\\\]/)
    assert.match(desk.body, /\]\((?:&lt;|<)https:\/\/montague\.example\/cafe(?:&gt;|>)\)/)
  })
})

describe('the words of a repost whose session is over', () => {
  const words = 'Read this tonight'
  const KEPT = /<textarea[^>]*>Read this tonight<\/textarea>/

  it('are in the form again after signing in, until they are sent', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    const juliet = await site.signedIn(JULIET)
    const page = (await juliet.get(`${path}/share`)).body
    juliet.cookies.clear()
    const answer = await juliet.submit(page, '/share', { words })
    const signIn = await juliet.get(String(answer.headers.location))
    assert.match(signIn.body, /Your text is kept\./)
    const back = await juliet.submit(signIn.body, '/signin', { jid: JULIET, password: 'secret' })
    const again = await juliet.get(String(back.headers.location))
    assert.match(again.body, KEPT)
    assert.doesNotMatch((await juliet.get('/drafts')).body, /Read this/)
    assert.equal((await juliet.submit(again.body, '/share', { words })).statusCode, 303)
    assert.deepEqual(await listDrafts(site.ctx.state, JULIET), [])
  })

  it('are kept for their owner where somebody else is signed in, or the same account anew', async () => {
    await using site = await createTestSite()
    const path = await seedOriginal(site)
    const juliet = await site.signedIn(JULIET)
    const page = (await juliet.get(`${path}/share`)).body
    const nurse = await site.signedIn('nurse@capulet.example')
    const others = await nurse.submit(page, '/share', { words })
    assert.equal(others.statusCode, 403)
    assert.match(others.body, /kept for juliet@capulet\.example/)
    assert.doesNotMatch((await nurse.get(`${path}/share`)).body, /Read this/)
    assert.match((await juliet.get(`${path}/share`)).body, KEPT)
    const anew = await (await site.signedIn(JULIET)).submit(page, '/share', { words: `${words}!` })
    assert.equal(anew.statusCode, 403)
    assert.match(anew.body, /<textarea[^>]*>Read this tonight!<\/textarea>/)
  })
})
