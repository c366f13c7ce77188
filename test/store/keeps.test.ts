import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { sql } from 'kysely'
import { readConfig } from '#server/config.ts'
import { queuePost, queueSettings } from '#server/feeds/queue.ts'
import { requestUpload } from '#server/feeds/upload.ts'
import { keepDraft, rescueDraft } from '#server/people/drafts.ts'
import { KEEPS, type KeepName, USUAL_BOUNDS } from '#server/store/keeps.ts'
import { listOutbox, updateOutboxRow } from '#server/store/outbox.ts'
import { addReadMarks } from '#server/store/read-mark.ts'
import { forgetOldest, measureKept } from '#server/store/space-left.ts'
import { asItemId } from '#shared/address.ts'
import { BLOG, itemOf, JULIET, ROMEO } from '#test/feeds/fixtures.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'

const INSTANTS = /^(?:.*At|since|at|nextTry|readUntil|baseUpdated)$/

/** Tables that the table of what an account may keep leaves out, and what bounds them instead. */
const BOUNDED_OTHERWISE: Readonly<Record<string, string>> = {
  author:
    'one row an account; of the posts that would become public 2,000 are listed, by ids of 2 MB in all (blog-node.ts)',
  reader: 'one row an account, which says nothing of its own length',
  account: 'one row an account: its name is of one line, its token of 4,000 characters (tokens.ts)',
  signInFailure: 'forgotten after 15 minutes; a network is stopped after 20 (throttle.ts)',
  setting: 'what Canto itself notes, by names of its own',
  decision: 'one row a comment that is in the index; of the copies the oldest are forgotten (decision.ts)',
  thread: 'one row a post, by the owner of its blog',
  siteBlock: 'what operators block',
  report: 'five an hour from one sender, 2,000 in all, 1,000 characters each (moderation/report.ts)',
  notification: 'the newest 1,000 of an account (notify.ts)',
  follower: '10,000 a blog (notify/followers.ts)',
  room: 'one row a blog',
  roomMember: 'one row an account and room that is made here, by names of 100 characters',
  proof: '20 an hour from one sender, 5,000 in all, 5,000 characters each (proofs/ask.ts)',
  ownAccess: 'one row a node of the account that is in the index, with 20 characters of its server (own-access.ts)',
  changedWish: 'one row a node whose followers changed, until it is looked at a moment later',
  markedWords: 'written once, at an upgrade',
}

