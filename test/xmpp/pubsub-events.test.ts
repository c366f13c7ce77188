import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element, parse } from 'ltx'
import { readPubsubEvents } from '#server/xmpp/pubsub-events.ts'

const EVENT = 'http://jabber.org/protocol/pubsub#event'
const read = (inside: string, attributes = "from='Juliet@Capulet.example'") =>
  readPubsubEvents(parse(`<message ${attributes}><event xmlns='${EVENT}'>${inside}</event></message>`))
const service = 'juliet@capulet.example'

describe('pubsub events', () => {
  it('carry items, each one an event, with publisher and payload', () => {
    const [one, two] = read(
      "<items node='n'><item id='1' publisher='romeo@montague.example/x'><entry xmlns='http://www.w3.org/2005/Atom'/></item><item id='2'/></items>",
    )
    assert.equal(one?.kind, 'published')
    assert.deepEqual(one?.address, { service, node: 'n', item: '1' })
    assert.ok(one?.kind === 'published')
    assert.equal(one.item?.publisher, 'romeo@montague.example/x')
    assert.equal(one.item?.payload?.getNS(), 'http://www.w3.org/2005/Atom')
    assert.deepEqual(two, { kind: 'published', address: { service, node: 'n', item: '2' } })
  })

  it('hand out payloads that stand for themselves', () => {
    const [event] = read(
      "<items node='n'><item id='1'><a:entry><a:title/></a:entry></item></items>",
      "from='a.example' xmlns:a='urn:a'",
    )
    assert.ok(event?.kind === 'published')
    assert.equal(event.item?.payload?.parent, null)
    assert.equal(event.item?.payload?.getChild('title')?.getNS(), 'urn:a')
    assert.equal(String(event.item?.payload), '<a:entry xmlns:a="urn:a"><a:title/></a:entry>')
  })

  it('tell of retractions, purges, deletions, configurations and subscriptions', () => {
    const address = { service, node: 'n' }
    assert.deepEqual(read("<items node='n'><retract id='1'/><retract id='2'/></items>"), [
      { kind: 'retracted', address: { ...address, item: '1' } },
      { kind: 'retracted', address: { ...address, item: '2' } },
    ])
    assert.deepEqual(read("<purge node='n'/>"), [{ kind: 'purged', address }])
    assert.deepEqual(read("<delete node='n'/>"), [{ kind: 'deleted', address }])
    const redirect = 'xmpp:romeo@montague.example?;node=m'
    assert.deepEqual(read(`<delete node='n'><redirect uri='${redirect}'/></delete>`), [
      { kind: 'deleted', address, redirect },
    ])
    assert.deepEqual(read("<delete node='n'><redirect uri='javascript:alert(1)'/></delete>"), [
      { kind: 'deleted', address },
    ])
    assert.deepEqual(read("<configuration node='n'/>"), [{ kind: 'configured', address, config: undefined }])
    const field = "<field var='pubsub#access_model'><value>presence</value></field>"
    const form = `<x xmlns='jabber:x:data' type='result'>${field}</x>`
    assert.deepEqual(read(`<configuration node='n'>${form}</configuration>`), [
      { kind: 'configured', address, config: { access_model: 'presence' } },
    ])
    assert.deepEqual(read("<subscription node='n' jid='a@b' subscription='pending'/>"), [
      { kind: 'subscription', address, state: 'pending' },
    ])
  })

  it('are none in errors, in other stanzas, from nobody, from a client, or without a node or an id', () => {
    const item = "<items node='n'><item id='1'/></items>"
    assert.equal(read(item, "from='a.example'").length, 1)
    assert.deepEqual(read(item, "from='a.example' type='error'"), [])
    assert.deepEqual(read(item, ''), [])
    assert.deepEqual(read(item, "from='@'"), [])
    // Any client can send a message with an event to anybody, and say in it who published what.
    assert.deepEqual(read(item, "from='juliet@capulet.example/phone'"), [])
    assert.deepEqual(read("<items><item id='1'/></items><purge/>"), [])
    assert.deepEqual(read("<items node='n'><item/><item id=''/><retract/><other id='3'/></items>"), [])
    assert.deepEqual(readPubsubEvents(parse(`<iq from='a.example'><event xmlns='${EVENT}'>${item}</event></iq>`)), [])
    assert.deepEqual(
      readPubsubEvents(parse(`<message from='a.example'><event xmlns='urn:x'>${item}</event></message>`)),
      [],
    )
  })

  it('never throw, however deep, wide or large', () => {
    const message = (inside: Element) => {
      const stanza = new Element('message', { from: 'a.example' })
      stanza.c('event', { xmlns: EVENT }).c('items', { node: 'n' }).c('item', { id: '1' }).cnode(inside)
      return stanza
    }
    let deep = new Element('b')
    for (let depth = 0; depth < 50_000; depth++) deep = new Element('b').cnode(deep).up()
    const wide = new Element('b', Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`a${n}`, ''])))
    for (const payload of [deep, wide, new Element('b').t('x'.repeat(5_000_000))]) {
      const events = readPubsubEvents(message(payload))
      assert.deepEqual(events, [{ kind: 'published', address: { service: 'a.example', node: 'n', item: '1' } }])
    }
    const hostile = new Element('message', { from: 'a.example' })
    hostile.cnode(message(deep))
    assert.deepEqual(readPubsubEvents(hostile), [])
  })
})
