import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { blogOf } from '#server/feeds/blog-of.ts'
import { ingest } from '#server/feeds/ingest.ts'
import { queueRoom, queueRoomMember, queueRoomMessage, queueRoomRetraction } from '#server/feeds/rooms/queue-room.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { findRoomOfBlog, type RoomRow } from '#server/store/room.ts'
import { findAnnouncement } from '#server/store/room-entry.ts'
import { talkNode } from '#server/store/room-talk.ts'
import type { RoomMessage } from '#server/xmpp/ports.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { writeEntry } from '#shared/entry.ts'
import { NS } from '#shared/ns.ts'
import { readRoomWords } from '#shared/room-message.ts'
import { createElement as el } from '#shared/xml.ts'
import { createTestContext, jidOf, type TestContext } from '../support/context.ts'
import { cpuTimeOf } from '../support/cpu-time.ts'
import type { FakeSession } from '../support/fake-session.ts'
import { until } from '../support/until.ts'

const juliet = jidOf('juliet@capulet.example')
const romeo = jidOf('romeo@montague.example')
const blog = blogOf(juliet)

describe('a room beside a blog', () => {
  let ctx: TestContext
  let hers: FakeSession
  let his: FakeSession

  beforeEach(async () => {
    ctx = await createTestContext()
    hers = ctx.signIn(juliet)
    his = ctx.signIn(romeo)
    await addNode(ctx.index, { address: blog, kind: 'blog', owner: juliet, now: new Date() })
    await ctx.outbox.start()
    await ctx.rooms.start()
  })
  afterEach(() => ctx[Symbol.asyncDispose]())

  async function done(row: { readonly id: number }): Promise<void> {
    const settled = await ctx.outbox.settle(row.id, 30_000)
    assert.deepEqual([settled.status, settled.problem], ['done', undefined])
  }
  async function open(): Promise<RoomRow> {
    await done(await queueRoom(ctx, { owner: juliet, blog, action: 'open', key: 'a' }))
    const room = await findRoomOfBlog(ctx.state, blog)
    assert.ok(room)
    await heard('This room is public')
    return room
  }
  const waiting = async () =>
    (await ctx.state.selectFrom('outbox').select('id').where('status', '=', 'waiting').execute()).length
  const entries = async () => ctx.index.selectFrom('entry').selectAll().where('profile', '=', 'room').execute()
  const heard = (text: string) =>
    until(async () => (await entries()).find(({ excerpt }) => excerpt.includes(text)), {
      what: `"${text}" in the index`,
    })
  async function post(text: string, { item = 'balcony', updated = new Date() } = {}): Promise<ItemAddress> {
    const address = { ...blog, item: asItemId(item) }
    const draft = { title: text, text, tags: [], language: 'en', summary: '', comments: false }
    const author = { jid: juliet, name: 'Juliet' }
    const payload = writeEntry({ draft, address, author, atomId: `tag:${item}`, published: new Date(0), updated })
    await ingest(ctx, { kind: 'published', address, item: { id: address.item, payload, publisher: juliet } })
    return address
  }
  const announced = async (address: ItemAddress, channel: RoomRow['channel']) => {
    const node = await findNode(ctx.index, talkNode(channel))
    return node && findAnnouncement(ctx.index, node.id, address)
  }
  async function joinAs(session: FakeSession, { channel }: RoomRow, nick: string): Promise<void> {
    const action = 'join' as const
    await done(await queueRoomMember(ctx, { jid: session.jid, channel, action, nick }))
    ctx.site.emit({
      kind: 'published',
      address: { service: channel, node: NS.MIX_PARTICIPANTS, item: asItemId(nick) },
    })
    await ctx.rooms.idle()
  }
  const archive = async ({ channel }: RoomRow): Promise<readonly RoomMessage[]> =>
    (await ctx.site.mix.readArchive(channel)).messages

  it('says first that it is public, and where', async () => {
    const room = await open()
    const [first] = await archive(room)
    assert.match(first ? readRoomWords(first.payload).text : '', /public.*https:\/\/blog\.example\/@juliet\/room/)
    assert.equal(room.status, 'open')
  })

  it('is told of a new post once, of its changes, and of its end', async () => {
    const room = await open()
    const address = await post('Whose name?')
    const first = await until(() => announced(address, room.channel), { what: 'the announcement' })
    await post('A rose', { updated: new Date(Date.now() + 5) })
    await until(async () => (await announced(address, room.channel))?.version !== first.version, { what: 'the change' })
    await ingest(ctx, { kind: 'retracted', address })
    await until(async () => (await announced(address, room.channel)) === undefined, { what: 'the end' })
    const words = (await archive(room)).slice(1).map(({ payload }) => readRoomWords(payload))
    assert.equal(words.length, 3)
    assert.match(words[0]?.text ?? '', /^Whose name\?\nhttps:\/\/blog\.example\/@juliet\/balcony$/)
    assert.ok(words[0]?.entry?.is('entry', NS.ATOM))
    assert.deepEqual([words[1]?.replaces, words[2]?.retracts], [first.item, first.item])
  })

  it('takes answers to an announcement, and answers to those, as comments of the post; the rest is talk', async () => {
    const room = await open()
    const address = await post('Whose name?')
    const announcement = await until(() => announced(address, room.channel), { what: 'the announcement' })
    await joinAs(his, room, 'Romeo')
    const { channel } = room
    const inReplyTo = { ...talkNode(channel), item: announcement.item }
    await done(
      await queueRoomMessage(ctx, {
        account: romeo,
        channel,
        key: '1',
        text: 'By any other @juliet@capulet.example',
        inReplyTo,
      }),
    )
    const answer = await heard('By any other')
    const to = { ...talkNode(channel), item: answer.item }
    await done(await queueRoomMessage(ctx, { account: romeo, channel, key: '2', text: 'would smell', inReplyTo: to }))
    await done(await queueRoomMessage(ctx, { account: romeo, channel, key: '3', text: 'Nice weather' }))
    const second = await heard('would smell')
    const talk = await heard('Nice weather')
    assert.deepEqual([answer.author, answer.rootItem, answer.replyItem], [romeo, address.item, address.item])
    assert.deepEqual(JSON.parse(answer.more), {
      ...{ kind: 'answer', nick: 'Romeo', mentions: [juliet] },
      marks: [{ at: 25, jid: juliet }],
    })
    assert.deepEqual([second.rootItem, second.replyItem], [address.item, answer.item])
    assert.deepEqual([talk.rootItem, JSON.parse(talk.more)], [null, { kind: 'talk', nick: 'Romeo' }])
  })

  it('believes no name, address or announcement but those of the channel', async () => {
    const room = await open()
    const address = await post('Whose name?')
    await until(() => announced(address, room.channel), { what: 'the announcement' })
    await joinAs(his, room, 'Romeo')
    const other = { ...blog, item: asItemId('other') }
    await his.sendMessage({
      to: room.channel,
      type: 'groupchat',
      id: 'forged',
      body: 'I am Juliet',
      thread: `xmpp:${juliet}?;node=${NS.MICROBLOG};item=${other.item}`,
      payloads: [
        el('mix', { xmlns: 'urn:xmpp:mix:core:1' }, el('nick', {}, 'Juliet'), el('jid', {}, juliet)),
        el('stanza-id', { xmlns: 'urn:xmpp:sid:0', by: room.channel, id: '1' }),
        el('entry', { xmlns: NS.ATOM }, el('title', {}, 'Forged')),
      ],
    })
    const found = await heard('I am Juliet')
    assert.deepEqual([found.author, found.publisher], [romeo, romeo])
    // Whoever may say what they answer may say so of any post of the blog.
    assert.deepEqual(JSON.parse(found.more), { kind: 'answer', nick: 'Romeo' })
  })

  it('lets only its writer correct a message, and only them and the owner take it back', async () => {
    const room = await open()
    await joinAs(his, room, 'Romeo')
    const { channel } = room
    await done(await queueRoomMessage(ctx, { account: juliet, channel, key: '1', text: 'Good night' }))
    const hersSaid = await heard('Good night')
    const say = (session: FakeSession, id: string, payload: Parameters<typeof el>) =>
      session.sendMessage({ to: channel, type: 'groupchat', id, body: 'changed', payloads: [el(...payload)] })
    await say(his, 'c1', ['replace', { xmlns: NS.CORRECT, id: hersSaid.item }])
    await say(his, 'c2', ['retract', { xmlns: NS.RETRACT, id: hersSaid.item }])
    await ctx.rooms.idle()
    assert.equal((await heard('Good night')).item, hersSaid.item)
    await say(hers, 'c3', ['replace', { xmlns: NS.CORRECT, id: hersSaid.item }])
    const changed = await heard('changed')
    assert.deepEqual([changed.item, changed.publishedAt], [hersSaid.item, hersSaid.publishedAt])

    await done(await queueRoomMessage(ctx, { account: romeo, channel, key: '2', text: 'Parting' }))
    const his1 = { ...talkNode(channel), item: (await heard('Parting')).item }
    await done(await queueRoomRetraction(ctx, { by: juliet, address: his1 }))
    await until(async () => (await entries()).every(({ item }) => item !== his1.item), { what: 'its end' })
    const all = await entries()
    await ctx.index.deleteFrom('entry').execute()
    await ctx.index.updateTable('node').set({ archiveCursor: null }).where('kind', '=', 'room').execute()
    await ctx.index.deleteFrom('tombstone').execute()
    ctx.site.setStatus('waiting')
    ctx.site.setStatus('online')
    const texts = (rows: typeof all) => rows.map(({ item, html, more }) => [item, html, more])
    // As long as the archive is read, a message is there before what changed it or took it back.
    const same = async () => isDeepStrictEqual(texts(await entries()), texts(all))
    await until(same, { what: 'the same again from the archive' })
    await ctx.rooms.idle()
    assert.deepEqual(texts(await entries()), texts(all))
  })

  it('catches up with 300 messages that were missed, each once, and what comes meanwhile', async () => {
    const room = await open()
    await joinAs(his, room, 'Romeo')
    ctx.site.setStatus('waiting')
    for (let count = 0; count < 300; count++)
      await his.sendMessage({ to: room.channel, type: 'groupchat', id: `m${count}`, body: `Message ${count}.` })
    ctx.site.setStatus('online')
    await his.sendMessage({ to: room.channel, type: 'groupchat', id: 'late', body: 'Message late.' })
    await heard('Message late.')
    await ctx.rooms.idle()
    const all: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await ctx.site.mix.readArchive(room.channel, { ...(after && { after }) })
      all.push(...page.messages.map(({ id }) => id))
      if (page.isComplete) break
      after = page.last
    }
    const rows = await entries()
    assert.deepEqual(rows.map(({ item }) => item as string).sort(), all.sort())
    assert.equal(rows.length, 302)
  })

  it('is told of a post once, also where Canto ended before it heard so', async () => {
    const room = await open()
    const address = await post('Whose name?')
    await until(() => announced(address, room.channel), { what: 'the announcement' })
    await until(async () => (await waiting()) === 0, { what: 'the row to be done' })
    await ctx.index.deleteFrom('entry').where('rootItem', '=', address.item).execute()
    const again = { status: 'waiting', attempts: 1, acknowledgedAt: null } as const
    await ctx.state.updateTable('outbox').set(again).where('kind', '=', 'announce').execute()
    ctx.outbox.wake(ctx.siteJid)
    await until(() => announced(address, room.channel), { what: 'the announcement again' })
    assert.equal((await archive(room)).length, 2)
  })

  it('stays quick where 9,000 messages were said in a day, and takes in no more than 20,000', async () => {
    const room = await open()
    const node = await findNode(ctx.index, talkNode(room.channel))
    const [first] = await entries()
    const say = async (words: string) => {
      for (let count = 0; count < 150; count++) {
        await hers.sendMessage({
          to: room.channel,
          type: 'groupchat',
          id: `${words}${count}`,
          body: `${words} ${count}`,
        })
      }
      await ctx.rooms.idle()
    }
    const quick = await cpuTimeOf(() => say('Prologue'))
    assert.ok(node && first)
    const { id: _, ...row } = first
    const rows = Array.from({ length: 20_000 }, (_each, count) => ({ ...row, item: asItemId(`filled-${count}`) }))
    for (let at = 0; at < rows.length; at += 200) {
      await ctx.index
        .insertInto('entry')
        .values(rows.slice(at, at + 200))
        .execute()
    }
    await hers.sendMessage({ to: room.channel, type: 'groupchat', id: 'x', body: 'One too many' })
    await ctx.rooms.idle()
    assert.ok((await entries()).every(({ excerpt }) => excerpt !== 'One too many'))
    await ctx.index.deleteFrom('entry').where('item', 'like', asItemId('filled-1%')).execute()
    const late = await cpuTimeOf(() => say('Line'))
    assert.ok(late < 4 * quick, `150 messages took ${late} ms, the first ones ${quick} ms`)
    assert.equal((await entries()).filter(({ excerpt }) => excerpt.startsWith('Line ')).length, 150)
  })

  it('is gone with all that was said when it is closed', async () => {
    const room = await open()
    await done(await queueRoom(ctx, { owner: juliet, blog, action: 'close', key: 'b' }))
    assert.equal(await findRoomOfBlog(ctx.state, blog), undefined)
    assert.deepEqual(await entries(), [])
    await assert.rejects(hers.mix.join(room.channel), /no such channel/)
  })
})
