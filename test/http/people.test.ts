import assert from 'node:assert/strict'
import { it } from 'node:test'
import { addFollow } from '#server/store/follow.ts'
import { savePerson } from '#server/store/person.ts'
import { renderMarkdown } from '#shared/markup.ts'
import { jidOf } from '#test/support/context.ts'
import { JULIET, MALLORY, ROMEO } from '../feeds/fixtures.ts'
import { seedAuthor, seedComment, seedThread } from './seed.ts'
import { CHANNEL, seedRoom } from './seed-room.ts'
import { createTestSite, type TestSite } from './test-site.ts'

const NURSE = jidOf('nurse@capulet.example')

async function follow({ ctx }: TestSite, follower: string, service: string): Promise<void> {
  const address = { service: jidOf(service), node: 'urn:xmpp:microblog:0' }
  await addFollow(ctx.state, { follower: jidOf(follower), address, since: ctx.clock() })
}

it('offers the people of a thread first, and whom one follows, by the beginnings of their names', async () => {
  await using site = await createTestSite()
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'lark')
  await seedComment(site, 'c1', { from: ROMEO, thread, name: 'Romeo Montague' })
  await savePerson(site.ctx.index, { jid: ROMEO, name: 'Romeo Montague', namedAt: site.ctx.clock() })
  await savePerson(site.ctx.index, { jid: MALLORY, name: 'Rosaline', namedAt: site.ctx.clock() })
  const nurse = await site.signedIn(NURSE)
  await follow(site, NURSE, MALLORY)
  const ask = async (url: string) => (await nurse.get(url)).json<{ people: { jid: string; name: string }[] }>().people
  assert.deepEqual(
    (await ask(`${path}/people.json?q=ro`)).map(({ jid }) => jid),
    [ROMEO, MALLORY],
  )
  assert.deepEqual(await ask(`${path}/people.json?q=MONT`), [{ jid: ROMEO, name: 'Romeo Montague' }])
  assert.deepEqual(
    (await ask('/people.json?q=')).map(({ jid }) => jid),
    [MALLORY],
  )
  assert.ok((await ask(`${path}/people.json?q=juliet`)).some(({ jid }) => jid === JULIET))
  assert.deepEqual(await ask(`${path}/people.json?q=nurse`), [], 'not oneself')
})

it('tells nobody who is not signed in, and no addresses of a room to who is not in it', async () => {
  await using site = await createTestSite()
  await seedRoom(site)
  assert.equal((await site.browser().get('/people.json?q=a')).statusCode, 403)
  const nurse = await site.signedIn(NURSE)
  const { people } = (await nurse.get('/@juliet/room/people.json?q=')).json<{ people: unknown[] }>()
  assert.deepEqual(people, [], CHANNEL)
})

it('leads from a mention to the blog where there is one here, and else to the account', async () => {
  await using site = await createTestSite()
  await seedAuthor(site)
  const { path, thread } = await seedThread(site, 'lark')
  const text = `[@Juliet](xmpp:${JULIET}) and [@Romeo](xmpp:${ROMEO}) and [no mention](xmpp:${JULIET})`
  await seedComment(site, 'c1', { from: ROMEO, thread, text, more: xhtmlOf(text) })
  const { body } = await site.browser().get(path)
  assert.match(body, /<a href="\/@juliet"[^>]*>@Juliet<\/a>/)
  assert.match(body, new RegExp(`<a href="xmpp:${ROMEO}"[^>]*>@Romeo</a>`))
  assert.match(body, new RegExp(`<a href="xmpp:${JULIET}"[^>]*>no mention</a>`))
})

function xhtmlOf(markdown: string): string {
  return `<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>${renderMarkdown(markdown)}</div></content>`
}
