import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { addAuthor } from '#server/feeds/authors.ts'
import { blogOf } from '#server/feeds/blog-of.ts'
import { queueDelete, queuePost } from '#server/feeds/outbox.ts'
import { queueRoom, queueRoomMember, queueRoomMessage, queueRoomRetraction } from '#server/feeds/rooms/queue-room.ts'
import { createRooms, type Rooms } from '#server/feeds/rooms/rooms.ts'
import { listParticipants } from '#server/store/participant.ts'
import { findRoomOfBlog, type RoomRow } from '#server/store/room.ts'
import { talkNode } from '#server/store/room-talk.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { writeEntry } from '#shared/entry.ts'
import { createRealContext, type RealContext } from '#test/support/real-context.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { type SlixmppClient, startSlixmpp } from '#test/support/slixmpp.ts'
import { until } from '#test/support/until.ts'

const MIX = 'urn:xmpp:mix:core:1'

describe('a room beside a blog, on a real ejabberd', () => {
  const end = randomUUID().slice(0, 8)
  let rig: Rig
  let ctx: RealContext
  let author: XmppSession
  let other: SlixmppClient
  let otherJid: string
  let room: RoomRow
  let rooms: Rooms | undefined

  before(async () => {
    rig = await useRig()
    const { domain, service, certificate, register } = rig.ejabberd
    ctx = await createRealContext({ home: rig.ejabberd, siteUser: `site-${end}` })
    author = await ctx.signIn(rig.ejabberd, `author-${end}`)
    await ctx.indexing.start()
    await ctx.outbox.start()
    await ctx.rooms.start()
    await addAuthor(ctx, author.jid)
    await register(`other-${end}`, 'secret')
    otherJid = `other-${end}@${domain}`
    other = await startSlixmpp({ jid: otherJid, password: 'secret', service, certificate })
    await other.presence()
  })
  after(async () => {
    await other?.stop()
    await rooms?.stop()
    await ctx?.[Symbol.asyncDispose]()
    await rig.stop()
  })

  async function done(row: { readonly id: number }): Promise<void> {
    const settled = await ctx.outbox.settle(row.id, 30_000)
    assert.deepEqual([settled.status, settled.problem], ['done', undefined])
  }
  const entries = () => ctx.index.selectFrom('entry').selectAll().where('profile', '=', 'room').execute()
  const heard = (text: string) =>
    until(async () => (await entries()).find(({ html }) => html.includes(text)), {
      what: `"${text}" in the index`,
    })
  const say = (id: string, inner: string) =>
    other.send(`<message xmlns="jabber:client" type="groupchat" id="${id}" to="${room.channel}">${inner}</message>`)
  const post = async (title: string): Promise<ItemAddress> => {
    const draft = { title, text: `${title}!`, tags: [], language: 'en', summary: '', comments: true }
    const row = await queuePost(ctx, { author: author.jid, key: title, draft })
    await done(row)
    return row.address
  }
  const find = (address: ItemAddress) => author.pubsub.findItem(address)

  it('is opened with the author and the site in it, and leads there from the posts', async () => {
    const old = await post('Before the room')
    await done(await queueRoom(ctx, { owner: author.jid, blog: blogOf(author.jid), action: 'open', key: 'open' }))
    const found = await findRoomOfBlog(ctx.state, blogOf(author.jid))
    assert.equal(found?.status, 'open')
    room = found as RoomRow
    await heard('This room is public')
    const link = `href="xmpp:${room.channel}?join"`
    await until(async () => String((await find(old))?.payload).includes(link), { what: 'the link of the older post' })
    const people = await until(
      async () => {
        const there = await listParticipants(ctx.index, room.channel)
        return there.length === 2 ? there : undefined
      },
      { what: 'both in the room' },
    )
    assert.deepEqual(people.map(({ jid }) => jid).sort(), [author.jid, ctx.site.jid].sort())
  })

  it('tells whoever is there of a post, in words and as an entry, and takes their answer for a comment', async () => {
    const joined = await other.iq(
      otherJid,
      'set',
      `<client-join xmlns="urn:xmpp:mix:pam:2" channel="${room.channel}"><join xmlns="${MIX}"><nick>Mercutio</nick>` +
        `<subscribe node="urn:xmpp:mix:nodes:messages"/><subscribe node="urn:xmpp:mix:nodes:participants"/></join></client-join>`,
    )
    assert.match(joined, /type=["']result["']/)
    const address = await post('Whose name')
    assert.match(String((await find(address))?.payload), new RegExp(`title="mix" href="xmpp:${room.channel}\\?join"`))
    const told = await other.hear(({ xml }) => xml?.includes('Whose name') === true, 'the announcement')
    assert.match(told.xml ?? '', /body>Whose name\s+https:\/\/blog\.example/)
    assert.match(told.xml ?? '', /entry [^>]*>.*<\/(ns\d+:)?entry>/s)
    const id = / id=["'](\d+)["']/.exec(told.xml ?? '')?.[1]
    const from = / from=["']([^"']+)/.exec(told.xml ?? '')?.[1]
    await say(
      'a1',
      `<reply xmlns="urn:xmpp:reply:0" id="${id}" to="${from}"/><fallback xmlns="urn:xmpp:fallback:0" for="urn:xmpp:reply:0">` +
        '<body start="0" end="13"/></fallback><mix xmlns="urn:xmpp:mix:core:0"><nick>Forged</nick></mix>' +
        '<body>&gt; Whose name\nA plague on both</body>',
    )
    const answer = await heard('A plague on both')
    assert.deepEqual([answer.author, answer.rootItem, answer.hold], [otherJid, address.item, null])
    assert.deepEqual(JSON.parse(answer.more), { kind: 'answer', nick: 'Mercutio' })
    assert.doesNotMatch(answer.html, /Whose name/)
    await say('a2', `<thread>xmpp:${author.jid};node=x;item=y</thread><body>Nice weather</body>`)
    assert.equal((await heard('Nice weather')).rootItem, null)

    const { channel } = room
    const inReplyTo = { ...talkNode(channel), item: answer.item }
    const row = await queueRoomMessage(ctx, { account: author.jid, channel, key: 'r', text: 'And on yours', inReplyTo })
    await done(row)
    const mine = await heard('And on yours')
    assert.deepEqual([mine.author, mine.rootItem, mine.replyItem], [author.jid, address.item, answer.item])
    const seen = await other.hear(({ xml }) => xml?.includes('And on yours') === true, 'the answer')
    assert.match(seen.xml ?? '', new RegExp(`urn:xmpp:reply:0.*${answer.item}|${answer.item}.*urn:xmpp:reply:0`, 's'))

    await done(await queueRoomRetraction(ctx, { by: author.jid, address: inReplyTo }))
    await other.hear(({ xml }) => xml?.includes('message-retract:1') === true, 'the retraction')
    await until(async () => (await entries()).every(({ item }) => item !== answer.item), { what: 'its end' })

    await done(await queueDelete(ctx, { author: author.jid, address }))
    const isEnd = (xml: string | undefined) => xml?.includes('message-retract:1') === true && xml.includes(String(id))
    await other.hear(({ xml }) => isEnd(xml), 'the end of the announcement')
  })

  it('tells of a post that another client published', async () => {
    const address = { ...blogOf(author.jid), item: asItemId(`elsewhere-${end}`) }
    const draft = { title: 'From elsewhere', text: 'x', tags: [], language: 'en', summary: '', comments: false }
    const parts = { draft, address, author: { jid: author.jid, name: 'A' }, atomId: 'tag:x' }
    const now = new Date()
    await author.pubsub.publishItem(address, writeEntry({ ...parts, published: now, updated: now }))
    await other.hear(({ xml }) => xml?.includes('From elsewhere') === true, 'the announcement')
  })

  it('has after 500 messages that were missed what its archive has, and again after the index was emptied', async () => {
    await ctx.rooms.stop()
    for (let count = 0; count < 500; count++) await say(`m${count}`, `<body>Message ${count}.</body>`)
    const { mix } = ctx.site
    const said = async () => {
      const ids: string[] = []
      for (let last: string | undefined; ; ) {
        const page = await mix.readArchive(room.channel, { ...(last && { after: last }) })
        ids.push(...page.messages.filter(({ payload }) => payload.getChild('body')).map(({ id }) => id))
        if (page.isComplete) return ids
        last = page.last
      }
    }
    await other.hear(({ xml }) => xml?.includes('Message 499.') === true, 'the last message')
    assert.ok((await said()).length >= 500)
    rooms = createRooms(ctx)
    await rooms.start()
    const count = async (words: string) => {
      const talk = ctx.index.selectFrom('entry').where('profile', '=', 'room').where('excerpt', 'like', words)
      const row = await talk.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
      return row.count
    }
    await until(async () => (await count('Message %')) === 500, { what: 'all of it', timeout: 90_000 })
    const archived = new Set<string>(await said())
    assert.ok((await entries()).every(({ item }) => archived.has(item)))
    const texts = async () =>
      (await entries()).map(({ item, html, more, publishedAt }) => [item, html, more, publishedAt]).sort()
    const before = await texts()
    await ctx.indexing.reindex()
    // As long as the archive is read, a message is there before what changed it or took it back.
    const same = async () => isDeepStrictEqual(await texts(), before)
    await until(same, { what: 'the same again', timeout: 90_000 })
  })

  it('lets a reader join, speak and leave, and is closed for good', async () => {
    const reader = await ctx.signIn(rig.ejabberd, `reader-${end}`)
    const { channel } = room
    await done(await queueRoomMember(ctx, { jid: reader.jid, channel, action: 'join', nick: 'Benvolio' }))
    await done(await queueRoomMessage(ctx, { account: reader.jid, channel, key: 'b', text: 'I do but keep the peace' }))
    await other.hear(({ xml }) => xml?.includes('keep the peace') === true, 'the reader')
    await done(await queueRoomMember(ctx, { jid: reader.jid, channel, action: 'leave' }))
    await assert.rejects(queueRoomMessage(ctx, { account: reader.jid, channel, key: 'c', text: 'x' }), /Join the room/)
    await done(await queueRoom(ctx, { owner: author.jid, blog: blogOf(author.jid), action: 'close', key: 'close' }))
    assert.equal(await findRoomOfBlog(ctx.state, blogOf(author.jid)), undefined)
    await assert.rejects(author.disco.readInfo(channel))
  })

  it('is not offered to an account on Prosody', async () => {
    const stranger = await ctx.signIn(rig.prosody, `stranger-${end}`)
    ctx.rooms.mayUse(stranger.jid)
    assert.equal(await until(() => ctx.rooms.mayUse(stranger.jid) === false, { what: 'the answer' }), true)
    const row = await queueRoom(ctx, { owner: stranger.jid, blog: blogOf(stranger.jid), action: 'open', key: 'p' })
    const settled = await ctx.outbox.settle(row.id, 30_000)
    assert.deepEqual([settled.status, settled.reason], ['refused', 'not-implemented'])
  })
})
