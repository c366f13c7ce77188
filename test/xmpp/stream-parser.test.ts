import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Element } from 'ltx'
import { readStanzaError } from '#server/xmpp/errors.ts'
import { readItem } from '#server/xmpp/pubsub-events.ts'
import { MOST_OF_TAG, OWN, STRANGER, type StanzaBounds } from '#server/xmpp/stanza-bounds.ts'
import { FrameParser, isSkipped, StreamParser } from '#server/xmpp/stream-parser.ts'
import { readSubscription } from '#shared/subscription-list.ts'
import { makePost } from '#test/bench/posts.ts'
import { measureKept } from '#test/support/kept-heap.ts'

const HEADER =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

function parse(bounds: StanzaBounds, pieces: Iterable<string>, parser = new StreamParser()) {
  const elements: Element[] = []
  let ends = 0
  parser.bounds = bounds
  parser.on('element', (element) => elements.push(element))
  parser.on('end', () => ends++)
  let most = 0
  for (const piece of pieces) {
    parser.write(piece)
    most = Math.max(most, parser.heldBytes)
  }
  return { elements, most, parser, ends }
}

/** The text in pieces of so many characters. */
function* cut(text: string, size: number): Iterable<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
}

function* repeat(text: string, times: number): Iterable<string> {
  for (let n = 0; n < times; n++) yield text
}

