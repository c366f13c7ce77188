import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { scanNews } from '#server/feeds/notify/scan.ts'
import { READER } from '#server/feeds/reader.ts'
import { createRemaker } from '#server/feeds/remaker.ts'
import { saveAccount } from '#server/store/account.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode, updateNode } from '#server/store/node.ts'
import { asItemId } from '#shared/address.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { until } from '#test/support/until.ts'
import { BLOG, commentsLink, entryOf, itemOf, JULIET, knowBlog, publishTo, ROMEO, THREAD } from './fixtures.ts'

const REMAKING = fileURLToPath(new URL('./remaking.ts', import.meta.url))

/** Turns entries into those of an older Canto: its reading of the payloads, without any column that came since. */
async function makeOld({ index }: TestContext): Promise<void> {
  await sql`UPDATE entry SET reader = 0, title = 'old', html = '<p>old</p>', excerpt = 'old', tags = '["old"]',
    claimed_name = 'Ro' || char(8203) || 'meo', more = '{}', look = NULL`.execute(index)
  await sql`DELETE FROM tag`.execute(index)
  await sql`UPDATE person SET name = char(12644)`.execute(index)
}

async function seed(ctx: TestContext): Promise<void> {
  await knowBlog(ctx)
  const more = `${commentsLink(THREAD)}<category term='Ver\u200bona'/>`
  await publishTo(ctx, itemOf(BLOG, 'balcony'), {
    payload: entryOf({ more, author: JULIET, name: 'Juliet' }),
    publisher: JULIET,
  })
  const text = `[@Juliet](xmpp:${JULIET}), it is the east`
  const payload = entryOf({
    title: 'x\u2800',
    text,
    author: ROMEO,
    name: 'Ro\u200bmeo',
    updated: '2026-01-03T00:00:00Z',
  })
  await publishTo(ctx, itemOf(THREAD, 'c1'), { payload, publisher: ROMEO })
}

/** Older posts of the same words. */
async function addPosts({ index }: TestContext, count: number): Promise<void> {
  await sql`WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < ${count})
    INSERT INTO entry (node_id, item, credit, is_post, title, excerpt, html, published_at, updated_at, payload,
      first_seen_at, changed_at, arrived_at, author, publisher)
    SELECT node_id, 'p' || n, credit, is_post, title, excerpt, html, published_at - n * 1000, updated_at, payload,
      first_seen_at, changed_at, arrived_at, author, publisher FROM copy, entry WHERE item = 'balcony'`.execute(index)
}

async function remakeAll(ctx: TestContext): Promise<void> {
  const remaker = createRemaker(ctx)
  remaker.start()
  await remaker.idle()
}

async function readEntries({ index }: TestContext) {
  const { rows } = await sql<Record<string, unknown>>`SELECT * FROM entry ORDER BY id`.execute(index)
  return rows
}

/** An index file of an older Canto. Returns its entries. */
async function makeOldIndex(indexPath: string) {
  await using ctx = await createTestContext({ indexPath })
  await seed(ctx)
  const heart = entryOf({ title: '♥', text: '♥', author: ROMEO, name: 'Romeo', updated: '2026-01-02T12:00:00Z' })
  await publishTo(ctx, itemOf(THREAD, 'heart'), { payload: heart, publisher: ROMEO })
  await sql`DELETE FROM reaction`.execute(ctx.index)
  await sql`UPDATE entry SET is_like = 0`.execute(ctx.index)
  await addPosts(ctx, 120)
  await makeOld(ctx)
  return readEntries(ctx)
}