async function listTextColumns(ctx: TestContext): Promise<Map<string, string[]>> {
  const state = ctx.state.withoutPlugins()
  const tables = await sql<{ name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'
    AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'kysely_%'`.execute(state)
  const found = new Map<string, string[]>()
  for (const { name } of tables.rows) {
    const columns = await sql<{
      name: string
      type: string
    }>`SELECT name, type FROM pragma_table_info(${name})`.execute(state)
    const texts = columns.rows
      .filter(({ type }) => type.toLowerCase() !== 'integer')
      .map((column) => camel(column.name))
    found.set(camel(name), texts)
  }
  return found
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

const draftOf = (id: string, more: object = {}) => {
  const words = { title: '', text: 'But soft', tags: '', language: 'en', summary: '', comments: true }
  return { jid: JULIET, id, ...words, updatedAt: new Date('2026-11-22T20:00:00Z'), ...more }
}
const postOf = (text: string) => ({ title: '', text, tags: [], language: 'en', summary: '', comments: false })

describe('what an account may keep', () => {
  it('counts every column of text of the state, or says what bounds it', async () => {
    await using ctx = await createTestContext()
    const tables = await listTextColumns(ctx)
    assert.ok(tables.size > 20)
    const counted = new Map(
      Object.values(KEEPS).map(({ table, texts }) => [table as string, texts as readonly string[]]),
    )
    for (const [table, columns] of tables) {
      const texts = counted.get(table)
      assert.equal(texts === undefined, BOUNDED_OTHERWISE[table] !== undefined, `${table} is bounded once`)
      if (texts === undefined) continue
      const missing = columns.filter((column) => !texts.includes(column) && !INSTANTS.test(column))
      assert.deepEqual(missing, [], `columns of ${table} that nobody counts`)
    }
    for (const table of [...counted.keys(), ...Object.keys(BOUNDED_OTHERWISE)]) assert.ok(tables.has(table), table)
  })

  it('is listed in .env.example as it is', async () => {
    const example = await readFile(join(import.meta.dirname, '../../.env.example'), 'utf8')
    const line = /^#(CANTO_KEEPS=.*)$/m.exec(example)?.[1]
    const { keeps } = readConfig({}, line)
    const bounds = USUAL_BOUNDS
    assert.deepEqual(keeps, bounds)
    assert.throws(() => readConfig({}, 'CANTO_KEEPS=drafts=200'), /CANTO_KEEPS has "drafts=200"/)
    assert.throws(() => readConfig({}, 'CANTO_KEEPS=toys=1/1MB'), /must be like drafts=200\/20MB, for any of drafts/)
  })

  it('is as much as is there, in bytes', async () => {
    await using ctx = await createTestContext()
    await keepDraft(ctx, draftOf('one', { language: 'é'.repeat(100) }))
    const bytes = ['one', JULIET, 'But soft', 'é'.repeat(100)].join('')
    assert.deepEqual(await measureKept(ctx.state, 'drafts', JULIET), { rows: 1, bytes: Buffer.byteLength(bytes) })
    assert.deepEqual(await measureKept(ctx.state, 'drafts', ROMEO), { rows: 0, bytes: 0 })
    for (const name of Object.keys(KEEPS) as KeepName[]) await measureKept(ctx.state, name, JULIET)
  })
})

describe('uploads', () => {
  it('are refused in words where those on this machine fill the space, before a slot is asked for', async () => {
    await using ctx = await createTestContext({ keeps: { uploads: { rows: 2, bytes: 1_000 } } })
    const slot = { put: 'https://upload.example/1', get: 'https://upload.example/1', headers: {} }
    const session = Object.assign(ctx.signIn(JULIET), { requestUploadSlot: async () => slot })
    const upload = (kept: { rows: number; bytes: number }) =>
      requestUpload({ config: ctx.config, sessions: () => session, measureUploads: async () => kept }, JULIET, {
        name: 'a.png',
        size: 600,
        type: 'image/png',
      })
    assert.equal(await upload({ rows: 1, bytes: 400 }), slot)
    await assert.rejects(upload({ rows: 1, bytes: 401 }), /all the space that this site gives/)
    await assert.rejects(upload({ rows: 2, bytes: 0 }), /You have uploaded 2 files/)
  })
})

describe('drafts', () => {
  it('are bounded whatever field the text is in', async () => {
    await using ctx = await createTestContext({ keeps: { drafts: { rows: 200, bytes: 1_000_000 } } })
    const long = 'x'.repeat(600_000)
    for (const [n, field] of ['title', 'text', 'tags', 'language', 'summary'].entries()) {
      await keepDraft(ctx, draftOf(`first-${n}`, { [field]: long }))
      await assert.rejects(keepDraft(ctx, draftOf(`second-${n}`, { [field]: long })), { code: 'too-large' })
      // The same once more is no more.
      await keepDraft(ctx, draftOf(`first-${n}`, { [field]: long.slice(1) }))
      await ctx.state.deleteFrom('draft').execute()
    }
    await assert.rejects(keepDraft(ctx, draftOf('whole', { language: 'x'.repeat(1_000_001) })), { code: 'too-large' })
  })

  it('that would be lost otherwise are kept beyond that, but not for ever', async () => {
    await using ctx = await createTestContext({ keeps: { drafts: { rows: 2, bytes: 1_000_000 } } })
    await keepDraft(ctx, draftOf('1'))
    await keepDraft(ctx, draftOf('2'))
    await assert.rejects(keepDraft(ctx, draftOf('3')), /^AppError: You have 2 drafts\. Delete some/)
    await rescueDraft(ctx, draftOf('3'))
    await rescueDraft(ctx, draftOf('4'))
    await assert.rejects(rescueDraft(ctx, draftOf('5')), { code: 'too-many' })
  })
})

describe('the outbox', () => {
  it('takes no more of an account than it may keep, and says what to do', async () => {
    await using ctx = await createTestContext({ keeps: { unsent: { rows: 3, bytes: 100_000 } } })
    const queue = (n: number, text = 'But soft') =>
      queuePost(ctx, { author: JULIET, key: `p${n}`, draft: postOf(text) })
    const [first] = [await queue(1), await queue(2), await queue(3)]
    await assert.rejects(queue(4), /3 things that you sent wait or were refused\. Wait until they are sent, or discard/)
    // Sent twice counts once, whatever is full.
    assert.equal((await queue(1)).id, first.id)
    await updateOutboxRow(ctx.state, first.id, { status: 'refused' })
    await assert.rejects(queue(4), { code: 'too-many' })
    await updateOutboxRow(ctx.state, first.id, { status: 'done' })
    await queue(4)
    assert.equal((await listOutbox(ctx.state, JULIET)).length, 3)
    await queuePost(ctx, { author: ROMEO, key: 'his', draft: postOf('But hard') })
    await assert.rejects(
      queuePost(ctx, { author: ROMEO, key: 'long', draft: postOf('x'.repeat(100_000)) }),
      /is too long in all/,
    )
    const settings = { author: JULIET, title: 'A', description: '', name: 'Juliet', language: 'en' }
    await assert.rejects(queueSettings(ctx, settings), { code: 'too-many' })
  })

  it('forgets the oldest of what was done', async () => {
    await using ctx = await createTestContext({ keeps: { sent: { rows: 10, bytes: 1_000_000 } } })
    for (let n = 0; n < 40; n++) {
      const { id } = await queuePost(ctx, { author: JULIET, key: `p${n}`, draft: postOf('But soft') })
      await updateOutboxRow(ctx.state, id, { status: 'done' })
    }
    const { rows } = await measureKept(ctx.state, 'sent', JULIET)
    assert.ok(rows <= 30, `${rows} are kept`)
    const [oldest] = await ctx.state.selectFrom('outbox').select('formKey').orderBy('id').limit(1).execute()
    assert.notEqual(oldest?.formKey, 'post:p0')
  })
})

describe('what nobody typed', () => {
  it('makes space for the new by forgetting the oldest, by rows and by bytes', async () => {
    await using ctx = await createTestContext({ keeps: { marks: { rows: 10, bytes: 100_000 } } })
    const mark = (n: number, item = `item-${n}`) =>
      addReadMarks(ctx.state, JULIET, { addresses: [itemOf(BLOG, item)], at: new Date(n) })
    for (let n = 0; n < 11; n++) await mark(n)
    await forgetOldest(ctx, 'marks', JULIET)
    const left = (await ctx.state.selectFrom('readMark').select('item').orderBy('at').execute()).map(({ item }) => item)
    assert.ok(left.length < 10 && left.length > 5, `${left.length} are left`)
    assert.deepEqual([left.includes(asItemId('item-0')), left.at(-1)], [false, 'item-10'])
    for (let n = 20; n < 60; n++) await mark(n, `${'x'.repeat(3_000)}${n}`)
    await forgetOldest(ctx, 'marks', JULIET)
    assert.ok((await measureKept(ctx.state, 'marks', JULIET)).bytes <= 100_000)
    await mark(1_000, 'newest')
    assert.equal((await measureKept(ctx.state, 'marks', JULIET)).rows <= 10, true)
  })
})
