import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressKey, asItemId, readXmppUri, sameAddress, writePlainXmppUri, writeXmppUri } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'

const juliet = readBareJid('juliet@capulet.example') as BareJid
const post = { service: juliet, node: 'urn:xmpp:microblog:0', item: asItemId('hello') }

describe('an xmpp: URI', () => {
  it('is written percent-encoded, as XEP-0277 has it', () => {
    assert.equal(writeXmppUri({ service: juliet }), 'xmpp:juliet@capulet.example')
    assert.equal(writeXmppUri(post), 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=hello')
  })

  it('is written plain for peers that compare it as text', () => {
    assert.equal(writePlainXmppUri(post), 'xmpp:juliet@capulet.example?;node=urn:xmpp:microblog:0;item=hello')
    assert.equal(
      writePlainXmppUri({ ...post, item: asItemId("a;b=c d%'&é") }),
      'xmpp:juliet@capulet.example?;node=urn:xmpp:microblog:0;item=a%3Bb%3Dc%20d%25%27%26é',
    )
  })

  const items = ['a/b', 'a.b', '100%', 'a b', 'é😀', ';item=x', "'", '?#&', 'a+b', 'x'.repeat(1023), '日'.repeat(1023)]
  for (const item of items) {
    it(`comes back with the item id ${item.slice(0, 20)}`, () => {
      const address = { ...post, item: asItemId(item) }
      assert.deepEqual(readXmppUri(writeXmppUri(address)), address)
      assert.deepEqual(readXmppUri(writePlainXmppUri(address)), address)
      assert.doesNotMatch(writeXmppUri(address), /['"<>\s]/)
    })
  }

  const read: readonly [uri: string, address: object][] = [
    ['xmpp:juliet@capulet.example', { service: juliet, node: undefined, item: undefined }],
    ['XMPP:Juliet@CAPULET.example/balcony', { service: juliet, node: undefined, item: undefined }],
    ['xmpp:juliet@capulet.example?message;body=hi', { service: juliet, node: undefined, item: undefined }],
    ['xmpp:juliet@capulet.example?;node=urn:xmpp:microblog:0;item=hello', post],
    ['xmpp:juliet@capulet.example?pubsub;action=retrieve;node=urn:xmpp:microblog:0;item=hello', post],
    ['xmpp:juliet@capulet.example?;item=hello;node=urn%3Axmpp%3Amicroblog%3A0', post],
    ['xmpp:juliet@capulet.example?;\n   node=urn%3Axmpp%3Amicroblog%3A0;\n  item=hello', post],
    ['xmpp://guest@example.com/juliet@capulet.example?;node=urn:xmpp:microblog:0;item=hello#top', post],
    ['xmpp:juliet%40capulet.example?;node=urn:xmpp:microblog:0;item=hello', post],
  ]
  for (const [uri, address] of read) {
    it(`${JSON.stringify(uri)} is read`, () => assert.deepEqual(readXmppUri(uri), address))
  }

  const wrong = [
    ...['', 'xmpp:', 'https://capulet.example/', 'xmpp:@', 'xmpp:a b@c', 'xmpp:%ff@c.example', 'xmpp:?;node=a'],
    ...['javascript:alert(1)', `xmpp:juliet@capulet.example?;node=${'a'.repeat(100_000)}`],
  ]
  for (const uri of wrong) {
    it(`is not ${JSON.stringify(uri.slice(0, 40))}`, () => assert.equal(readXmppUri(uri), undefined))
  }

  it('has no node where its node cannot be read', () => {
    assert.deepEqual(readXmppUri('xmpp:c.example?;node=%ff;item=a'), {
      service: readBareJid('c.example'),
      node: undefined,
      item: undefined,
    })
  })
})

describe('an address', () => {
  it('is the same as another by all its parts', () => {
    assert.ok(sameAddress(post, { ...post }))
    assert.ok(!sameAddress(post, { ...post, item: asItemId('other') }))
    assert.ok(!sameAddress({ service: juliet, node: 'a' }, { service: juliet, node: 'b' }))
  })

  it('has a key that no other address has', () => {
    const keys = [
      { service: juliet, node: 'a' },
      { service: juliet, node: 'a;item=b' },
      { service: juliet, node: 'a', item: asItemId('b') },
    ].map(addressKey)
    assert.equal(new Set(keys).size, 3)
  })
})