/** Until it kills itself, or has made everything. */
async function liveOnce(indexPath: string, deadly: number) {
  const child = spawn(process.execPath, [REMAKING, indexPath, String(deadly)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code, signal] = await once(child, 'exit')
  return { code, signal }
}

describe('entries of an older version', () => {
  it('are made anew from their payloads, as if they came now, but for when they came', async () => {
    await using ctx = await createTestContext()
    await seed(ctx)
    const fresh = await readEntries(ctx)
    await makeOld(ctx)
    const remaker = createRemaker(ctx)
    remaker.start()
    await remaker.idle()
    assert.deepEqual(await readEntries(ctx), fresh)
    const tags = await ctx.index.selectFrom('tag').select('tag').execute()
    assert.deepEqual(tags, [{ tag: 'verona' }])
    const names = await ctx.index.selectFrom('person').select(['jid', 'name']).orderBy('jid').execute()
    assert.deepEqual(names, [
      { jid: JULIET, name: 'Juliet' },
      { jid: ROMEO, name: 'Romeo' },
    ])
  })

  it('are made anew also where what a blog says of itself cannot be', async () => {
    await using ctx = await createTestContext()
    await seed(ctx)
    const fresh = await readEntries(ctx)
    await makeOld(ctx)
    const [metadataPayload, title] = [`<feed xmlns='http://www.w3.org/2005/Atom'><title>Bad</title></feed>`, 'Good']
    await updateNode(ctx.index, BLOG, { metadataPayload, title })
    await sql`CREATE TRIGGER refuse BEFORE UPDATE OF title ON node BEGIN SELECT RAISE(ABORT, 'no'); END`.execute(
      ctx.index,
    )
    const remaker = createRemaker(ctx)
    remaker.start()
    await remaker.idle()
    assert.deepEqual(await readEntries(ctx), fresh)
  })

  it('tell nobody: no notification, no live event, no date changes', async () => {
    await using ctx = await createTestContext()
    await saveAccount(ctx.state, { jid: JULIET, userAgentId: 'x', createdAt: ctx.clock() })
    await scanNews(ctx)
    await seed(ctx)
    await scanNews(ctx)
    const told = () => ctx.state.selectFrom('notification').selectAll().execute()
    const before = await told()
    assert.equal(before.length, 1)
    const dates = [
      'updated_at',
      'changed_at',
      'arrived_at',
      'published_at',
      'first_seen_at',
      'is_edited',
      'hold',
      'author',
      'publisher',
      'credit',
    ]
    const pick = (rows: Record<string, unknown>[]) => rows.map((row) => dates.map((name) => row[name]))
    const fresh = pick(await readEntries(ctx))
    await makeOld(ctx)
    const events: unknown[] = []
    const { publish } = ctx.live
    const live = { ...ctx.live, publish: (...event: Parameters<typeof publish>) => void events.push(event) }
    const remaker = createRemaker({ ...ctx, live })
    remaker.start()
    await remaker.idle()
    await scanNews(ctx)
    assert.deepEqual(events, [])
    assert.deepEqual(await told(), before)
    assert.deepEqual(pick(await readEntries(ctx)), fresh)
  })

  it('go on where they were after an end in between, the newest first, and let others in meanwhile', async () => {
    await using ctx = await createTestContext()
    await seed(ctx)
    await addPosts(ctx, 600)
    await makeOld(ctx)
    const count = async () => {
      const { rows } = await sql<{
        count: number
      }>`SELECT count(*) AS count FROM entry WHERE reader = ${READER}`.execute(ctx.index)
      return rows[0]?.count ?? 0
    }
    const first = createRemaker(ctx)
    first.start()
    let turns = 0
    await until(async () => {
      turns++
      return (await count()) > 40
    })
    await first.stop()
    const done = await count()
    assert.ok(done > 40 && done < 602, `${done} were made`)
    assert.ok(turns > 1, 'others have their turns')
    // The newest ones are those that were made.
    const { rows } = await sql<{ oldest: number; newest: number }>`SELECT
      (SELECT min(published_at) FROM entry WHERE reader = ${READER}) AS oldest,
      (SELECT max(published_at) FROM entry WHERE reader = 0) AS newest`.execute(ctx.index)
    assert.ok((rows[0]?.oldest ?? 0) >= (rows[0]?.newest ?? 0))
    const second = createRemaker(ctx)
    second.start()
    await second.idle()
    assert.equal(await count(), 602)
  })

  it('are each of one version or the other, whenever the process is killed, and all of this one in the end', async () => {
    await using folder = await createTestFolder()
    const [path, copy] = [folder.file('index.sqlite'), folder.file('copy.sqlite')]
    const old = await makeOldIndex(path)
    await using ctx = await createTestContext({ indexPath: path })
    await sql`VACUUM INTO ${copy}`.execute(ctx.index)
    await using untroubled = await createTestContext({ indexPath: copy })
    await remakeAll(untroubled)
    const made = await readEntries(untroubled)
    let before = 0
    for (const deadly of [2, 40, 55]) {
      const { signal } = await liveOnce(path, deadly)
      assert.equal(signal, 'SIGKILL')
      const rows = await readEntries(ctx)
      const after = rows.filter(({ reader }) => reader === READER).length
      assert.deepEqual(
        rows,
        rows.map(({ reader }, at) => (reader === READER ? made[at] : old[at])),
      )
      assert.ok(
        after >= before + deadly - 11 && after < before + deadly,
        `${after} after ${before}, killed at ${deadly}`,
      )
      before = after
    }
    assert.deepEqual(await liveOnce(path, 0), { code: 0, signal: null })
    assert.deepEqual(await readEntries(ctx), made)
    for (const table of ['tag', 'person', 'reaction', 'node'] as const) {
      const read = ({ index }: TestContext) => index.selectFrom(table).selectAll().execute()
      assert.deepEqual(await read(ctx), await read(untroubled), table)
    }
  })

  it('are all made but the one that cannot be, which stays as it was and is not tried again', async () => {
    await using ctx = await createTestContext()
    await seed(ctx)
    await addPosts(ctx, 30)
    await makeOld(ctx)
    await sql`CREATE TRIGGER refuse BEFORE UPDATE OF title ON entry WHEN old.item = 'p7'
      BEGIN SELECT RAISE(ABORT, 'no'); END`.execute(ctx.index)
    await remakeAll(ctx)
    const rows = await readEntries(ctx)
    assert.equal(rows.length, 32)
    for (const { item, title, reader } of rows) {
      assert.equal(title === 'old', item === 'p7', String(item))
      assert.equal(reader, READER)
    }
    assert.equal(ctx.lines.filter((line) => /could not be made anew: no$/.test(line)).length, 1)
  })

  it('leave the index where this version finds nothing in them', async () => {
    await using ctx = await createTestContext()
    await seed(ctx)
    const blank = "<entry xmlns='http://www.w3.org/2005/Atom'><title>\u3164</title></entry>"
    await sql`UPDATE entry SET reader = 0, payload = ${blank} WHERE item = 'c1'`.execute(ctx.index)
    const remaker = createRemaker(ctx)
    remaker.start()
    await remaker.idle()
    const node = await findNode(ctx.index, THREAD)
    assert.ok(node)
    assert.equal(await findEntry(ctx.index, node.id, asItemId('c1')), undefined)
  })
})
