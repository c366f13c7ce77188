import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Element } from 'ltx'
import { digestWords } from '#server/feeds/proofs/digest-words.ts'
import { markWords } from '#server/feeds/proofs/mark.ts'
import { recordOldMarks } from '#server/feeds/proofs/record-old-marks.ts'
import { clearIndex } from '#server/store/clear.ts'
import { findEntry } from '#server/store/entry.ts'
import { findNode } from '#server/store/node.ts'
import { addressKey, type NodeAddress } from '#shared/address.ts'
import { writeContributor } from '#shared/contributor.ts'
import { parseXml, writeSortedXml } from '#shared/xml.ts'
import { createTestContext, type TestContext } from '#test/support/context.ts'
import { commentsLink, entryOf, itemOf, knowBlog, MALLORY, publishTo, ROMEO } from './fixtures.ts'

/** A service that is not ours, which can write whatever it likes into the comments that it holds. */
const BLOG: NodeAddress = { service: MALLORY, node: 'urn:xmpp:microblog:0' }
const THREAD: NodeAddress = { service: MALLORY, node: 'urn:xmpp:microblog:0:comments/hers' }
const COMMENT = itemOf(THREAD, 'romeos')
const WHO = { jid: ROMEO, name: 'Romeo', how: 'message' } as const
const SAID = { text: 'But soft', published: '2026-01-02T03:04:05Z' }

async function knowThread(ctx: TestContext): Promise<void> {
  await knowBlog(ctx, BLOG)
  await publishTo(ctx, itemOf(BLOG, 'hers'), { payload: entryOf({ more: commentsLink(THREAD) }), publisher: MALLORY })
}

function write(ctx: TestContext, words: Parameters<typeof entryOf>[0], mark?: string): Element {
  const entry = entryOf({ ...words, author: ctx.siteJid, name: 'Canto' })
  entry.cnode(writeContributor({ ...WHO, mark }))
  return entry
}

/** A comment as Canto wrote it before a mark bound the words. */
function writeOld(ctx: TestContext, words = SAID): Element {
  return write(ctx, words, ctx.secret.sign('contributor', `${ROMEO} message ${addressKey(COMMENT)}`))
}

async function read(ctx: TestContext, payload: Element) {
  await publishTo(ctx, COMMENT, { payload, publisher: ctx.siteJid })
  const node = await findNode(ctx.index, THREAD)
  const entry = await findEntry(ctx.index, node?.id ?? 0, COMMENT.item)
  return [entry?.contributor, entry?.credit]
}

const PROVED = [ROMEO, 'according']
const UNVERIFIED = [null, 'unverified']

describe('the mark of a comment that was proved', () => {
  it('binds every word, the date and the name, so that a service that alters one shows it as unverified', async () => {
    await using ctx = await createTestContext()
    await knowThread(ctx)
    const mark = markWords(ctx, COMMENT, write(ctx, SAID))
    assert.ok(mark)
    assert.deepEqual(await read(ctx, write(ctx, SAID, mark)), PROVED)
    const altered = [
      { ...SAID, text: 'But hard' },
      { ...SAID, title: 'Another title' },
      { ...SAID, published: '2026-01-03T03:04:05Z' },
      { ...SAID, updated: '2026-01-03T03:04:05Z' },
      { ...SAID, more: '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">More</div></content>' },
    ]
    for (const words of altered) {
      assert.deepEqual(await read(ctx, write(ctx, words, mark)), UNVERIFIED, JSON.stringify(words))
      assert.deepEqual(await read(ctx, write(ctx, SAID, mark)), PROVED)
    }
    const renamed = entryOf({ ...SAID, author: ctx.siteJid, name: 'Canto' })
    renamed.cnode(writeContributor({ ...WHO, name: 'Tybalt', mark }))
    assert.deepEqual(await read(ctx, renamed), UNVERIFIED)
  })

  it('holds however a server writes the same words', async () => {
    await using ctx = await createTestContext()
    const digest = digestWords(write(ctx, SAID, 'a mark'))
    const prefixed = `<a:entry xmlns:a="http://www.w3.org/2005/Atom"><a:title type="text">Words</a:title></a:entry>`
    const plain = '<entry xmlns="http://www.w3.org/2005/Atom"><title  type="text">Words</title></entry>'
    const parse = (text: string) => parseXml(text) ?? assert.fail(text)
    assert.equal(digestWords(parse(prefixed)), digestWords(parse(plain)))
    assert.equal(digestWords(parse(writeSortedXml(write(ctx, SAID, 'another mark')))), digest)
    const moved = plain.replace('Words', '').replace('</entry>', 'Words</entry>')
    assert.notEqual(digestWords(parse(moved)), digestWords(parse(plain)))
  })
})

describe('a mark of an older Canto', () => {
  it('counts with the words that were known at the upgrade alone, after reading everything anew too', async () => {
    await using ctx = await createTestContext()
    await knowThread(ctx)
    // Stored as by the older Canto, which recorded no words.
    await recordAsOld(ctx, writeOld(ctx))
    await recordOldMarks(ctx)
    await clearIndex(ctx.index)
    await knowThread(ctx)
    assert.deepEqual(await read(ctx, writeOld(ctx)), PROVED)
    assert.deepEqual(await read(ctx, writeOld(ctx, { ...SAID, text: 'But hard' })), UNVERIFIED)
    assert.deepEqual(await read(ctx, writeOld(ctx)), PROVED)
  })

  it('does not count where nothing was known at the upgrade, and nothing is recorded later', async () => {
    await using ctx = await createTestContext()
    await recordOldMarks(ctx)
    await knowThread(ctx)
    assert.deepEqual(await read(ctx, writeOld(ctx)), UNVERIFIED)
    await recordAsOld(ctx, writeOld(ctx))
    await recordOldMarks(ctx)
    await clearIndex(ctx.index)
    await knowThread(ctx)
    assert.deepEqual(await read(ctx, writeOld(ctx)), UNVERIFIED)
  })
})

async function recordAsOld(ctx: TestContext, payload: Element): Promise<void> {
  await read(ctx, payload)
  await ctx.index
    .updateTable('entry')
    .set({ contributor: ROMEO, credit: 'according', author: ctx.siteJid })
    .where('item', '=', COMMENT.item)
    .execute()
}
