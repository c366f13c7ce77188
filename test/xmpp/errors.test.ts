import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element, parse } from 'ltx'
import { readStanzaError, readStreamError, stanzaErrorOf } from '#server/xmpp/errors.ts'

const error = (inside: string, type = 'cancel') =>
  parse(`<iq type='error'><error type='${type}'>${inside}</error></iq>`)
const defined = (name: string) => `<${name} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>`

describe('errors of others', () => {
  it('are translated by condition', () => {
    const codes = {
      'item-not-found': 'not-found',
      forbidden: 'forbidden',
      'not-authorized': 'forbidden',
      'subscription-required': 'forbidden',
      conflict: 'conflict',
      gone: 'gone',
      'feature-not-implemented': 'not-implemented',
      'service-unavailable': 'not-implemented',
      'remote-server-timeout': 'unavailable',
      'no-such-condition': 'unavailable',
    }
    for (const [condition, code] of Object.entries(codes)) {
      assert.equal(readStanzaError(error(defined(condition)), 'capulet.example').code, code, condition)
    }
  })

  it('tell a server that is not there, or is silent, from what was asked of it', () => {
    const serverOf = (condition: string) => readStanzaError(error(defined(condition)), 'x').server
    const conditions = ['remote-server-not-found', 'remote-server-timeout', 'item-not-found']
    assert.deepEqual(conditions.map(serverOf), ['not-found', 'silent', undefined])
  })

  it('that ask to wait are not final', () => {
    assert.equal(readStanzaError(error(defined('service-unavailable'), 'wait'), 'x').code, 'unavailable')
  })

  it('say when something is too large', () => {
    const big = `${defined('not-acceptable')}<payload-too-big xmlns='http://jabber.org/protocol/pubsub#errors'/>`
    assert.equal(readStanzaError(error(big), 'x').code, 'too-large')
  })

  it('keep the words, which are bounded, and their conditions in any order', () => {
    const text = `<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>${'no '.repeat(1000)}</text>`
    const read = readStanzaError(error(`${text}<own xmlns='urn:x'/>${defined('conflict')}`), 'x')
    assert.ok(read.message.length < 600)
    assert.equal(stanzaErrorOf(read)?.application, 'own')
    assert.equal(stanzaErrorOf(new Error('another')), undefined)
  })

  it('without an error inside are errors all the same', () => {
    assert.equal(readStanzaError(new Element('iq', { type: 'error' }), 'x').code, 'unavailable')
    assert.equal(readStanzaError(error(''), 'x').code, 'unavailable')
  })

  it('of streams and sockets have a sentence each', () => {
    assert.match(readStreamError({ condition: 'host-unknown' }, 'a.example').message, /does not serve a\.example/)
    assert.match(readStreamError({ code: 'ECONNREFUSED' }, 'a.example').message, /refuses connections/)
    assert.match(readStreamError({ code: 'CERT_HAS_EXPIRED' }, 'a.example').message, /certificate/)
    assert.equal(readStreamError(undefined, 'a.example').code, 'unavailable')
  })
})
