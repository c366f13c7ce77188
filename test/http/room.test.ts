import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { roomTopic } from '#server/feeds/live.ts'
import { readTask } from '#server/feeds/task.ts'
import { listDrafts } from '#server/store/draft.ts'
import { listOutbox } from '#server/store/outbox.ts'
import { saveParticipant } from '#server/store/participant.ts'
import { deleteRoom } from '#server/store/room.ts'
import { jidOf } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { BLOG, itemOf } from '../feeds/fixtures.ts'
import { listen } from './listen.ts'
import { seedPost } from './seed.ts'
import { CHANNEL, seedRoom, seedTalk } from './seed-room.ts'
import { createTestSite } from './test-site.ts'

const ROMEO = 'romeo@montague.example'
const idsOf = (body: string) => [...body.matchAll(/<div class="said[^"]*" id="message-([^"]*)"/g)].map(([, id]) => id)

describe('the page of a room', () => {
  it('is not there for a blog without one, and nothing leads to it', async () => {
    await using site = await createTestSite()
    await seedPost(site, 'before').catch(() => {})
    assert.equal((await site.browser().get('/@juliet/room')).statusCode, 404)
    assert.equal((await site.browser().get('/@juliet/room/live.events')).statusCode, 404)
    const juliet = await site.signedIn('juliet@capulet.example')
    assert.doesNotMatch((await juliet.get('/@juliet')).body, /\/room"/)
    assert.doesNotMatch((await juliet.get('/settings')).body, /Open a room/)
  })

  it('shows to anybody what was said last, by nickname and never by address', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    await seedTalk(site, 'one', { text: 'But soft! See https://light.example/', at: '2026-03-14T21:00:00Z' })
    await seedTalk(site, 'two', { at: '2026-03-14T21:04:00Z' })
    await seedTalk(site, 'three', { at: '2026-03-14T21:30:00Z' })
    await seedTalk(site, 'four', { at: '2026-03-14T21:31:00Z', nick: 'Juliet', from: 'juliet@capulet.example' })
    const { body, statusCode } = await site.browser().get('/@juliet/room')
    assert.equal(statusCode, 200)
    assert.deepEqual(idsOf(body), ['one', 'two', 'three', 'four'])
    assert.equal(body.match(/<article class="comment">/g)?.length, 3, 'what is said in five minutes is together')
    assert.match(body, /<a href="https:\/\/light\.example\/"/)
    assert.match(body, /1 person in the room/)
    assert.doesNotMatch(body, /romeo@/)
    assert.match(body, /xmpp:r4nd0m@mix\.capulet\.example\?join/)
    assert.doesNotMatch(body, /noindex/)
    assert.match((await site.browser().get('/@juliet')).body, /href="\/@juliet\/room"/)
    const post = await seedPost(site, 'balcony')
    assert.match((await site.browser().get(post)).body, /href="\/@juliet\/room"/)
  })

  it('marks who has the name of somebody else, but never the owner', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    const seen = { channel: CHANNEL, isPresent: true, seenAt: site.ctx.clock() }
    await saveParticipant(site.ctx.index, { ...seen, id: 'a', jid: jidOf('juliet@capulet.example'), nick: 'Juliet' })
    await saveParticipant(site.ctx.index, { ...seen, id: 'b', jid: jidOf('tybalt@capulet.example'), nick: 'JULIET' })
    await saveParticipant(site.ctx.index, { ...seen, id: 'c', nick: 'Nurse' })
    await seedTalk(site, 'one', { at: '2026-03-14T21:00:00Z', nick: 'Juliet', from: 'juliet@capulet.example' })
    await seedTalk(site, 'two', { at: '2026-03-14T21:01:00Z', nick: 'juliet', from: 'tybalt@capulet.example' })
    await seedTalk(site, 'three', { at: '2026-03-14T21:02:00Z', nick: 'Nurse', from: 'paris@capulet.example' })
    await seedTalk(site, 'four', { at: '2026-03-14T21:03:00Z', reply: 'two' })
    const { body } = await site.browser().get('/@juliet/room')
    const namesOf = (pattern: RegExp) => [...body.matchAll(pattern)].map(([, name]) => name)
    // The beginning of the digest of their id in the room; of who was never seen there it is not known.
    assert.deepEqual(namesOf(/p-author">([^<]*)</g), ['Juliet', 'juliet (3e23)', 'Nurse (?)', 'Romeo'])
    assert.deepEqual(namesOf(/<li><bdi>([^<]*)</g), ['JULIET (3e23)', 'Juliet', 'Nurse (2e7d)', 'romeo'])
    assert.match(body, />to juliet \(3e23\)</)
  })

  it('goes from day to day, over those on which nothing was said', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    for (const day of ['2026-03-01', '2026-03-05', '2026-03-14']) await seedTalk(site, day, { at: `${day}T12:00:00Z` })
    const { body } = await site.browser().get('/@juliet/room?day=2026-03-05')
    assert.deepEqual(idsOf(body), ['2026-03-05'])
    assert.match(body, /rel="prev" href="\/@juliet\/room\?day=2026-03-01"/)
    assert.match(body, /rel="next" href="\/@juliet\/room\?day=2026-03-14"/)
    assert.deepEqual(idsOf((await site.browser().get('/@juliet/room')).body), ['2026-03-14'])
    const empty = await site.browser().get('/@juliet/room?day=2026-03-03')
    assert.deepEqual([empty.statusCode, idsOf(empty.body)], [200, []])
    for (const day of ['2026-02-30', 'x', '99999-01-01'])
      assert.equal((await site.browser().get(`/@juliet/room?day=${day}`)).statusCode, 404)
  })

  it('has all of a long day, 200 on a page, in both directions, and each message its own address', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    const start = Date.parse('2026-03-14T00:00:00Z')
    // Some at the same moment.
    for (let n = 0; n < 450; n++)
      await seedTalk(site, `m${String(n).padStart(3, '0')}`, {
        at: new Date(start + Math.floor(n / 3) * 1000).toISOString(),
      })
    const follow = async (from: string, word: RegExp) => {
      const found: (string | undefined)[][] = []
      for (let url: string | undefined = from; url !== undefined; ) {
        const { body } = await site.browser().get(url)
        found.push(idsOf(body))
        url = word.exec(body)?.[1]?.replaceAll('&amp;', '&')
      }
      return found
    }
    const back = await follow('/@juliet/room', /href="([^"]*)">Earlier that day/)
    assert.deepEqual(
      back.map(({ length }) => length),
      [200, 200, 50],
    )
    const forth = await follow('/@juliet/room?day=2026-03-14', /href="([^"]*)">Later that day/)
    assert.deepEqual(
      forth.map(({ length }) => length),
      [200, 200, 50],
    )
    assert.deepEqual(forth.flat(), back.reverse().flat())
    const answer = await site.browser().get('/@juliet/room/messages/m100')
    assert.equal(answer.statusCode, 302)
    const [path = '', anchor] = String(answer.headers.location).split('#')
    assert.equal(anchor, 'message-m100')
    assert.ok(idsOf((await site.browser().get(path)).body).includes('m100'))
    assert.equal((await site.browser().get('/@juliet/room/messages/nothing')).statusCode, 404)
  })

  it('leads from announcements to posts and from answers to their threads', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    await seedPost(site, 'balcony', { title: 'The balcony' })
    const root = itemOf(BLOG, 'balcony')
    await seedTalk(site, 'a', { kind: 'announcement', root, from: site.ctx.siteJid, nick: 'Canto' })
    await seedTalk(site, 'b', { kind: 'answer', root, reply: 'a' })
    await seedTalk(site, 'c', { reply: 'b', nick: 'Nurse', from: 'nurse@capulet.example' })
    await seedTalk(site, 'gone', { kind: 'announcement', root: itemOf(BLOG, 'gone'), text: 'New: a lost one' })
    const { body } = await site.browser().get('/@juliet/room')
    assert.match(body, /New post: <a href="\/@juliet\/balcony"><bdi>The balcony<\/bdi>/)
    assert.match(body, /href="\/@juliet\/balcony\/comments\/room\.b">about The balcony/)
    assert.match(body, /href="\/@juliet\/room\/messages\/b">to Romeo/)
    assert.match(body, /New: a lost one/)
  })

  it('shows what is held to its writer alone, and what was removed to nobody', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    await seedTalk(site, 'held', { hold: 'held' })
    await seedTalk(site, 'removed', { hold: 'removed' })
    assert.deepEqual(idsOf((await site.browser().get('/@juliet/room')).body), [])
    const romeo = await site.signedIn(ROMEO)
    const { body } = await romeo.get('/@juliet/room')
    assert.deepEqual(idsOf(body), ['held'])
    assert.match(body, /waits for approval/)
    assert.equal((await site.browser().get('/@juliet/room/messages/held')).statusCode, 404)
  })

  it('tells open pages of what is said', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    await seedTalk(site, 'one', { at: '2026-03-14T21:00:00Z' })
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    const { body } = await site.browser().get('/@juliet/room')
    const shown = /data-version="([^"]*)"/.exec(body)?.[1]
    const page = await listen(site, '/@juliet/room/live.events')
    assert.equal(await until(() => page.versions[0]), shown)
    await seedTalk(site, 'two', { at: '2026-03-14T21:01:00Z' })
    site.ctx.live.publish(roomTopic(CHANNEL), { kind: 'changed' })
    await until(() => page.versions.find((version) => version !== shown))
    page.answer.destroy()
  })
})

