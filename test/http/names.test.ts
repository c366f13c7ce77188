import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { knowPeople } from '#server/feeds/known-people.ts'
import { writeNotice } from '#server/feeds/notify/notice.ts'
import { notify } from '#server/feeds/notify/notify.ts'
import { saveAccountName } from '#server/store/account.ts'
import { addFollow } from '#server/store/follow.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { listNotifications } from '#server/store/notification.ts'
import { savePerson } from '#server/store/person.ts'
import { asItemId } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { jidOf } from '#test/support/context.ts'
import { growThread } from '#test/support/long-thread.ts'
import { entryOf, JULIET, MALLORY, publishTo, ROMEO, xml } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedPost, seedThread } from './seed.ts'
import { CHANNEL, seedRoom, seedTalk } from './seed-room.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const POST = { service: JULIET, node: 'urn:xmpp:microblog:0', item: asItemId('lark') }

interface Scene extends AsyncDisposable {
  readonly site: TestSite
  readonly path: string
  /** Puts a comment under Juliet's post. */
  comment(from: string, name: string, text?: string): Promise<void>
  /** Names as the page shows them, with what stands beside them. */
  readNames(): Promise<string[]>
}

async function open(): Promise<Scene> {
  const site = await createTestSite()
  await seedAuthor(site)
  await savePerson(site.ctx.index, { jid: JULIET, name: 'Juliet', namedAt: site.ctx.clock() })
  const { path, thread } = await seedThread(site, 'lark')
  let count = 0
  return {
    ...{ site, path },
    async comment(from, name, text = 'So soon?') {
      count++
      const published = new Date(Date.parse('2026-01-03T00:00:00Z') + count * 1000).toISOString()
      await seedComment(site, `n${count}`, { from, thread, name, text, published })
    },
    async readNames() {
      const { body } = await site.browser().get(path)
      const named = body.matchAll(
        /<bdi class="p-name">([^<]*)<\/bdi><\/span>\s*(?:<bdi class="beside">([^<]*)<\/bdi>)?/g,
      )
      return [...named].map(([, name, beside]) => (beside === undefined ? `${name}` : `${name} | ${beside}`))
    },
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

describe('a name that imitates', () => {
  it('has its address beside it where it looks like that of the author of the blog, who has none', async () => {
    await using scene = await open()
    await scene.comment(MALLORY, 'Jυliet')
    await scene.comment('a@evil.example', 'JULIET')
    await scene.comment('b@evil.example', 'Ju\u200bliet')
    await scene.comment('juliet@evil.example', '\u3164')
    await scene.comment(JULIET, 'Juliet')
    await scene.comment(ROMEO, 'Romeo')
    assert.deepEqual(await scene.readNames(), [
      `Jυliet | ${MALLORY}`,
      'JULIET | a@evil.example',
      'Juliet | b@evil.example',
      'juliet | juliet@evil.example',
      'Juliet',
      'Romeo',
    ])
  })

  it('or that of somebody else in the thread, or of somebody who has a blog here', async () => {
    await using scene = await open()
    const { ctx } = scene.site
    const nurse = jidOf('nurse@capulet.example')
    await addNode(ctx.index, { address: { ...POST, service: nurse }, kind: 'blog', owner: nurse, now: ctx.clock() })
    await savePerson(ctx.index, { jid: nurse, name: 'Angelica', namedAt: ctx.clock() })
    await scene.comment(MALLORY, 'Аngelica')
    await scene.comment(ROMEO, 'Romeo')
    assert.deepEqual(await scene.readNames(), [`Аngelica | ${MALLORY}`, 'Romeo'])
    await scene.comment('romeo@evil.example', 'Rorneo')
    await scene.comment(nurse, 'Angelica')
    assert.deepEqual((await scene.readNames()).slice(1), [
      `Romeo | ${ROMEO}`,
      'Rorneo | romeo@evil.example',
      `Angelica | ${nurse}`,
    ])
  })

  it('or that of somebody with an account or a community here, or of the site, by whatever letters', async () => {
    await using scene = await open()
    const { ctx } = scene.site
    const nurse = jidOf('nurse@montague.example')
    await scene.site.signedIn(nurse)
    await saveAccountName(ctx.state, nurse, 'Angelica')
    await knowPeople({ ...ctx, config: { ...ctx.config, title: 'Verona Daily' } })
    const benvolio = jidOf('benvolio@montague.example')
    await savePerson(ctx.index, { jid: benvolio, name: 'Wolfram', namedAt: ctx.clock() })
    const garden = { service: jidOf('pubsub.montague.example'), node: 'garden' }
    await addNode(ctx.index, { address: garden, kind: 'community', owner: benvolio, now: ctx.clock() })
    const names = ['ᴀɴɢᴇʟɪᴄᴀ', 'VVolfram', 'Verona daiIy', 'The author']
    for (const [n, name] of names.entries()) await scene.comment(`m${n}@evil.example`, name)
    await scene.comment(ROMEO, 'Romeo')
    assert.deepEqual(await scene.readNames(), [...names.map((name, n) => `${name} | m${n}@evil.example`), 'Romeo'])
  })

  it('but not beside the name of the site where an account of its own domain bears it', async () => {
    await using scene = await open()
    await knowPeople({ ...scene.site.ctx, config: { ...scene.site.ctx.config, title: 'Verona Daily' } })
    await scene.comment('tybalt@capulet.example', 'Verona Daily')
    assert.deepEqual(await scene.readNames(), ['Verona Daily'])
  })

  it('or that of somebody on another page of a long thread', async () => {
    await using scene = await open()
    const { ctx } = scene.site
    await scene.comment(ROMEO, 'Romeo')
    await scene.comment('romeo@evil.example', 'Rorneo')
    await scene.comment('nurse@capulet.example', 'Nurse')
    await growThread(ctx.index, { like: 'n3', count: 150 })
    const later = Date.parse('2026-02-01T00:00:00Z')
    const evil = jidOf('romeo@evil.example')
    await ctx.index.updateTable('entry').set({ publishedAt: later }).where('author', '=', evil).execute()
    const first = (await scene.readNames()).filter((name) => name.startsWith('Ro'))
    assert.deepEqual(first, [`Romeo | ${ROMEO}`])
  })

  it('or where it says what only an address can', async () => {
    await using scene = await open()
    await scene.comment(MALLORY, 'Mercutio ✓')
    await scene.comment('a@evil.example', 'mercutio@verona.example')
    assert.deepEqual(await scene.readNames(), [`Mercutio ✓ | ${MALLORY}`, 'mercutio@verona.example | a@evil.example'])
  })

  it('has it in both feeds, in titles too', async () => {
    await using scene = await open()
    await scene.comment(MALLORY, 'Jυliet')
    const atom = await scene.site.browser().get(`${scene.path}/atom.xml`)
    assert.match(atom.body, new RegExp(`<name>Jυliet \\(${MALLORY}\\)</name>`))
    assert.match(atom.body, new RegExp(`<title[^>]*>Jυliet \\(${MALLORY}\\): So soon\\?`))
    const json = (await scene.site.browser().get(`${scene.path}/feed.json`)).json<{
      items: { authors: { name: string }[] }[]
    }>()
    assert.deepEqual(
      json.items[0]?.authors.map(({ name }) => name),
      [`Jυliet (${MALLORY})`],
    )
  })

  it('has it above a post, in lists and in their feeds', async () => {
    await using scene = await open()
    const { site } = scene
    const false2 = jidOf('ju1iet@capulet.example')
    await seedAuthor(site, false2)
    const path = await seedPost(site, 'false', { jid: false2, author: false2, name: 'JuIiet' })
    const beside = new RegExp(`JuIiet</bdi></a> <bdi class="beside">${false2}</bdi>`)
    assert.match((await site.browser().get('/')).body, beside)
    assert.match((await site.browser().get('/@ju1iet')).body, beside)
    assert.match((await site.browser().get('/atom.xml')).body, new RegExp(`<name>JuIiet \\(${false2}\\)</name>`))
    // Its own page says whose it is by its address.
    assert.equal((await site.browser().get(path)).statusCode, 200)
  })

  it('has it in the list of reactions and in notifications, on the page, in feeds and in messages', async () => {
    await using scene = await open()
    const { site, path } = scene
    const { ctx } = site
    const payload = xml(
      "<attachments xmlns='urn:xmpp:pubsub-attachments:1'><reactions><reaction>👍</reaction></reactions></attachments>",
    )
    await addNode(ctx.index, { address: attachmentsOf(POST), kind: 'attachments', now: ctx.clock() })
    await publishTo(ctx, { ...attachmentsOf(POST), item: asItemId(MALLORY) }, { payload, publisher: MALLORY })
    await savePerson(ctx.index, { jid: MALLORY, name: 'Jυliet', namedAt: ctx.clock() })
    const reactors = await site.browser().get(`${path}/reactions`)
    assert.match(reactors.body, new RegExp(`Jυliet</bdi> <bdi class="beside">${MALLORY}</bdi>`))

    const juliet = await site.signedIn(JULIET)
    // Signing in reads the blog anew.
    await updateNode(ctx.index, POST, { status: 'open' })
    const news = { kind: 'comment', about: { ...POST, item: asItemId('c1') }, post: POST } as const
    await notify(ctx, [{ jid: JULIET, ...news, actor: MALLORY, actorName: 'Jυliet', text: 'x' }])
    assert.match((await juliet.get('/notifications')).body, new RegExp(`Jυliet \\(${MALLORY}\\)`))
    const rows = await listNotifications(ctx.state, JULIET, { limit: 10 })
    assert.match(
      // No client makes a link of what is in a name.
      (await writeNotice({ ...ctx, config: { url: new URL('https://blog.example') } }, rows, JULIET)).replaceAll(
        '\u2060',
        '',
      ),
      /Jυliet \(mallory@evil\.example\) commented/,
    )
  })

  it('has the mark of the room beside it where its address is shown to nobody', async () => {
    await using scene = await open()
    const { site, path } = scene
    await seedRoom(site)
    await seedTalk(site, 'one', { kind: 'answer', root: POST, nick: 'Juliet', text: 'It is I' })
    await seedTalk(site, 'two', { kind: 'answer', root: POST, nick: 'Romeo ✓', text: 'And I' })
    await seedTalk(site, 'three', { kind: 'answer', root: POST, nick: 'Juliet', from: JULIET, text: 'Truly' })
    const from = `<message from="${CHANNEL}/romeo"/>`
    await site.ctx.index.updateTable('entry').set({ payload: from }).where('item', '=', asItemId('one')).execute()
    assert.deepEqual((await scene.readNames()).sort(), ['Juliet', 'Juliet | b88b', 'Romeo ✓ | ?'])
    const { body } = await site.browser().get(path)
    assert.doesNotMatch(body, /romeo@montague/)
  })

  it('has it in a look at what somebody does not follow yet', async () => {
    await using scene = await open()
    const { site } = scene
    const pubsub = site.ctx.network.pubsubOf(MALLORY)
    const blog = { service: MALLORY, node: POST.node }
    await pubsub.createNode(blog, { access_model: 'open' })
    for (const [item, name] of Object.entries({ a: 'Jυliet', b: 'Mercutio ✓', c: 'Mallory' }))
      await pubsub.publishItem({ ...blog, item: asItemId(item) }, entryOf({ author: MALLORY, name }))
    const romeo = await site.signedIn(ROMEO)
    const page = await romeo.get('/following')
    const { body } = await romeo.submit(page.body, '/following/preview', { address: MALLORY })
    const names = [...body.matchAll(/<p class="meta"><span class="p-author h-card"><bdi>(.*)<\/bdi>/g)]
    assert.deepEqual(names.map(([, name]) => name?.replace(/<[^>]*>/g, '')).sort(), [
      `Jυliet ${MALLORY}`,
      'Mallory',
      `Mercutio ✓ ${MALLORY}`,
    ])
  })

  it('has it in the feeds of a community and of what somebody follows, which only a service vouches for', async () => {
    await using scene = await open()
    const { site } = scene
    const { ctx } = site
    const garden = { service: jidOf('pubsub.montague.example'), node: 'garden' }
    await addNode(ctx.index, { address: garden, kind: 'community', owner: ROMEO, now: ctx.clock() })
    await addFollow(ctx.state, { follower: ROMEO, address: garden, since: ctx.clock() })
    await updateNode(ctx.index, garden, { isWaiting: 0 })
    const payload = entryOf({ title: 'Said to be hers', author: MALLORY, name: 'Juliet ✓' })
    await publishTo(ctx, { ...garden, item: asItemId('one') }, { payload, publisher: MALLORY })
    const expected = `<name>Juliet ✓ (${MALLORY}) (according to ${garden.service})</name>`
    const romeo = await site.signedIn(ROMEO)
    await romeo.submit((await romeo.get('/home')).body, '/home/address', {})
    const [, path = ''] = /(\/home\/[\w.-]+\/atom\.xml)/.exec((await romeo.get('/home')).body) ?? []
    const { body } = await romeo.get(path)
    assert.ok(body.includes(expected), body)
  })

  it('has the mark of its room where a message is to be removed', async () => {
    await using scene = await open()
    const { site } = scene
    await seedRoom(site)
    await seedTalk(site, 'one', { nick: 'Juliet', text: 'It is I' })
    const juliet = await site.signedIn(JULIET)
    const { body } = await juliet.get('/@juliet/room/messages/one/remove')
    assert.match(body, /Juliet \(b88b\): “It is I”/)
  })
})

describe('an address beside a name', () => {
  it('has its domain in ASCII where that looks like another', async () => {
    await using scene = await open()
    await scene.comment('alice@blоg.example', 'Juliet')
    await scene.comment('alice@bücher.example', 'Juliet')
    await scene.comment('alice@блог.example', 'Juliet')
    assert.deepEqual(await scene.readNames(), [
      'Juliet | alice@xn--blg-ted.example',
      'Juliet | alice@xn--bcher-kva.example',
      'Juliet | alice@блог.example',
    ])
  })
})
