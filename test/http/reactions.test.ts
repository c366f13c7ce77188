import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listOutbox } from '#server/store/outbox.ts'
import { asItemId } from '#shared/address.ts'
import { attachmentsOf } from '#shared/profiles/index.ts'
import { JULIET, publishTo, ROMEO, xml } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const POST = { service: JULIET, node: 'urn:xmpp:microblog:0', item: asItemId('lark') }

async function open(): Promise<{ site: TestSite; path: string; thread: string } & AsyncDisposable> {
  const site = await createTestSite()
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'lark')
  return { site, path, thread, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
}

async function attach({ ctx }: TestSite, jid: string, ...emoji: string[]): Promise<void> {
  const list = emoji.map((each) => `<reaction>${each}</reaction>`).join('')
  const payload = xml(`<attachments xmlns='urn:xmpp:pubsub-attachments:1'><reactions>${list}</reactions></attachments>`)
  await publishTo(ctx, { ...attachmentsOf(POST), item: asItemId(jid) }, { payload, publisher: jid })
}

describe('reactions on a page', () => {
  it('are counted for everybody, the hearts first, with a way to sign in', async () => {
    await using scene = await open()
    const { site, path, thread } = scene
    await seedComment(site, 'like', { from: ROMEO, thread, title: '♥', text: '♥' })
    await attach(site, ROMEO, '👍', '❤️')
    await attach(site, 'mercutio@verona.example', '👍')
    const { body } = await site.browser().get(path)
    assert.match(body, /♥\ufe0e<\/span> 1</)
    assert.match(body, /👍<\/span> 2</)
    assert.match(body, /signin\?next=%2F%40juliet%2Flark%23reactions/)
    assert.match(body, /no comments yet|No comments yet/)
    const list = await site.browser().get('/@juliet')
    assert.match(list.body, /1 <span>♥/)
  })

  it('say who reacted, without addresses, and link to the blogs that are here', async () => {
    await using scene = await open()
    const { site, path } = scene
    await attach(site, JULIET, '♥')
    await attach(site, 'mercutio@verona.example', '🌹')
    const { body } = await site.browser().get(`${path}/reactions`)
    assert.match(body, /<a href="\/@juliet"><bdi>juliet<\/bdi><\/a>/)
    assert.match(body, /<bdi>mercutio<\/bdi>/)
    assert.doesNotMatch(body, /mercutio@/)
    assert.equal((await site.browser().get(`${path}/reactions?page=2`)).statusCode, 200)
    assert.equal((await site.browser().get(`${path}/reactions?page=x`)).statusCode, 400)
    assert.equal((await site.browser().get('/@juliet/none/reactions')).statusCode, 404)
  })

  it('list a hundred people on a page', async () => {
    await using scene = await open()
    const { site, path } = scene
    for (let n = 0; n < 101; n++) await attach(site, `p${n}@verona.example`, '♥')
    const { body } = await site.browser().get(`${path}/reactions`)
    assert.equal(body.match(/<li><bdi>/g)?.length, 100)
    assert.match(body, /rel="next" href="\/@juliet\/lark\/reactions\?page=2"/)
    assert.equal((await site.browser().get(`${path}/reactions?page=2`)).body.match(/<li><bdi>/g)?.length, 1)
  })

  it('are sent by a button, shown while they wait, and taken back by the same button', async () => {
    await using scene = await open()
    const { site, path } = scene
    const romeo = await site.signedIn(ROMEO)
    const before = (await romeo.get(path)).body
    assert.match(
      before,
      /<button class="chip" name="wish" value="\+♥"><span>♥\ufe0e<\/span><span class="visually-hidden"> – React</,
    )
    // No node anywhere on this network: what waits for it is shown all the same.
    site.ctx.signOut(ROMEO)
    const answer = await romeo.submit(before, '/reactions', { wish: '+♥' })
    assert.equal(answer.statusCode, 303)
    assert.equal(answer.headers.location, `${path}#reactions`)
    const [row] = await listOutbox(site.ctx.state, ROMEO)
    assert.equal(row?.kind, 'react')
    const after = (await romeo.get(path)).body
    assert.match(
      after,
      /<button class="chip is-own" name="wish" value="-♥"><span>♥\ufe0e<\/span> 1<span class="visually-hidden"> – Take back</,
    )
    await romeo.submit(after, '/reactions', { wish: '-♥' })
    assert.match(
      (await romeo.get(path)).body,
      /<button class="chip" name="wish" value="\+♥"><span>♥\ufe0e<\/span><span class="visually-hidden"> – React</,
    )
    assert.doesNotMatch((await site.browser().get(path)).body, /♥/, 'what waits is nobody else’s to see')
  })

  it('of other kinds are offered where the post has a node for them', async () => {
    await using scene = await open()
    const { site, path } = scene
    const romeo = await site.signedIn(ROMEO)
    assert.doesNotMatch((await romeo.get(path)).body, /Other reaction/)
    await site.ctx.index.updateTable('node').set({ isWaiting: 0 }).where('kind', '=', 'attachments').execute()
    const { body } = await romeo.get(path)
    assert.match(body, /Other reaction/)
    const wrong = await romeo.submit(body, '/reactions', { emoji: 'a novel' })
    assert.equal(wrong.statusCode, 400)
    assert.match(wrong.body, /class="notice" role="alert">[^/]*<\/strong> [^<]*not one emoji/)
    assert.match(wrong.body, /<textarea/, 'the page of the post')
    assert.equal((await romeo.submit(body, '/reactions', {})).statusCode, 400)
  })

  it('are taken only from the forms of who is signed in', async () => {
    await using scene = await open()
    const { site, path } = scene
    assert.equal((await site.browser().post(`${path}/reactions`, { wish: '+♥' })).statusCode, 403)
    const romeo = await site.signedIn(ROMEO)
    assert.equal((await romeo.post(`${path}/reactions`, { wish: '+♥', token: 'forged' })).statusCode, 403)
  })
})
