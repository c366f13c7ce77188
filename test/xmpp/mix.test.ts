import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { RoomMessage, XmppSession } from '#server/xmpp/ports.ts'
import { readRoomMessage } from '#server/xmpp/room-messages.ts'
import type { BareJid } from '#shared/jid.ts'
import { createElement as el, parseXml, writeXml } from '#shared/xml.ts'
import { type Rig, useRig } from '../support/rig.ts'
import { openTestSession } from '../support/test-session.ts'
import { until } from '../support/until.ts'

describe('a channel of a real ejabberd, joined by way of the own server', () => {
  const end = randomUUID().slice(0, 8)
  const [ear, speaker] = [`ear-${end}`, `speaker-${end}`]
  let rig: Rig
  let site: XmppSession
  let person: XmppSession
  let channel: BareJid
  const heard: RoomMessage[] = []

  before(async () => {
    rig = await useRig()
    for (const user of [ear, speaker]) await rig.ejabberd.register(user, `password of ${user}`)
    site = openTestSession(rig.ejabberd, ear, { isSite: true })
    person = openTestSession(rig.ejabberd, speaker)
    await Promise.all([site.whenOnline(30_000), person.whenOnline(30_000)])
    site.mix.onMessage((message) => heard.push(message))
    const service = await person.mix.findService()
    assert.equal(service, 'mix.ejabberd.test')
    channel = await person.mix.createChannel(service)
  })
  after(async () => {
    await Promise.all([site?.stop(), person?.stop()])
    await rig?.stop()
  })

  it('has participants with their ids, addresses and nicknames', async () => {
    const id = await person.mix.join(channel, 'Juliet')
    await site.mix.join(channel, 'Canto')
    const people = await site.mix.listParticipants(channel)
    assert.deepEqual(
      people.find((one) => one.id === id),
      { id, jid: person.jid, nick: 'Juliet' },
    )
    assert.equal(people.length, 2)
  })

  it('brings a message to the other, and its answer names who spoke, whatever the sender put in', async () => {
    const forged = el(
      'mix',
      { xmlns: 'urn:xmpp:mix:core:0' },
      el('nick', {}, 'Romeo'),
      el('jid', {}, 'romeo@montague.example'),
    )
    await person.sendMessage({ to: channel, type: 'groupchat', id: 'own', body: 'Who is there?', payloads: [forged] })
    const message = await until(() => heard[0], { what: 'the message' })
    assert.equal(message.channel, channel)
    assert.deepEqual(message.stamped, { jid: person.jid, nick: 'Juliet' })
    assert.doesNotMatch(writeXml(message.payload), /Romeo|romeo/)
  })

  it('has the same in its archive as came live, page by page', async () => {
    for (const n of [1, 2, 3]) await person.sendMessage({ to: channel, type: 'groupchat', body: `Number ${n}` })
    await until(() => heard.length === 4, { what: 'four messages' })
    const first = await site.mix.readArchive(channel, { max: 3 })
    assert.equal(first.messages.length, 3)
    assert.equal(first.isComplete, false)
    const rest = await site.mix.readArchive(channel, { after: first.last ?? '' })
    assert.equal(rest.isComplete, true)
    const archived = [...first.messages, ...rest.messages]
    assert.deepEqual(
      archived.map(({ payload }) => writeXml(payload)),
      heard.map(({ payload }) => writeXml(payload)),
    )
  })

  it('says at once that a channel is not there', async () => {
    const missing = `${randomUUID()}@mix.ejabberd.test` as BareJid
    await assert.rejects(person.mix.join(missing), { code: 'not-found' })
  })

  it('is not offered to an account of a server without it', async () => {
    await rig.prosody.register(speaker, `password of ${speaker}`)
    await using other = openTestSession(rig.prosody, speaker)
    await other.whenOnline(30_000)
    assert.equal(await other.mix.isOffered(), false)
    assert.equal(await other.mix.findService(), undefined)
  })
})

describe('a message that claims to be of a channel', () => {
  const read = (xml: string) => readRoomMessage(parseXml(xml) ?? assert.fail('no XML'))

  it('is nobody’s without a resource, a type and an id', () => {
    assert.equal(read('<message type="groupchat" id="1" from="c@mix.example"><body>x</body></message>'), undefined)
    assert.equal(read('<message type="groupchat" from="c@mix.example/p"><body>x</body></message>'), undefined)
    assert.equal(read('<message type="chat" id="1" from="c@mix.example/p"><body>x</body></message>'), undefined)
    const long = 'i'.repeat(300)
    assert.equal(read(`<message type="groupchat" id="${long}" from="c@mix.example/p"/>`), undefined)
  })
})