describe('in a room', { concurrency: true }, () => {
  it('who is signed in joins under a name of their own', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    const romeo = await site.signedIn(ROMEO)
    const { body } = await romeo.get('/@juliet/room')
    assert.match(body, /Join the room/)
    assert.doesNotMatch(body, /name="text"/)
    const unnamed = await romeo.submit(body, '/room/join', { nick: ' ' })
    assert.equal(unnamed.statusCode, 400)
    await site.ctx.outbox.stop()
    const answer = await romeo.submit(body, '/room/join', { nick: 'Roma\u202e' })
    assert.equal(answer.headers.location, '/@juliet/room#say')
    const [row] = await listOutbox(site.ctx.state, jidOf(ROMEO))
    assert.deepEqual(row && readTask(row), { kind: 'room-member', action: 'join', nick: 'Roma' })
  })

  it('nobody joins under a name that somebody there, or the owner, has', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: ['juliet@capulet.example'] })
    const nurse = await site.signedIn('nurse@capulet.example')
    await site.ctx.outbox.stop()
    const { body } = await nurse.get('/@juliet/room')
    // The owner is not even there: they are Roma.
    for (const nick of ['ROMEO', 'Ｒｏｍｅｏ', 'ro meo\u200b', 'roma']) {
      const answer = await nurse.submit(body, '/room/join', { nick })
      assert.equal(answer.statusCode, 409, nick)
      assert.match(answer.body, /Somebody has this name in the room\. Take another one, such as “[^”]* 2”/)
    }
    assert.deepEqual(await listOutbox(site.ctx.state, jidOf('nurse@capulet.example')), [])
    assert.equal((await nurse.submit(body, '/room/join', { nick: 'Romeo 2' })).statusCode, 303)
    const romeo = await site.signedIn(ROMEO)
    const own = await romeo.submit((await romeo.get('/@juliet/room')).body, '/room/join', { nick: 'Romeo' })
    assert.equal(own.statusCode, 303)
  })

  it('who has joined speaks, once for each form, and sees it waiting', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    await seedTalk(site, 'one')
    const romeo = await site.signedIn(ROMEO)
    await site.ctx.outbox.stop()
    const { body } = await romeo.get('/@juliet/room?reply=one')
    assert.match(body, /In answer to Romeo/)
    for (let n = 0; n < 2; n++) {
      const answer = await romeo.submit(body, '/room/messages', { text: 'With love’s <light> wings' })
      assert.equal(answer.headers.location, '/@juliet/room#say')
    }
    const rows = await listOutbox(site.ctx.state, jidOf(ROMEO))
    assert.equal(rows.length, 1)
    const task = rows[0] && readTask(rows[0])
    assert.deepEqual(task?.kind === 'room-message' && task.inReplyTo?.item, 'one')
    assert.match((await romeo.get('/@juliet/room')).body, /With love’s &lt;light&gt; wings/)
    assert.doesNotMatch((await site.browser().get('/@juliet/room')).body, /wings/)
    assert.equal((await romeo.submit(body, '/room/messages', { text: ' ' })).statusCode, 400)
    const long = await romeo.submit(body, '/room/messages', { text: 'x'.repeat(5_001) })
    assert.equal(long.statusCode, 413)
  })

  it('nobody speaks who has not joined, or whose form is not theirs', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    const romeo = await site.signedIn(ROMEO)
    const nurse = await site.signedIn('nurse@capulet.example')
    const { body } = await romeo.get('/@juliet/room')
    assert.equal((await nurse.submit(body, '/room/messages', { text: 'Madam!' })).statusCode, 403)
    const fields = { key: 'a-form-key', text: 'Madam!' }
    assert.equal((await nurse.post('/@juliet/room/messages', fields)).statusCode, 403)
    const token = /name="token" value="([^"]*)"/.exec((await nurse.get('/@juliet/room')).body)?.[1] ?? ''
    const answer = await nurse.post('/@juliet/room/messages', { ...fields, token })
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /You are not in this room/)
    assert.deepEqual(await listOutbox(site.ctx.state, jidOf('nurse@capulet.example')), [])
  })

  it('who speaks in a room that was closed meanwhile is told, and has the text back', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    const romeo = await site.signedIn(ROMEO)
    const { body } = await romeo.get('/@juliet/room')
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    const page = await listen(site, '/@juliet/room/live.events')
    await until(() => page.versions[0])
    await deleteRoom(site.ctx.state, CHANNEL)
    site.ctx.live.publish(roomTopic(CHANNEL), { kind: 'changed' })
    await until(() => page.versions.includes('closed'))
    page.answer.destroy()
    const answer = await romeo.submit(body, '/room/messages', { text: 'With love’s <light> wings' })
    assert.equal(answer.statusCode, 410)
    assert.match(answer.body, /This room was closed/)
    assert.match(answer.body, /<textarea[^>]*>With love’s &lt;light&gt; wings</)
    assert.equal((await romeo.get('/@juliet/room')).statusCode, 404)
  })

  it('everybody removes their own, the owner anything, others nothing', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    await seedTalk(site, 'one')
    const nurse = await site.signedIn('nurse@capulet.example')
    assert.doesNotMatch((await nurse.get('/@juliet/room')).body, /one\/remove/)
    assert.equal((await nurse.get('/@juliet/room/messages/one/remove')).statusCode, 403)
    await site.ctx.outbox.stop()
    for (const jid of [ROMEO, 'juliet@capulet.example']) {
      const browser = await site.signedIn(jid)
      assert.match((await browser.get('/@juliet/room')).body, /one\/remove/)
      const { body } = await browser.get('/@juliet/room/messages/one/remove')
      const answer = await browser.submit(body, '/one/remove', {})
      assert.equal(answer.statusCode, 303)
      const rows = await listOutbox(site.ctx.state, jidOf(jid))
      const retraction = rows.map(readTask).find(({ kind }) => kind === 'room-message')
      assert.deepEqual(retraction, { kind: 'room-message', retracts: 'one' })
    }
  })

  it('who removes an answer on the page of its post is told that it goes from the room too', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    const juliet = await site.signedIn('juliet@capulet.example')
    await seedPost(site, 'balcony', { title: 'The balcony' })
    const root = itemOf(BLOG, 'balcony')
    await seedTalk(site, 'a', { kind: 'announcement', root, from: site.ctx.siteJid, nick: 'Canto' })
    await seedTalk(site, 'b', { kind: 'answer', root, reply: 'a' })
    const { body } = await juliet.get('/@juliet/balcony/comments/room.b/remove')
    assert.match(body, /It goes from the room too/)
  })

  it('nobody is asked to join, or to open one, whose server does not know rooms', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    Object.assign(site.ctx.rooms, { mayUse: () => false, mayOpen: () => false })
    const romeo = await site.signedIn(ROMEO)
    const { body } = await romeo.get('/@juliet/room')
    assert.match(body, /Your XMPP server does not know rooms/)
    assert.doesNotMatch(body, /Join the room|name="nick"/)
    await deleteRoom(site.ctx.state, CHANNEL)
    const juliet = await site.signedIn('juliet@capulet.example')
    const settings = (await juliet.get('/settings')).body
    assert.doesNotMatch(settings, /Open a room/)
    const token = /name="token" value="([^"]*)"/.exec(settings)?.[1] ?? ''
    assert.equal((await juliet.post('/settings/room', { token, key: 'a-form-key' })).statusCode, 403)
    Object.assign(site.ctx.rooms, { mayOpen: () => true })
    assert.match((await juliet.get('/settings')).body, /Open a room/)
  })

  it('only its author opens and closes it, after a question', async () => {
    await using site = await createTestSite()
    await seedRoom(site)
    const juliet = await site.signedIn('juliet@capulet.example')
    await site.ctx.outbox.stop()
    const settings = (await juliet.get('/settings')).body
    assert.match(settings, /Show the room/)
    const { body } = await juliet.get('/settings/room/close')
    await juliet.submit(body, '/room/close', {})
    const rows = await listOutbox(site.ctx.state, jidOf('juliet@capulet.example'))
    assert.deepEqual(
      rows.map(readTask).find(({ kind }) => kind === 'room'),
      { kind: 'room', action: 'close' },
    )
    const romeo = await site.signedIn(ROMEO)
    assert.equal((await romeo.get('/settings/room/close')).statusCode, 403)
    assert.equal((await romeo.submit(body, '/room/close', {})).statusCode, 403)
  })
})

