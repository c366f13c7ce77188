import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { parse } from 'ltx'
import { createAcks, readEnabled, readResumed, writeResume } from '#server/xmpp/acks.ts'
import { watchLine } from '#server/xmpp/watch-line.ts'
import { startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const SM = 'urn:xmpp:sm:3'

describe('stream management', () => {
  it('is enabled once, and counts what comes in', async () => {
    await using server = await startFakeServer({
      features: `<sm xmlns='${SM}'/>`,
      onStanza: (stanza, { send }) => stanza.name === 'enable' && send(`<enabled xmlns='${SM}'/>`),
    })
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(30_000)
    const [connection] = server.connections
    connection?.send(`<message from='a.example'/><presence from='a.example'/><r xmlns='${SM}'/>`)
    const [answer] = await until(() => {
      const answers = server.received.filter((element) => element.is('a', SM))
      return answers.length > 0 ? answers : undefined
    })
    assert.equal(answer?.attrs.h, '2')
    const enables = server.received.filter((element) => element.name === 'enable')
    assert.equal(enables.length, 1)
    assert.equal(enables[0]?.attrs.resume, 'true')
    assert.equal(server.received.filter((element) => element.name === 'resume').length, 0)
  })

  it('is not used where the server changes its mind', async () => {
    await using server = await startFakeServer({
      features: `<sm xmlns='${SM}'/>`,
      onStanza: (stanza, { send }) => stanza.name === 'enable' && send(`<failed xmlns='${SM}'/>`),
    })
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(30_000)
    server.connections[0]?.send("<iq type='get' id='p' from='fake.test'><ping xmlns='urn:xmpp:ping'/></iq>")
    await until(() => server.received.some(({ attrs }) => attrs.id === 'p'))
  })

  it('acknowledges stanzas and nothing else', () => {
    const { acks, sent } = managed()
    let answers = 0
    acks.request(() => answers++)
    for (const xml of ['<iq/>', '<x/>', `<a xmlns='${SM}' h='0'/>`, '<message/>', `<r xmlns='${SM}'/>`])
      acks.handle(parse(xml))
    assert.deepEqual(sent, [`<r xmlns='${SM}'/>`, `<a xmlns='${SM}' h='2'/>`])
    assert.equal(answers, 1)
  })

  it('asks what has arrived now and then, and never lets what it keeps grow without end', () => {
    const { acks, sent } = managed()
    for (let n = 0; n < 32; n++) acks.send('<iq/>')
    assert.deepEqual(
      sent.flatMap((text, index) => (text.startsWith('<r') ? [index] : [])),
      [16, 33],
    )
    for (let n = 0; n < 968; n++) acks.send('<iq/>')
    assert.ok(acks.resume)
    acks.handle(parse(`<a xmlns='${SM}' h='999'/>`))
    for (let n = 0; n < 999; n++) acks.send('<iq/>')
    assert.ok(acks.resume)
    acks.send('<iq/>')
    assert.equal(acks.resume, undefined)
    const large = managed()
    for (let n = 0; n < 5; n++) large.acks.send('x'.repeat(1024 * 1024))
    assert.equal(large.acks.resume, undefined)
  })
})

function managed(enabled = { id: 'stream-1' }) {
  const sent: string[] = []
  return { sent, acks: createAcks(enabled, (text) => void sent.push(text)) }
}

describe('a stream that goes on over another', () => {
  const send = (count: number) => {
    const { acks, sent } = managed()
    for (let n = 1; n <= count; n++) acks.send(String(n))
    sent.length = 0
    return { acks, sent }
  }

  it('says what it has handled, and sends again what the server has not, in order', () => {
    const { acks, sent } = send(5)
    acks.handle(parse('<message/>'))
    acks.handle(parse(`<a xmlns='${SM}' h='2'/>`))
    assert.deepEqual(acks.resume, { previd: 'stream-1', h: 1 })
    assert.equal(acks.goOn('3'), true)
    assert.deepEqual(sent, ['4', '5', `<r xmlns='${SM}'/>`])
    sent.length = 0
    assert.equal(acks.goOn('5'), true)
    assert.deepEqual(sent, [])
  })

  it('does not go on where the server has handled what was never sent, or less than it said before', () => {
    for (const h of ['6', '1', '-1', '3.0', 'NaN', '', '4294967296', '99999999999999', undefined, 3]) {
      const { acks, sent } = send(5)
      acks.handle(parse(`<a xmlns='${SM}' h='2'/>`))
      assert.equal(acks.goOn(h), false, String(h))
      assert.deepEqual(sent, [])
    }
  })

  it('is not tried where the server miscounts, and stays the stream that it is', () => {
    const { acks, sent } = send(5)
    let answers = 0
    acks.request(() => answers++)
    acks.handle(parse(`<a xmlns='${SM}' h='7'/>`))
    assert.equal(answers, 1)
    assert.equal(acks.resume, undefined)
    acks.send('6')
    assert.equal(sent.at(-1), '6')
  })

  it('counts beyond the largest number', () => {
    const { acks, sent } = send(3)
    // 2^32 - 2 handled is two less than none: only who has counted all the way around may say so.
    assert.equal(acks.goOn('4294967294'), false)
    assert.equal(acks.goOn('3'), true)
    assert.deepEqual(sent, [])
  })

  it('is one that the server allows, for the time it says', () => {
    const read = (attrs: string) => readEnabled(parse(`<enabled xmlns='${SM}' ${attrs}/>`))
    assert.deepEqual(read("id='a' resume='true' max='300'"), { id: 'a', max: 300_000 })
    assert.deepEqual(read("id='a' resume='1'"), { id: 'a' })
    assert.deepEqual(read("id='a' resume='1' max='often'"), { id: 'a' })
    for (const attrs of ["id='a'", "id='a' resume='false'", "resume='true'", "id='a' resume='true' max='0'"])
      assert.deepEqual(read(attrs), {}, attrs)
    const { previd, h } = { previd: 'a', h: 4 }
    assert.equal(String(writeResume({ previd, h })), `<resume xmlns="${SM}" previd="a" h="4"/>`)
    assert.equal(readResumed(parse(`<resumed previd='a' h='9'/>`), { previd, h }), '9')
    assert.equal(readResumed(parse(`<resumed previd='b' h='9'/>`), { previd, h }), undefined)
  })
})

describe('a line', () => {
  it('is asked when it is silent, and dead when it does not answer', () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 })
    // Stands in for the clock that nobody sets.
    mock.method(performance, 'now', Date.now)
    try {
      let heard = Date.now()
      let answer: (() => void) | undefined
      let questions = 0
      let deaths = 0
      const ask = (onAnswer: () => void) => {
        questions++
        answer = onAnswer
      }
      const line = watchLine({ lastHeard: () => heard, ask, onDead: () => deaths++ })
      assert.equal(questions, 1)
      mock.timers.setTime(Date.now() + 40)
      answer?.()
      heard = Date.now()
      assert.equal(line.rtt, 40)
      mock.timers.tick(60_000)
      assert.equal(questions, 1)
      mock.timers.tick(10_000)
      assert.equal(questions, 2)
      heard = Date.now() + 1
      mock.timers.tick(40_000)
      assert.equal(deaths, 0)
      mock.timers.tick(60_000)
      assert.equal(questions, 3)
      mock.timers.tick(40_000)
      assert.ok(deaths > 0)
      line.stop()
    } finally {
      mock.timers.reset()
      mock.restoreAll()
    }
  })
})
