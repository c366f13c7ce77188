import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { cleanLine, cleanText, escapeXml, readDirection, shorten } from '#shared/text.ts'
import {
  childrenOf,
  cloneXml,
  createElement,
  isWithinBounds,
  parseXml,
  textOf,
  writeSortedXml,
  writeXml,
} from '#shared/xml.ts'
import { parse } from './fixture.ts'

function nested(depth: number): Element {
  const root = new Element('a')
  let at = root
  for (let i = 1; i < depth; i++) at = at.c('a')
  return root
}

describe('the bounds of an element', () => {
  it('writes what is alike alike, whatever the order of the attributes', () => {
    const [a, b] = ["<a xmlns='x' c='1' b='2'><d f='3' e='4'/></a>", "<a b='2' xmlns='x' c='1'><d e='4' f='3'/></a>"]
    assert.equal(writeSortedXml(parse(a)), '<a b="2" c="1" xmlns="x"><d e="4" f="3"/></a>')
    assert.equal(writeSortedXml(parse(b)), writeSortedXml(parse(a)))
    assert.notEqual(writeXml(parse(b)), writeXml(parse(a)))
  })

  it('are 256 levels, however deep it is', () => {
    assert.ok(isWithinBounds(nested(256)))
    assert.ok(!isWithinBounds(nested(257)))
    assert.ok(!isWithinBounds(nested(100_000)))
  })

  it('are children in all, attributes of one, and bytes', () => {
    const wide = new Element('a')
    for (let i = 0; i < 100_000; i++) wide.c('b')
    assert.ok(!isWithinBounds(wide))
    const attributes = new Element('a', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, ''])))
    assert.ok(!isWithinBounds(attributes))
    assert.ok(isWithinBounds(new Element('a').t('x'.repeat(3_999_000))))
    assert.ok(!isWithinBounds(new Element('a').t('x'.repeat(4_000_001))))
    assert.ok(!isWithinBounds(new Element('a', { b: 'x'.repeat(4_000_001) })))
    assert.ok(!isWithinBounds(nested(3), { depth: 2 }))
  })
})

describe('the parser', () => {
  const wrong = [
    ...['', 'text', '<', '<a', '<a>', '<a></b>', '<a>&nbsp;</a>', '<a>&#0;</a>', '<a b=>', '</a>', '<a><b></a></b>'],
    ...['<a>'.repeat(500_000), `${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`, '<!--', '<![CDATA['],
  ]
  for (const xml of wrong) {
    it(`has nothing for ${JSON.stringify(xml.slice(0, 30))}`, () => assert.equal(parseXml(xml), undefined))
  }

  it('reads one element', () => {
    assert.equal(textOf(parse('<a xmlns="n">1<b>2<c/></b>&amp;<![CDATA[<3>]]></a>')), '12&<3>')
  })
})

describe('the writer', () => {
  it('declares what ancestors declared', () => {
    const root = parse('<r xmlns="r" xmlns:p="p" xmlns:q="q"><p:a><b p:c="1"/></p:a></r>')
    const [child] = root.children
    assert.ok(child instanceof Element)
    const xml = '<p:a xmlns="r" xmlns:p="p"><b p:c="1"/></p:a>'
    assert.equal(writeXml(child), xml)
    assert.equal(writeXml(cloneXml(child)), xml)
    assert.equal(cloneXml(child).parent, null)
  })

  it('leaves out what XML cannot carry', () => {
    const element = new Element('a', { 'b"onload': 'x', c: '\u0000<"\u000b\ufffe' })
    element.t('\ud800 \u0007]]>')
    element.c('b><script')
    assert.equal(writeXml(element), '<a c="&lt;&quot;">\ufffd ]]&gt;</a>')
  })

  it('keeps the order of many children', () => {
    const xml = '<a>1<b>2<c>3</c>4</b>5<d/>6</a>'
    assert.equal(writeXml(parse(xml)), xml)
    assert.equal(writeXml(cloneXml(parse(xml))), xml)
  })

  it('does not recurse', () => {
    assert.equal(writeXml(nested(50_000)).length, 49_999 * 7 + 4)
    assert.equal(textOf(nested(50_000)), '')
    assert.ok(cloneXml(nested(50_000)))
  })
})

describe('an element', () => {
  it('is made without what is undefined, and clean', () => {
    const element = createElement('a', { b: undefined, c: 'd\u0001' }, undefined, 'text\u0002', createElement('e'))
    assert.equal(writeXml(element), '<a c="d">text<e/></a>')
  })

  it('has children of a name and namespace, prefixed or not', () => {
    const root = parse('<r xmlns="n" xmlns:p="n" xmlns:o="o"><a/><p:a/><o:a/><b/></r>')
    assert.deepEqual(
      childrenOf(root, 'a', 'n').map(({ name }) => name),
      ['a', 'p:a'],
    )
  })
})

describe('text', () => {
  it('loses control characters and lone surrogates, and nothing else', () => {
    assert.equal(cleanText('a\u0000\u0008\u000b\u001f\u007f\u0080\ufffe\uffffb'), 'ab')
    assert.equal(cleanText('\ud83d'), '\ufffd')
    assert.equal(cleanText('1\r\n2\r3\n4\t5'), '1\n2\n3\n4\t5')
    const whole = '日本語 مرحبا 👩‍👩‍👧‍👦 🏳️‍🌈 \u200f\u200e نمی‌خواهم \u00a0\u2028'
    assert.equal(cleanText(whole), whole)
  })

  it('is one line for a title, without overrides of direction', () => {
    assert.equal(cleanLine(' a\n\tb \u202egpj.exe\u2066 ', 100), 'a b gpj.exe')
    assert.equal(cleanLine('a'.repeat(1_000_000), 10), `${'a'.repeat(9)}…`)
    assert.equal(cleanLine(`${' '.repeat(1_000_000)}a`, 10), '')
  })

  it('is cut at a word, and never within a character', () => {
    assert.equal(shorten('one two three', 9), 'one two…')
    assert.equal(shorten('one two', 7), 'one two')
    assert.equal(shorten('onetwothree', 7), 'onetwo…')
    assert.equal(shorten('😀😀😀😀', 4), '😀…')
  })

  it('is escaped for elements and attributes', () => {
    assert.equal(escapeXml(`<a b="c">'&\u0000`), "&lt;a b=&quot;c&quot;&gt;'&amp;")
  })

  it('has the direction of its first letter', () => {
    assert.equal(readDirection('123 — مرحبا hello'), 'rtl')
    assert.equal(readDirection('שלום'), 'rtl')
    assert.equal(readDirection('hello مرحبا'), 'ltr')
    assert.equal(readDirection('日本'), 'ltr')
    assert.equal(readDirection('123 😀'), undefined)
  })
})
