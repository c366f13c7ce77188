import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { createRequests, isFrom } from '#server/xmpp/requests.ts'
import type { BareJid } from '#shared/jid.ts'

const OWN = 'juliet@capulet.example' as BareJid
const ping = () => new Element('ping', { xmlns: 'urn:xmpp:ping' })
const answer = (id: string | undefined, from?: string, type = 'result') =>
  new Element('iq', { type, ...(id && { id }), ...(from && { from }) })

function open() {
  const sent: Element[] = []
  const requests = createRequests(OWN, async (element) => void sent.push(element))
  return { sent, ...requests }
}

describe('a request', () => {
  it('has a random id', async () => {
    const { ask, sent, fail } = open()
    const both = [ask('get', undefined, ping()), ask('get', undefined, ping())]
    await new Promise((resolve) => setImmediate(resolve))
    for (const { attrs } of sent) assert.match(attrs.id ?? '', /^[0-9a-f-]{36}$/)
    assert.notEqual(sent[0]?.attrs.id, sent[1]?.attrs.id)
    fail(new AppError('unavailable', 'over'))
    for (const result of await Promise.allSettled(both)) assert.equal(result.status, 'rejected')
  })

  it('takes an answer only from whom was asked', async () => {
    const { ask, sent, handle } = open()
    const asked = ask('get', 'pubsub.capulet.example', ping())
    await new Promise((resolve) => setImmediate(resolve))
    const id = sent[0]?.attrs.id
    for (const from of [undefined, OWN, 'capulet.example', 'mallory@evil.example', 'pubsub.capulet.example/x', '@']) {
      assert.equal(handle(answer(id, from)), false, from)
    }
    assert.equal(handle(answer('another', 'pubsub.capulet.example')), false)
    assert.equal(handle(answer(id, 'PubSub.Capulet.Example')), true)
    assert.equal((await asked).attrs.from, 'PubSub.Capulet.Example')
    assert.equal(handle(answer(id, 'pubsub.capulet.example')), false)
  })

  it('knows its own account under each of the names that its server uses', () => {
    for (const from of [undefined, OWN, `${OWN}/balcony`, 'capulet.example', 'Juliet@CAPULET.example']) {
      assert.equal(isFrom(OWN, undefined, from), true, from)
      assert.equal(isFrom(OWN, OWN, from), true, from)
    }
    assert.equal(isFrom(OWN, 'capulet.example', undefined), true)
    assert.equal(isFrom(OWN, 'capulet.example', 'capulet.example'), true)
    assert.equal(isFrom(OWN, 'capulet.example', OWN), false)
    for (const from of ['romeo@capulet.example', 'evil.capulet.example', 'capulet.example/x', '']) {
      assert.equal(isFrom(OWN, undefined, from), false, from)
    }
  })

  it('gives up after its time', async () => {
    const { ask } = open()
    await assert.rejects(ask('get', 'slow.example', ping(), { timeout: 20 }), (error) => isAppError(error, 'timeout'))
  })

  it('fails with the connection, also when it had not been sent', async () => {
    const { ask, fail } = open()
    const asked = ask('get', undefined, ping())
    fail(new AppError('unavailable', 'over'))
    await assert.rejects(asked, (error) => isAppError(error, 'unavailable'))
    await assert.rejects(ask('get', undefined, ping()), (error) => isAppError(error, 'unavailable'))
  })

  it('is one of few at a time at its domain, and ends with its signal', async () => {
    const { ask, sent, handle } = open()
    const controller = new AbortController()
    const waiting = Array.from({ length: 20 }, () => ask('get', 'a.example', ping(), { signal: controller.signal }))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(sent.length, 8)
    const elsewhere = ask('get', 'b.example', ping())
    await new Promise((resolve) => setImmediate(resolve))
    handle(answer(sent[8]?.attrs.id, 'b.example'))
    await elsewhere
    handle(answer(sent[0]?.attrs.id, 'a.example'))
    await waiting[0]
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(sent.length, 10)
    controller.abort()
    const results = await Promise.allSettled(waiting)
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 19)
  })
})
