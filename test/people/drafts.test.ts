import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAppError } from '#server/errors.ts'
import { keepDraft, listPostDrafts } from '#server/people/drafts.ts'
import type { BareJid } from '#shared/jid.ts'
import { createTestContext } from '#test/support/context.ts'

const JULIET = 'juliet@capulet.example' as BareJid
const ROMEO = 'romeo@montague.example' as BareJid
const now = new Date('2026-03-14T10:00:00Z')

function draftOf(jid: BareJid, id: string, text: string) {
  return { jid, id, title: '', text, tags: '', language: '', summary: '', comments: true, updatedAt: now }
}

describe('the drafts of an account', () => {
  it('are bounded in number and in all their text, which costs nobody else theirs', async () => {
    await using ctx = await createTestContext()
    const large = 'x'.repeat(999_000)
    for (let i = 0; i < 20; i++) await keepDraft(ctx, draftOf(JULIET, `large-${i}`, large))
    await assert.rejects(keepDraft(ctx, draftOf(JULIET, 'one-more', large)), (error) => isAppError(error, 'too-large'))
    await keepDraft(ctx, draftOf(ROMEO, 'his', large))
    assert.equal((await listPostDrafts(ctx.state, JULIET)).length, 20)
    await keepDraft(ctx, draftOf(JULIET, 'short', 'still fits'))
    for (let i = 0; i < 179; i++) await keepDraft(ctx, draftOf(JULIET, `short-${i}`, 'a'))
    await assert.rejects(keepDraft(ctx, draftOf(JULIET, 'the-201st', 'a')), (error) => isAppError(error, 'too-many'))
  })
})
