import assert from 'node:assert/strict'
import { it } from 'node:test'
import { blogOf } from '#server/feeds/blog-of.ts'
import { readParticipants } from '#server/feeds/rooms/participants.ts'
import { saveAccount } from '#server/store/account.ts'
import { listParticipants } from '#server/store/participant.ts'
import { findRoomMember, type RoomRow, saveRoom } from '#server/store/room.ts'
import type { Participant } from '#server/xmpp/ports.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { JULIET, ROMEO } from './fixtures.ts'

const CHANNEL = jidOf('room@mix.example')
const ROOM: RoomRow = { blog: blogOf(JULIET), channel: CHANNEL, owner: JULIET, since: new Date(0), status: 'open' }

function crowd(count: number, from = 0): Participant[] {
  return Array.from({ length: count }, (_, n) => {
    const id = String(from + n)
    return { id, jid: jidOf(`p${id}@evil.example`), nick: `P ${id}` }
  })
}

async function read(ctx: TestContext, people: readonly Participant[]): Promise<void> {
  const mix = { ...ctx.site.mix, listParticipants: async () => people }
  await readParticipants(ctx, ROOM, { ...ctx.site, mix } as typeof ctx.site)
}

const countRows = async ({ index }: TestContext) =>
  (await index.selectFrom('participant').select('id').where('channel', '=', CHANNEL).execute()).length

it('writes no more than what is new when somebody comes into a full room', async () => {
  await using ctx = await createTestContext()
  await saveRoom(ctx.state, ROOM)
  ctx.setNow('2026-03-01T12:00:00Z')
  await read(ctx, crowd(3_000))
  ctx.setNow('2026-03-01T12:00:01Z')
  await read(ctx, [
    ...crowd(2_999),
    { id: '2999', jid: jidOf('p2999@evil.example'), nick: 'Renamed' },
    ...crowd(1, 3_000),
  ])
  const query = ctx.index.selectFrom('participant').select('id').orderBy('id')
  const written = await query.where('seenAt', '=', Date.parse('2026-03-01T12:00:01Z')).execute()
  assert.deepEqual(
    written.map(({ id }) => id),
    ['2999', '3000'],
  )
  const people = await listParticipants(ctx.index, CHANNEL, { limit: 5_000 })
  assert.equal(people.find(({ id }) => id === '2999')?.nick, 'Renamed')
})

it('knows who of the site is in it, and again after they left', async () => {
  await using ctx = await createTestContext()
  await saveRoom(ctx.state, ROOM)
  await saveAccount(ctx.state, { jid: ROMEO, userAgentId: 'a', createdAt: ctx.clock() })
  const romeo = { id: 'r', jid: ROMEO, nick: 'Romeo' }
  const isIn = async () => (await findRoomMember(ctx.state, CHANNEL, ROMEO))?.participant === 'r'
  for (const people of [[romeo], [], [romeo]]) {
    await read(ctx, [...crowd(3), ...people])
    assert.equal(await isIn(), people.length === 1)
  }
})

it('does not keep everybody who ever came for a moment', async () => {
  await using ctx = await createTestContext()
  await saveRoom(ctx.state, ROOM)
  for (let n = 0; n < 4; n++) await read(ctx, crowd(4_000, n * 4_000))
  assert.ok((await countRows(ctx)) <= 10_000, String(await countRows(ctx)))
  assert.equal((await listParticipants(ctx.index, CHANNEL, { limit: 5_000 })).length, 4_000)
})
