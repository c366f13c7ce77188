import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Element, parse } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { Resume } from '#server/xmpp/acks.ts'
import type { Credentials } from '#server/xmpp/ports.ts'
import { authenticate2, type Sasl2Result } from '#server/xmpp/sasl2.ts'
import type { Stream } from '#server/xmpp/stream.ts'

const NS = 'urn:xmpp:sasl:2'
const FEATURES = `<features><authentication xmlns='${NS}'><mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication></features>`
const TOKEN = { token: 'old', mechanism: 'HT-SHA-256-NONE' }
const TLS = { getProtocol: () => 'TLSv1.3', exportKeyingMaterial: () => Buffer.from('this channel') }
const proofOf = (token: string) => createHmac('sha256', token).update('Responder').digest('base64')
const failure = `<failure xmlns='${NS}'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>`
const success = (inside = '') => `<success xmlns='${NS}'>${inside}</success>`

async function run(
  credentials: Credentials,
  answers: readonly string[],
  more: { isSecure?: boolean; inline?: string; resume?: Resume; bound?: string; tls?: unknown } = {},
) {
  const sent: Element[] = []
  const rest = [...answers]
  const stream = {
    domain: 'fake.test',
    isSecure: more.isSecure ?? true,
    tls: 'tls' in more ? more.tls : TLS,
    send: async (element: Element) => void sent.push(element),
    next: async () => parse(rest.shift() ?? failure),
  } as unknown as Stream
  const options = { username: 'juliet', credentials, userAgentId: 'c0ffee', wantsToken: true, resume: more.resume }
  const features = parse(
    FEATURES.replace('<inline>', `<inline>${more.inline ?? ''}`).replace('</fast>', `${more.bound ?? ''}</fast>`),
  )
  const result = await authenticate2(stream, features, options).catch((error: unknown) => error)
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
      acks: {},
      token: { token: 'new', mechanism: 'HT-SHA-256-NONE', expiry: '2030-01-01T00:00:00Z' },
      isTokenRefused: false,
      signIn: 'password',
    })
    assert.equal(
      String(sent[0]).replace(/<initial-response>.*<\/initial-response>/, ''),
      `<authenticate xmlns="${NS}" mechanism="PLAIN"><user-agent id="c0ffee"><software>Canto</software></user-agent><bind xmlns="urn:xmpp:bind:0"><tag>Canto</tag><enable xmlns="urn:xmpp:sm:3" resume="true"/></bind><request-token xmlns="urn:xmpp:fast:0" mechanism="HT-SHA-256-NONE"/></authenticate>`,
    )
  })

  it('uses the token it has, and takes the one that the server changes it for', async () => {
    const proof = `<additional-data>${proofOf('old')}</additional-data>`
    const rotated = "<token xmlns='urn:xmpp:fast:0' token='rotated'/>"
    const { result, sent } = await run({ password: 'secret', token: TOKEN }, [success(proof + rotated)])
    assert.deepEqual(result, {
      token: { token: 'rotated', mechanism: 'HT-SHA-256-NONE' },
      isTokenRefused: false,
      signIn: 'token',
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
    assert.deepEqual(result, { isTokenRefused: true, signIn: 'password' })
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

  it('asks for a token of a better kind, and leaves the one it has where it may not be used', async () => {
    const bound = '<mechanism>HT-SHA-256-EXPR</mechanism>'
    const proof = `<additional-data>${proofOf('old')}</additional-data>`
    const changed = await run({ token: TOKEN }, [success(`${proof}<token xmlns='urn:xmpp:fast:0' token='new'/>`)], {
      bound,
    })
    assert.equal(changed.sent[0]?.getChild('request-token')?.attrs.mechanism, 'HT-SHA-256-EXPR')
    assert.deepEqual((changed.result as Sasl2Result).token, { token: 'new', mechanism: 'HT-SHA-256-EXPR' })
    const other = await run({ token: { ...TOKEN, mechanism: 'HT-SHA-256-ENDP' } }, [], { bound })
    assert.ok(isAppError(other.result, 'not-authorized'))
    assert.deepEqual(other.sent, [])
    const password = await run({ token: TOKEN, password: 'secret' }, [success()], { bound })
    assert.equal(password.sent[0]?.attrs.mechanism, 'PLAIN')
    const withoutTls = await run({ token: TOKEN }, [success(proof)], { bound, tls: undefined })
    assert.equal(withoutTls.sent[0]?.attrs.mechanism, 'HT-SHA-256-NONE')
    assert.equal(withoutTls.sent[0]?.getChild('request-token'), undefined)
  })

  it('says that the sign-in has expired where there is only a token, and it does not hold', async () => {
    const { result } = await run({ token: TOKEN }, [failure])
    assert.ok(isAppError(result, 'not-authorized'))
    assert.match((result as Error).message, /expired/)
  })

  it('sends neither token nor password without TLS', async () => {
    const { result, sent } = await run({ password: 'secret', token: TOKEN }, [], { isSecure: false })
    assert.ok(isAppError(result, 'unavailable'))
    assert.deepEqual(sent, [])
  })

  const SM = "<sm xmlns='urn:xmpp:sm:3'/>"
  const RESUME = { previd: 's1', h: 7 }
  const childrenOf = (sent: Element | undefined) => sent?.getChildElements().map(({ name }) => name)

  it('goes on with the stream before in the same breath, or binds a resource', async () => {
    const answer = success("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='12'/>")
    const { result, sent } = await run({ password: 'secret' }, [answer], { inline: SM, resume: RESUME })
    assert.deepEqual(result, { resumed: { h: '12' }, isTokenRefused: false, signIn: 'password' })
    assert.deepEqual(childrenOf(sent[0]), ['initial-response', 'user-agent', 'resume', 'bind', 'request-token'])
    assert.equal(String(sent[0]?.getChild('resume')), '<resume xmlns="urn:xmpp:sm:3" previd="s1" h="7"/>')
    const bound = "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='s2' resume='1'/></bound>"
    const jid = '<authorization-identifier>juliet@fake.test/canto</authorization-identifier>'
    const failed = success(`<failed xmlns='urn:xmpp:sm:3' h='3'/>${bound}${jid}`)
    const again = await run({ password: 'secret' }, [failed], { inline: SM, resume: RESUME })
    assert.deepEqual(again.result, {
      resumed: 'refused',
      boundJid: 'juliet@fake.test/canto',
      acks: { id: 's2' },
      isTokenRefused: false,
      signIn: 'password',
    })
  })

  it('binds nothing yet where resuming has to be asked afterwards', async () => {
    const { sent } = await run({ password: 'secret' }, [success()], { resume: RESUME })
    assert.deepEqual(childrenOf(sent[0]), ['initial-response', 'user-agent', 'request-token'])
  })

  it('knows no second step', async () => {
    const { result } = await run({ password: 'secret' }, [`<continue xmlns='${NS}'/>`])
    assert.match(String(result), /second step/)
  })
})
