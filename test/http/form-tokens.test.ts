import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFormTokens } from '#server/http/form-tokens.ts'
import { createSecret } from '#server/people/secret.ts'
import type { BareJid } from '#shared/jid.ts'

const juliet = { jid: 'juliet@localhost' as BareJid, session: 'S' }

describe('a form token', () => {
  it('names its owner, and cannot be made or changed by anybody else', () => {
    const tokens = createFormTokens(createSecret(Buffer.alloc(32, 1)), () => new Date())
    const token = tokens.issue(juliet)
    assert.deepEqual(tokens.readOwner(token), juliet)
    const others = createFormTokens(createSecret(Buffer.alloc(32, 2)), () => new Date())
    assert.equal(tokens.readOwner(others.issue(juliet)), undefined)
    const forged = Buffer.from(JSON.stringify(['account', 'romeo@localhost', Date.now(), 'x'])).toString('base64url')
    assert.equal(tokens.readOwner(`${forged}.${token.split('.')[1]}`), undefined)
    for (const text of ['', '.', 'a.b', token.slice(1), `${token}x`]) assert.equal(tokens.readOwner(text), undefined)
  })

  it('is never the same twice, and ends after a month', () => {
    let now = Date.parse('2026-01-01')
    const tokens = createFormTokens(createSecret(Buffer.alloc(32, 1)), () => new Date(now))
    const token = tokens.issue(juliet)
    assert.notEqual(token, tokens.issue(juliet))
    now += 31 * 86_400_000
    assert.equal(tokens.readOwner(token), undefined)
  })

  it('of a browser is of no other browser and of no account', () => {
    const tokens = createFormTokens(createSecret(Buffer.alloc(32, 1)), () => new Date())
    const token = tokens.issueToBrowser('mine')
    assert.equal(tokens.isOfBrowser(token, 'mine'), true)
    assert.equal(tokens.isOfBrowser(token, 'yours'), false)
    assert.equal(tokens.isOfBrowser(tokens.issueToBrowser(''), ''), false)
    assert.equal(tokens.readOwner(token), undefined)
  })
})
