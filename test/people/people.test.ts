import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { signOutEverywhere } from '#server/people/sign-out-everywhere.ts'
import { findAccount } from '#server/store/account.ts'
import { createTestPeople } from './test-people.ts'

const romeo = { jid: 'romeo@localhost', password: 'secret', address: '192.0.2.1' }

describe('signing in', () => {
  it('asks the account’s own server and gives the browser a cookie', async () => {
    await using ctx = await createTestPeople()
    const { cookie, jid } = await ctx.people.signIn({ ...romeo, jid: ' Romeo@LOCALHOST ' })
    assert.equal(jid, 'romeo@localhost')
    const { session, ...person } = (await ctx.people.find(cookie)) ?? {}
    assert.match(session ?? '', /^[\w-]{16}$/)
    assert.ok(!cookie.includes(session ?? ''))
    assert.deepEqual(person, {
      jid: 'romeo@localhost',
      name: 'romeo',
      isBlogger: true,
      isOperator: false,
    })
    assert.equal(ctx.people.session(jid)?.status, 'online')
  })

  it('says the same for a wrong password and for an account that does not exist', async () => {
    await using ctx = await createTestPeople()
    const wrong = await ctx.people.signIn({ ...romeo, password: 'wrong' }).catch((error) => error)
    const missing = await ctx.people.signIn({ ...romeo, jid: 'nobody@localhost' }).catch((error) => error)
    assert.equal(wrong.code, 'not-authorized')
    assert.equal(wrong.message, missing.message)
  })

  it('says that the server does not answer, and counts no wrong password, when it is down', async () => {
    await using ctx = await createTestPeople()
    ctx.server.isDown = true
    for (let count = 0; count < 6; count++) {
      await assert.rejects(ctx.people.signIn(romeo), { code: 'unavailable' })
    }
    ctx.server.isDown = false
    await ctx.people.signIn(romeo)
  })

  it('waits after five wrong passwords for an account from one network, also after a restart', async () => {
    await using ctx = await createTestPeople()
    for (let count = 0; count < 5; count++) {
      await assert.rejects(ctx.people.signIn({ ...romeo, password: 'wrong' }), {
        code: 'not-authorized',
      })
    }
    await ctx.restart()
    await assert.rejects(ctx.people.signIn(romeo), (error: { code: string; retryAfter: number }) => {
      assert.equal(error.code, 'too-many')
      assert.ok(error.retryAfter > 0 && error.retryAfter <= 900)
      return true
    })
    // Another account from there, and this account from elsewhere.
    await ctx.people.signIn({ ...romeo, jid: 'juliet@localhost' })
    await ctx.people.signIn({ ...romeo, address: '192.0.2.2' })
    ctx.advance(16 * 60_000)
    await ctx.people.signIn(romeo)
  })

  it('stops guesses at one account from everywhere, but not in a browser where it signed in before', async () => {
    await using ctx = await createTestPeople()
    const { knownBrowser, cookie } = await ctx.people.signIn(romeo)
    await ctx.people.signOut(cookie)
    const guesses = Array.from({ length: 60 }, (_, count) =>
      ctx.people
        .signIn({ ...romeo, password: 'wrong', address: `198.51.100.${count}` })
        .catch((error: { code: string }) => error.code),
    )
    assert.deepEqual(new Set(await Promise.all(guesses)), new Set(['not-authorized']))
    await assert.rejects(ctx.people.signIn({ ...romeo, address: '203.0.113.1' }), { code: 'too-many' })
    await ctx.people.signIn({ ...romeo, knownBrowser })
    // One that is another's, or made up, is worth nothing.
    const { knownBrowser: juliets } = await ctx.people.signIn({ ...romeo, jid: 'juliet@localhost' })
    for (const forged of [juliets, knownBrowser.replace(/\..*/, `.${'A'.repeat(43)}`), 'x'.repeat(16), '']) {
      await assert.rejects(ctx.people.signIn({ ...romeo, knownBrowser: forged }), { code: 'too-many' })
    }
  })

  it('counts the guesses in a known browser too, and keeps both of two accounts known in one', async () => {
    await using ctx = await createTestPeople()
    const first = await ctx.people.signIn(romeo)
    const juliet = { ...romeo, jid: 'juliet@localhost', knownBrowser: first.knownBrowser }
    const { knownBrowser } = await ctx.people.signIn(juliet)
    const place = { ...romeo, knownBrowser, password: 'wrong' }
    for (let count = 0; count < 5; count++) {
      await assert.rejects(ctx.people.signIn({ ...place, address: `192.0.2.${count}` }), { code: 'not-authorized' })
    }
    await assert.rejects(ctx.people.signIn({ ...place, password: 'secret' }), { code: 'too-many' })
    await ctx.people.signIn({ ...juliet, knownBrowser })
    // A browser that is still signed in from before there was such a cookie counts as known.
    await ctx.people.signIn({ ...romeo, oldCookie: first.cookie })
  })

  it('waits after twenty wrong passwords from one address, whatever the accounts', async () => {
    await using ctx = await createTestPeople()
    const guesses = Array.from({ length: 20 }, (_, count) =>
      ctx.people.signIn({ ...romeo, jid: `user${count}@localhost`, password: 'wrong' }).catch((error) => error.code),
    )
    assert.deepEqual(new Set(await Promise.all(guesses)), new Set(['not-authorized']))
    await assert.rejects(ctx.people.signIn(romeo), { code: 'too-many' })
    await ctx.people.signIn({ ...romeo, address: '192.0.2.77' })
  })

  it('counts all addresses of one IPv6 network as one', async () => {
    await using ctx = await createTestPeople()
    const guess = (count: number) => {
      const address = `2001:db8:0:1::${count.toString(16)}`
      return ctx.people
        .signIn({ jid: `user${count}@localhost`, password: 'wrong', address })
        .catch((error) => error.code)
    }
    await Promise.all(Array.from({ length: 20 }, (_, count) => guess(count)))
    assert.equal(await guess(100), 'too-many')
    await ctx.people.signIn({ ...romeo, address: '2001:db8:0:2::1' })
  })

  it('does not take accounts of other domains', async () => {
    await using ctx = await createTestPeople()
    await assert.rejects(ctx.people.signIn({ ...romeo, jid: 'romeo@elsewhere.example' }), { code: 'forbidden' })
    await assert.rejects(ctx.people.signIn({ ...romeo, jid: '@' }), { code: 'bad-request' })
    assert.equal(ctx.server.opened.length, 0)
  })

  it('shares one XMPP session and one user agent among an account’s browsers', async () => {
    await using ctx = await createTestPeople()
    const first = await ctx.people.signIn(romeo)
    const second = await ctx.people.signIn(romeo)
    assert.notEqual(first.cookie, second.cookie)
    assert.equal(ctx.server.opened.filter(({ status }) => status === 'online').length, 1)
    assert.equal(new Set(ctx.server.opened.map(({ userAgentId }) => userAgentId)).size, 1)
    await ctx.people.signOut(first.cookie)
    assert.equal(await ctx.people.find(first.cookie), undefined)
    assert.equal(ctx.people.session(first.jid)?.status, 'online')
  })

  it('makes the browser’s earlier cookie worthless', async () => {
    await using ctx = await createTestPeople()
    const { cookie: oldCookie } = await ctx.people.signIn({ ...romeo, jid: 'juliet@localhost' })
    const { cookie } = await ctx.people.signIn({ ...romeo, oldCookie })
    assert.equal(await ctx.people.find(oldCookie), undefined)
    assert.equal((await ctx.people.find(cookie))?.jid, 'romeo@localhost')
  })
})

