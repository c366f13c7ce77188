import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Element, parse } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { Credentials } from '#server/xmpp/ports.ts'
import { authenticate2 } from '#server/xmpp/sasl2.ts'
import type { Stream } from '#server/xmpp/stream.ts'

const NS = 'urn:xmpp:sasl:2'
const FEATURES = `<features><authentication xmlns='${NS}'><mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication></features>`
const TOKEN = { token: 'old', mechanism: 'HT-SHA-256-NONE' }
const proofOf = (token: string) => createHmac('sha256', token).update('Responder').digest('base64')
const failure = `<failure xmlns='${NS}'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>`
const success = (inside = '') => `<success xmlns='${NS}'>${inside}</success>`

async function run(credentials: Credentials, answers: readonly string[], isSecure = true) {
  const sent: Element[] = []
  const rest = [...answers]
  const stream = {
    domain: 'fake.test',
    isSecure,
    tls: undefined,
    send: async (element: Element) => void sent.push(element),
    next: async () => parse(rest.shift() ?? failure),
  } as unknown as Stream
  const options = { username: 'juliet', credentials, userAgentId: 'c0ffee', wantsToken: true }
  const result = await authenticate2(stream, parse(FEATURES), options).catch((error: unknown) => error)
  return { result, sent }
}

describe('SASL2', () => {
  it('asks for resource, stream management and a token in one breath, and takes the new token', async () => {
    const token = "<token xmlns='urn:xmpp:fast:0' token='new' expiry='2030-01-01T00:00:00Z'/>"
    const bound = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3'/></bound>"
    const jid = '<authorization-identifier>juliet@fake.test/canto</authorization-identifier>'
    const { result, sent } = await run({ password: 'secret' }, [success(token + bound + jid)])
    assert.deepEqual(result, {
      boundJid: 'juliet@fake.test/canto',
      hasAcks: true,
      token: { token: 'new', mechanism: 'HT-SHA-256-NONE', expiry: '2030-01-01T00:00:00Z' },
      isTokenRefused: false,
    })
    assert.equal(
      String(sent[0]).replace(/<initial-response>.*<\/initial-response>/, ''),
      `<authenticate xmlns="${NS}" mechanism="PLAIN"><user-agent id="c0ffee"><software>Canto</software></user-agent><bind xmlns="urn:xmpp:bind:0"><tag>Canto</tag><enable xmlns="urn:xmpp:sm:3"/></bind><request-token xmlns="urn:xmpp:fast:0" mechanism="HT-SHA-256-NONE"/></authenticate>`,
    )
  })

  it('uses the token it has, and takes the one that the server changes it for', async () => {
    const proof = `<additional-data>${proofOf('old')}</additional-data>`
    const rotated = "<token xmlns='urn:xmpp:fast:0' token='rotated'/>"
    const { result, sent } = await run({ password: 'secret', token: TOKEN }, [success(proof + rotated)])
    assert.deepEqual(result, {
      hasAcks: false,
      token: { token: 'rotated', mechanism: 'HT-SHA-256-NONE' },
      isTokenRefused: false,
    })
    assert.equal(sent[0]?.attrs.mechanism, 'HT-SHA-256-NONE')
    const response = Buffer.from(sent[0]?.getChildText('initial-response') ?? '', 'base64')
    const expected = createHmac('sha256', 'old').update('Initiator').digest()
    assert.deepEqual(response, Buffer.concat([Buffer.from('juliet\0'), expected]))
  })

  it('believes no server that does not know the token, and does not tell it the password', async () => {
    for (const proof of [
      '',
      `<additional-data>${proofOf('another')}</additional-data>`,
      '<additional-data>=</additional-data>',
    ]) {
      const { result, sent } = await run({ password: 'secret', token: TOKEN }, [success(proof)])
      assert.ok(isAppError(result, 'unavailable'), String(result))
      assert.equal(sent.length, 1)
    }
  })

  it('goes on with the password where the token no longer holds, is too old or of another kind', async () => {
    const { result } = await run({ password: 'secret', token: TOKEN }, [failure, success()])
    assert.deepEqual(result, { hasAcks: false, isTokenRefused: true })
    for (const token of [
      { ...TOKEN, expiry: '2020-01-01T00:00:00Z' },
      { ...TOKEN, mechanism: 'HT-SHA-512-EXPR' },
    ]) {
      const { sent } = await run({ password: 'secret', token }, [success()])
      assert.deepEqual(
        sent.map(({ attrs }) => attrs.mechanism),
        ['PLAIN'],
      )
    }
  })

  it('says that the sign-in has expired where there is only a token, and it does not hold', async () => {
    const { result } = await run({ token: TOKEN }, [failure])
    assert.ok(isAppError(result, 'not-authorized'))
    assert.match((result as Error).message, /expired/)
  })

  it('sends neither token nor password without TLS', async () => {
    const { result, sent } = await run({ password: 'secret', token: TOKEN }, [], false)
    assert.ok(isAppError(result, 'unavailable'))
    assert.deepEqual(sent, [])
  })

  it('knows no second step', async () => {
    const { result } = await run({ password: 'secret' }, [`<continue xmlns='${NS}'/>`])
    assert.match(String(result), /second step/)
  })
})