describe('the parser of a stream', () => {
  const STREAM = `${HEADER}\n<message to='a>b' from="it's"><body>x > y &amp; z</body><![CDATA[<no/> ]] ]]]></message> <a/><b><c d='/'/></b ></stream:stream>`

  it('reads the same however the text is cut', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const { elements, ends } = parse(STRANGER, cut(STREAM, size))
      assert.deepEqual(
        elements.map(String),
        [
          '<message to="a&gt;b" from="it&apos;s"><body>x &gt; y &amp; z</body>&lt;no/&gt; ]] ]</message>',
          '<a/>',
          '<b><c d="/"/></b>',
        ],
        `pieces of ${size}`,
      )
      assert.equal(ends, 1)
      assert.equal(elements[0]?.getNS(), 'jabber:client')
    }
  })

  it('refuses what is not XML, or not allowed in a stream', () => {
    for (const wrong of [
      '<a></b>',
      '<a><b></a></b>',
      '</a>',
      '<a>&nonsense;</a>',
      '<!-- a comment --><a/>',
      '<a><!-- a comment --></a>',
      '<!DOCTYPE a [<!ENTITY b "c">]><a/>',
      '<a><?an instruction?></a>',
      // These look whole to a reader of tags alone, or have elements where it sees an attribute.
      '<a b=c></a><d/>',
      `<="<b/><b/>">`,
    ]) {
      assert.throws(() => parse(STRANGER, [HEADER, wrong, '<a/>']), /XML|entity/, wrong)
    }
  })

  const over: Record<string, string> = {
    elements: `<iq id='1' type='result'>${'<a/>'.repeat(20_000)}</iq>`,
    depth: `<iq id='1' type='result'>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</iq>`,
    attributes: `<iq id='1' type='result'><a ${[...Array(65).keys()].map((n) => `a${n}=''`).join(' ')}/></iq>`,
    'the characters of one tag': `<iq id='1' type='result'><a b='${'x'.repeat(MOST_OF_TAG)}'/></iq>`,
  }
  for (const [what, stanza] of Object.entries(over)) {
    it(`keeps only name and attributes of a stanza that is over the bound of ${what}`, () => {
      for (const size of [1_000, 70_001, 2_000_000]) {
        const { elements, parser } = parse(STRANGER, cut(`${HEADER}<a/>${stanza}<b><c/></b>`, size))
        assert.deepEqual(elements.map(String), ['<a/>', '<iq id="1" type="result"/>', '<b><c/></b>'])
        assert.deepEqual(elements.map(isSkipped), [false, true, false])
        assert.equal(parser.finished, 3)
        assert.equal(parser.heldBytes, 0)
        const framed = parse(STRANGER, [...cut(`${stanza}<b><c/></b>`, size)], new FrameParser())
        assert.deepEqual(framed.elements.map(isSkipped), [true, false])
      }
    })
  }

  it('reads what is just within the bounds', () => {
    const inside = '<a/>'.repeat(19_990) + '<a>'.repeat(9) + '</a>'.repeat(9)
    const { elements } = parse(STRANGER, [HEADER, `<iq>${inside}</iq>`])
    assert.deepEqual(elements.map(isSkipped), [false])
  })

  it('holds no more of a stanza that never ends than the bounds allow', () => {
    const endless: Record<string, string> = {
      elements: '<a/>'.repeat(16_384),
      depth: '<a>'.repeat(16_384),
      attributes: `<a ${[...Array(60).keys()].map((n) => `a${n}=''`).join(' ')}/>`.repeat(128),
      text: 'x'.repeat(65_536),
    }
    for (const [what, piece] of Object.entries(endless)) {
      assert.throws(() => parse(STRANGER, [HEADER, '<message>', ...repeat(piece, 200)]), /more at once/, what)
      const { most, elements } = parse(OWN, [HEADER, '<message>', ...repeat(piece, 200)])
      assert.ok(most < 150_000_000, `${what}: ${most}`)
      assert.deepEqual(elements, [])
    }
  })

  it('ends where a tag outside of a stanza never does', () => {
    for (const begin of ['<', '<a b="', '</', '<a ']) {
      assert.throws(() => parse(OWN, [HEADER, begin, ...repeat('x'.repeat(65_536), 20)]), /more at once/, begin)
    }
  })

  it('does not take white space between stanzas for one that is unfinished', () => {
    const { parser } = parse(STRANGER, [HEADER, '<a/>', ...repeat(' \n', 1_000_000)])
    assert.equal(parser.isInside, false)
    assert.equal(parser.heldBytes, 0)
    parser.write('<')
    assert.equal(parser.isInside, true)
  })

  it('lets nothing that is kept of a stanza keep the rest of it', async () => {
    const junk = 'x'.repeat(1_000_000)
    const service = 'a-service-with-a-long-name.evil.example'
    const write = (n: number) =>
      `<iq type='result'><query node='${junk}'/><junk>${junk.slice(n * 1_000)}</junk><error type='cancel'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Some words, ${n} &amp; more</text></error><feature var='urn:example:feature:${n}'/><items><item id='an-id-with-a-number-${n}' publisher='juliet@capulet.example'><subscription xmlns='urn:xmpp:pubsub:subscription' server='${service}' node='urn:xmpp:microblog:${n}'><title>A title that is ${n}</title></subscription></item></items><set><last>the-cursor-of-page-${n}</last></set><an-element-with-a-long-name/></iq>`
    const read = (stanza: Element) => {
      const item = readItem(stanza.getChild('items')?.getChild('item') as Element)
      return [
        item,
        readSubscription(item?.payload as Element),
        stanza.getChild('set')?.getChildText('last'),
        stanza.getChild('feature')?.attrs.var,
        stanza.getChildElements().at(-1)?.name,
        readStanzaError(stanza, service),
      ]
    }
    const answers = 40
    for (const size of [4_096, 65_536, 10_000_000]) {
      const { kept, bytes } = await measureKept(() => {
        const found: unknown[] = []
        const parser = new StreamParser()
        parser.bounds = STRANGER
        parser.on('element', (stanza) => found.push(read(stanza)))
        parser.write(HEADER)
        for (let n = 0; n < answers; n++) for (const piece of cut(write(n), size)) parser.write(piece)
        return found
      })
      assert.equal(kept.length, answers)
      assert.ok(bytes < (answers * 2 * junk.length) / 50, `pieces of ${size}: ${bytes} bytes kept`)
    }
  })

  it('of its own server takes as many elements as posts of so many characters have', () => {
    const post = `<item id='x'>${makePost(0).payload}</item>`
    const { elements } = parse(OWN, [HEADER, '<iq>', ...repeat(post, 10_000), '</iq>'])
    assert.deepEqual(elements.map(isSkipped), [false])
    assert.equal(elements[0]?.children.length, 10_000)
  })
})