describe('what survives a restart', () => {
  it('is the last token, encrypted, and with it the session comes back by itself', async () => {
    await using ctx = await createTestPeople({ givesTokens: true })
    const { cookie, jid } = await ctx.people.signIn(romeo)
    await ctx.server.last().giveToken('second')
    const stored = await findAccount(ctx.state, jid)
    assert.ok(stored?.token !== undefined && !JSON.stringify(stored).includes('second'))
    await ctx.restart()
    await ctx.people.restore()
    assert.equal((await ctx.server.last().credentials()).token?.token, 'second')
    assert.equal((await ctx.server.last().credentials()).password, undefined)
    assert.equal((await ctx.people.find(cookie))?.jid, jid)
  })

  it('is, without tokens, a password that only the browser’s cookie opens', async () => {
    await using ctx = await createTestPeople()
    const { cookie, jid } = await ctx.people.signIn(romeo)
    await ctx.restart()
    await ctx.people.restore()
    assert.equal(ctx.people.session(jid), undefined)
    assert.equal((await ctx.people.find(cookie))?.jid, jid)
    assert.equal((await ctx.server.last().credentials()).password, 'secret')
    const rows = await ctx.state.selectFrom('browserSession').selectAll().execute()
    assert.ok(!JSON.stringify(rows).includes('secret') && !JSON.stringify(rows).includes(cookie))
  })
})

describe('the end of a session', () => {
  it('comes with the last browser, and ends the token at the server', async () => {
    await using ctx = await createTestPeople({ givesTokens: true })
    const first = await ctx.people.signIn(romeo)
    const second = await ctx.people.signIn(romeo)
    await ctx.people.signOut(first.cookie)
    assert.equal(ctx.server.last().isTokenEnded, false)
    await ctx.people.signOut(second.cookie)
    assert.equal(ctx.server.last().isTokenEnded, true)
    assert.equal(ctx.server.last().status, 'stopped')
    assert.equal((await findAccount(ctx.state, first.jid))?.token, undefined)
  })

  it('comes with expiry too', async () => {
    await using ctx = await createTestPeople({ givesTokens: true })
    const { cookie, jid } = await ctx.people.signIn(romeo)
    ctx.advance(31 * 86_400_000)
    assert.equal(await ctx.people.find(cookie), undefined)
    await ctx.people.sweep()
    assert.equal(ctx.people.session(jid), undefined)
  })

  it('comes with a refused reconnection, and the browser is told why', async () => {
    await using ctx = await createTestPeople({ givesTokens: true })
    const { cookie, jid } = await ctx.people.signIn(romeo)
    ctx.server.last().refuse()
    await ctx.settle()
    assert.equal(await ctx.people.find(cookie), undefined)
    assert.deepEqual(await ctx.people.findEnding(cookie), {
      jid,
      reason: 'Your XMPP server no longer accepts this session.',
    })
    assert.equal(ctx.people.session(jid), undefined)
    const again = await ctx.people.signIn({ ...romeo, oldCookie: cookie })
    assert.equal((await ctx.people.find(again.cookie))?.jid, jid)
  })

  it('comes from another process too: at once for the browsers, at the next sweep for the XMPP session', async () => {
    await using ctx = await createTestPeople({ givesTokens: true })
    const { cookie, jid } = await ctx.people.signIn(romeo)
    await signOutEverywhere(ctx.state, jid, 'Your password was changed.')
    assert.equal(await ctx.people.find(cookie), undefined)
    assert.equal((await ctx.people.findEnding(cookie))?.reason, 'Your password was changed.')
    await ctx.people.sweep()
    assert.equal(ctx.people.session(jid), undefined)
    assert.equal(ctx.server.last().isTokenEnded, true)
    assert.equal((await findAccount(ctx.state, jid))?.token, undefined)
  })
})
