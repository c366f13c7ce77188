import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { attachmentsOf, readAttachmentsNode } from '#shared/profiles/index.ts'
import { readEmoji, readReactions, writeEmoji, writeReaction } from '#shared/reactions.ts'
import { parseXml, writeXml } from '#shared/xml.ts'
import { jidOf } from '#test/support/context.ts'

const address = (item: string): ItemAddress => ({
  service: jidOf('juliet@capulet.lit'),
  node: 'urn:xmpp:microblog:0',
  item: asItemId(item),
})

describe('an emoji', () => {
  it('is one and the same however it is written', () => {
    for (const heart of ['♥', '♥️', '❤', '❤️', ' ❤️ ', '♥\ufe0e']) assert.equal(readEmoji(heart), '♥')
    assert.equal(readEmoji('☺'), readEmoji('☺️'))
    assert.equal(writeEmoji('☺'), '☺️')
    assert.equal(writeEmoji('♥'), '❤️')
    for (const whole of ['👨‍👩‍👧‍👦', '👁️‍🗨️', '🏳️‍🌈', '🇮🇹', '👍🏿', '1️⃣', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'])
      assert.equal(writeEmoji(readEmoji(whole) ?? ''), whole)
  })

  it('is none of anything else', () => {
    for (const other of ['', ' ', 'a', '1', '#', '👍👍', '👍!', '<b>', '\u200d', 'x'.repeat(1e6), '👍'.repeat(1e5)])
      assert.equal(readEmoji(other), undefined)
  })
})

describe('attachments', () => {
  it('are on the node that XEP-0470 and Libervia name', () => {
    const node =
      'urn:xmpp:pubsub-attachments:1/xmpp:juliet@capulet.lit?;node=urn%3Axmpp%3Amicroblog%3A0;item=balcony-restoration-afd1'
    assert.equal(attachmentsOf(address('balcony-restoration-afd1')).node, node)
    for (const item of ['a b', 'a;b=c', 'ü/%2F', "it's (*)!", '~x']) {
      assert.deepEqual(readAttachmentsNode(attachmentsOf(address(item))), address(item))
    }
    assert.equal(readAttachmentsNode({ service: jidOf('evil.example'), node }), undefined)
  })

  it('are bounded: 20 emoji of a person, whatever is sent', () => {
    const many = [...'😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔😕😖']
      .map((each) => `<reaction>${each}</reaction>`)
      .join('')
    const payload = parseXml(
      `<attachments xmlns='urn:xmpp:pubsub-attachments:1'><reactions timestamp='2026-01-01T00:00:00Z'>` +
        `<reaction>${'A novel. '.repeat(10_000)}</reaction>${many}</reactions></attachments>`,
    )
    assert.ok(payload)
    assert.equal(readReactions(payload)?.emoji.length, 20)
    assert.equal(readReactions(parseXml('<entry/>') ?? payload), undefined)
  })

  it('are changed one by one, also where they have a prefix', () => {
    const former = parseXml(
      `<a:attachments xmlns:a='urn:xmpp:pubsub-attachments:1'><a:noticed/><a:reactions><a:reaction>👍</a:reaction></a:reactions></a:attachments>`,
    )
    const now = new Date('2026-01-02T00:00:00Z')
    const more = writeReaction(former, { emoji: '♥', isOn: true, now })
    const read = parseXml(writeXml(more))
    assert.ok(read)
    assert.deepEqual(readReactions(read), { emoji: ['👍', '♥'], at: now })
    const less = writeReaction(writeReaction(read, { emoji: '👍', isOn: false, now }), { emoji: '♥', isOn: false, now })
    assert.doesNotMatch(writeXml(less), /reaction>/)
    assert.match(writeXml(less), /noticed/)
  })
})