describe('a message of a session that is over', () => {
  const KEPT = /<textarea[^>]*>But soft!<\/textarea>/

  it('is in the form again after signing in, until it is sent', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get('/@juliet/room')).body
    romeo.cookies.clear()
    const answer = await romeo.submit(page, '/messages', { text: 'But soft!' })
    const signIn = await romeo.get(String(answer.headers.location))
    assert.match(signIn.body, /Your text is kept\./)
    const back = await romeo.submit(signIn.body, '/signin', { jid: ROMEO, password: 'secret' })
    const again = await romeo.get(String(back.headers.location).split('#')[0] ?? '')
    assert.match(again.body, KEPT)
    assert.equal((await romeo.submit(again.body, '/messages', { text: 'But soft!' })).statusCode, 303)
    assert.doesNotMatch((await romeo.get('/@juliet/room')).body, KEPT)
    assert.deepEqual(await listDrafts(site.ctx.state, jidOf(ROMEO)), [])
  })

  it('still answers what it answered', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    await seedTalk(site, 'one', { text: 'Ay me' })
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get('/@juliet/room?reply=one')).body
    await site.ctx.state.deleteFrom('browserSession').execute()
    await romeo.submit(page, '/messages', { text: 'But soft!' })
    const again = await (await site.signedIn(ROMEO)).get('/@juliet/room')
    assert.match(again.body, KEPT)
    assert.match(again.body, /name="reply" value="one"/)
    assert.match(again.body, /href="\/@juliet\/room\?reply=#say"/)
  })

  it('is kept for its owner where somebody else is signed in, or the same account anew', async () => {
    await using site = await createTestSite()
    const NURSE = 'nurse@capulet.example'
    await seedRoom(site, { members: [ROMEO, NURSE] })
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get('/@juliet/room')).body
    const nurse = await site.signedIn(NURSE)
    const others = await nurse.submit(page, '/messages', { text: 'But soft!' })
    assert.equal(others.statusCode, 403)
    assert.match(others.body, /kept for romeo@montague\.example/)
    assert.doesNotMatch((await nurse.get('/@juliet/room')).body, /But soft/)
    assert.match((await romeo.get('/@juliet/room')).body, KEPT)
    const anew = await (await site.signedIn(ROMEO)).submit(page, '/messages', { text: 'But soft!' })
    assert.equal(anew.statusCode, 403)
    assert.match(anew.body, KEPT)
  })

  it('is shown to be copied where the room was closed', async () => {
    await using site = await createTestSite()
    await seedRoom(site, { members: [ROMEO] })
    const romeo = await site.signedIn(ROMEO)
    const page = (await romeo.get('/@juliet/room')).body
    romeo.cookies.clear()
    await deleteRoom(site.ctx.state, CHANNEL)
    const answer = await romeo.submit(page, '/messages', { text: 'But soft!' })
    assert.equal(answer.statusCode, 410)
    assert.match(answer.body, /But soft!/)
  })
})
