import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { type Element, parse } from 'ltx'
import { createAcks } from '#server/xmpp/acks.ts'
import { watchLine } from '#server/xmpp/watch-line.ts'
import { startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const SM = 'urn:xmpp:sm:3'

describe('stream management', () => {
  it('is enabled once, without resumption, and counts what comes in', async () => {
    await using server = await startFakeServer({
      features: `<sm xmlns='${SM}'/>`,
      onStanza: (stanza, { send }) => stanza.name === 'enable' && send(`<enabled xmlns='${SM}'/>`),
    })
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(10_000)
    const [connection] = server.connections
    connection?.send(`<message from='a.example'/><presence from='a.example'/><r xmlns='${SM}'/>`)
    const [answer] = await until(() => {
      const answers = server.received.filter((element) => element.is('a', SM))
      return answers.length > 0 ? answers : undefined
    })
    assert.equal(answer?.attrs.h, '2')
    const enables = server.received.filter((element) => element.name === 'enable')
    assert.equal(enables.length, 1)
    assert.equal(enables[0]?.attrs.resume, undefined)
    assert.equal(server.received.filter((element) => element.name === 'resume').length, 0)
  })

  it('is not used where the server changes its mind', async () => {
    await using server = await startFakeServer({
      features: `<sm xmlns='${SM}'/>`,
      onStanza: (stanza, { send }) => stanza.name === 'enable' && send(`<failed xmlns='${SM}'/>`),
    })
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(10_000)
    server.connections[0]?.send("<iq type='get' id='p' from='fake.test'><ping xmlns='urn:xmpp:ping'/></iq>")
    await until(() => server.received.some(({ attrs }) => attrs.id === 'p'))
  })

  it('acknowledges stanzas and nothing else', () => {
    const sent: Element[] = []
    const acks = createAcks((element) => void sent.push(element))
    let answers = 0
    acks.request(() => answers++)
    for (const xml of ['<iq/>', '<x/>', `<a xmlns='${SM}' h='7'/>`, '<message/>', `<r xmlns='${SM}'/>`])
      acks.handle(parse(xml))
    assert.deepEqual(sent.map(String), [`<r xmlns="${SM}"/>`, `<a xmlns="${SM}" h="2"/>`])
    assert.equal(answers, 1)
  })
})

describe('a line', () => {
  it('is asked when it is silent, and dead when it does not answer', () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 })
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
    }
  })
})
