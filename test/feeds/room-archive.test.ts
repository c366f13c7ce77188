import assert from 'node:assert/strict'
import { it } from 'node:test'
import { blogOf } from '#server/feeds/blog-of.ts'
import { ingest } from '#server/feeds/ingest.ts'
import { catchUpRoom } from '#server/feeds/rooms/catch-up.ts'
import { addAuthorRow } from '#server/store/author.ts'
import { addNode } from '#server/store/node.ts'

import { type RoomRow, saveRoom } from '#server/store/room.ts'
import { createElement as el } from '#shared/xml.ts'
import { createTestContext, jidOf, type TestContext } from '#test/support/context.ts'
import { readCpuTime } from '#test/support/cpu-time.ts'
import { entryOf, itemOf, JULIET } from './fixtures.ts'

const MESSAGES = 10_000
const PEOPLE = 200
const BLOG = blogOf(JULIET)
const POST = itemOf(BLOG, 'balcony')

/** A room in which 200 people talked while nobody here listened; every tenth message answers the post. */
async function fillRoom(ctx: TestContext): Promise<RoomRow> {
  const juliet = ctx.signIn(JULIET)
  await addAuthorRow(ctx.state, JULIET, ctx.clock())
  await addNode(ctx.index, { address: BLOG, kind: 'blog', owner: JULIET, now: ctx.clock() })
  const item = { id: POST.item, payload: entryOf({ published: '2026-01-01T00:00:00Z' }), publisher: JULIET }
  await ingest(ctx, { kind: 'published', address: POST, item })
  const channel = await juliet.mix.createChannel(jidOf('mix.example'))
  const room: RoomRow = { blog: BLOG, channel, owner: JULIET, since: ctx.clock(), status: 'open' }
  await saveRoom(ctx.state, room)
  await ctx.site.mix.join(channel)
  const people = Array.from({ length: PEOPLE }, (_, n) => ctx.signIn(jidOf(`p${n}@server${n}.example`)))
  for (const { jid, mix } of people) await mix.join(channel, `Nr ${jid}`)
  await juliet.mix.join(channel, 'Juliet')
  const thread = el('thread', {}, `xmpp:${BLOG.service}?;node=${BLOG.node};item=${POST.item}`)
  for (let n = 0; n < MESSAGES; n++) {
    const payloads = n % 10 === 0 ? [thread] : []
    await people[n % PEOPLE]?.sendMessage({ to: channel, type: 'groupchat', body: `Words ${n}`, payloads })
  }
  return room
}

it('reads 10,000 messages of a room in one go, in time that grows with their number alone, while others are served', async () => {
  await using ctx = await createTestContext()
  const room = await fillRoom(ctx)
  const { signal } = new AbortController()
  const times: number[] = []
  const { site } = ctx
  let began = readCpuTime()
  const readArchive: typeof site.mix.readArchive = async (...question) => {
    times.push(readCpuTime() - began)
    began = readCpuTime()
    return site.mix.readArchive(...question)
  }
  let turns = 0
  const others = setInterval(() => turns++, 1)
  const deps = { ...ctx, config: {}, site: { ...site, mix: { ...site.mix, readArchive } } }
  const isRead = await catchUpRoom(deps, room, signal)
  clearInterval(others)
  times.push(readCpuTime() - began)
  assert.equal(isRead, true)
  const rows = await ctx.index.selectFrom('entry').select('rootItem').where('profile', '=', 'room').execute()
  assert.equal(rows.length, MESSAGES)
  const all = times.slice(1).reduce((sum, time) => sum + time, 0)
  // Those that nothing else held up.
  const part = (pages: readonly number[]) => Math.min(...pages)
  const [first, last] = [part(times.slice(2, 10)), part(times.slice(-8))]
  console.log(
    `# ${(all / MESSAGES).toFixed(2)} ms a message; first pages ${first.toFixed(0)} ms, last ${last.toFixed(0)} ms; others had ${turns} turns; ${rows.filter(({ rootItem }) => rootItem !== null).length} answers`,
  )
  assert.ok(last < 2.5 * first, `the last pages took ${last} ms each, the first ${first} ms`)
  assert.ok(turns > MESSAGES / 100, `others had ${turns} turns while ${MESSAGES} messages were read`)
})
