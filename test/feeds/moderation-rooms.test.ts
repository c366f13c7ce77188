import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blogOf } from '#server/feeds/blog-of.ts'
import { ingest } from '#server/feeds/ingest.ts'
import { decide } from '#server/feeds/moderation/decide.ts'
import { putBack, removeComment } from '#server/feeds/moderation/remove.ts'
import { queueRoom, queueRoomMember } from '#server/feeds/rooms/queue-room.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { findDecision } from '#server/store/decision.ts'
import { findJudged } from '#server/store/judged-entry.ts'
import { addNode, findNode } from '#server/store/node.ts'
import { findRoomOfBlog } from '#server/store/room.ts'
import { findAnnouncement } from '#server/store/room-entry.ts'
import { talkNode } from '#server/store/room-talk.ts'
import { asItemId } from '#shared/address.ts'
import { NS } from '#shared/ns.ts'
import { createElement as el } from '#shared/xml.ts'
import { createTestContext } from '#test/support/context.ts'
import { until } from '#test/support/until.ts'
import { entryOf, itemOf, JULIET, ROMEO } from './fixtures.ts'

const BLOG = blogOf(JULIET)
const POST = itemOf(BLOG, 'balcony')

describe('an answer in a room', () => {
  it('waits, is approved, removed by a retraction and shown again as any comment', async () => {
    await using ctx = await createTestContext()
    ctx.signIn(JULIET)
    const romeo = ctx.signIn(ROMEO)
    await addAuthorRow(ctx.state, JULIET, ctx.clock())
    await ctx.outbox.start()
    await ctx.rooms.start()
    const done = async (row: { readonly id: number } | undefined) => {
      const last = await ctx.outbox.settle(row?.id ?? 0, 30_000)
      assert.equal(last.status, 'done', last.problem)
    }
    const blog = { address: BLOG, kind: 'blog', owner: JULIET, now: ctx.clock() } as const
    await addNode(ctx.index, blog)
    await done(await queueRoom(ctx, { owner: JULIET, blog: BLOG, action: 'open', key: 'a' }))
    const room = await findRoomOfBlog(ctx.state, BLOG)
    assert.ok(room)
    const { channel } = room
    await done(await queueRoomMember(ctx, { jid: ROMEO, channel, action: 'join', nick: 'Romeo' }))
    const joined = { service: channel, node: NS.MIX_PARTICIPANTS, item: asItemId('Romeo') }
    ctx.site.emit({ kind: 'published', address: joined })
    await ctx.rooms.idle()
    const item = { id: POST.item, payload: entryOf({ published: new Date().toISOString() }), publisher: JULIET }
    await ingest(ctx, { kind: 'published', address: POST, item })
    const announced = await until(async () => {
      const node = await findNode(ctx.index, talkNode(channel))
      return node && findAnnouncement(ctx.index, node.id, POST)
    })
    const reply = el('reply', { xmlns: NS.REPLY, to: channel, id: announced.item })
    await romeo.sendMessage({
      ...{ to: channel, type: 'groupchat', id: 'his', body: 'See https://spam.example/', payloads: [reply] },
    })
    const held = await until(async () => {
      const rows = await ctx.index.selectFrom('entry').selectAll().where('profile', '=', 'room').execute()
      return rows.find(({ excerpt }) => excerpt.includes('spam.example'))
    })
    const address = { ...talkNode(channel), item: held.item }
    const holdNow = async () => (await findJudged(ctx.index, address))?.hold
    assert.equal(await holdNow(), 'held')
    assert.deepEqual((await findDecision(ctx.state, address))?.post, POST)
    await decide(ctx, { by: JULIET, address, what: 'approved' })
    assert.equal(await holdNow(), undefined)
    await done(await removeComment(ctx, { by: JULIET, address }))
    assert.equal(await holdNow(), 'removed')
    const { messages } = await ctx.site.mix.readArchive(channel)
    assert.match(String(messages.at(-1)?.payload), /message-retract/)
    await ctx.rooms.idle()
    assert.equal(await holdNow(), 'removed')
    await putBack(ctx, { by: JULIET, address })
    assert.equal(await holdNow(), undefined)
  })
})
