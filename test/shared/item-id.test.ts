import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { createItemId, createTagUri, isOwnTagUri } from '#shared/item-id.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { writeItemSegment } from '#shared/paths.ts'

const juliet = readBareJid('juliet@capulet.example') as BareJid
const RANDOM = '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed'

describe('a new item id', () => {
  const titles: readonly [title: string, id: string][] = [
    ['Hello, World!', 'hello-world-1b9d6bcd'],
    ['Crème brûlée & naïveté', 'creme-brulee-naivete-1b9d6bcd'],
    ["Don't", 'dont-1b9d6bcd'],
    ['', '1b9d6bcd'],
    ['日本語', '1b9d6bcd'],
    ['مرحبا', '1b9d6bcd'],
    ['😀', '1b9d6bcd'],
    ['tag', 'tag-1b9d6bcd'],
    ['2026', '2026-1b9d6bcd'],
    ['../../etc/passwd', 'etc-passwd-1b9d6bcd'],
  ]
  for (const [title, id] of titles) {
    it(`of ${JSON.stringify(title)} is ${id}`, () => assert.equal(createItemId(title, RANDOM), id))
  }

  it('has 60 characters at most and ends with whole words', () => {
    const id = createItemId('The quick brown fox jumps over the lazy dog and then sleeps', RANDOM)
    assert.equal(id, 'the-quick-brown-fox-jumps-over-the-lazy-dog-and-1b9d6bcd')
    assert.equal(createItemId('a'.repeat(1_000_000), RANDOM).length, 60)
  })

  it('is always plain in a web address', () => {
    for (const title of ['', 'tag', 'archive', '2026', '---', '~']) {
      const id = createItemId(title, RANDOM)
      assert.equal(writeItemSegment(id), id)
    }
  })

  it('needs eight random characters', () => {
    assert.throws(() => createItemId('a', '---abc'), RangeError)
  })
})

describe('the tag: of an entry', () => {
  const created = new Date('2026-03-14T23:30:00-05:00')

  it('has the domain in A-labels, the UTC date, and the rest percent-encoded', () => {
    assert.equal(createTagUri(juliet, created, asItemId('hello')), 'tag:capulet.example,2026-03-15:juliet/hello')
    const jid = readBareJid('jülia@bücher.example') as BareJid
    assert.equal(
      createTagUri(jid, created, asItemId("a b/'é")),
      'tag:xn--bcher-kva.example,2026-03-15:j%C3%BClia/a%20b%2F%27%C3%A9',
    )
  })

  it('is known as its own author and item only', () => {
    const id = createTagUri(juliet, created, asItemId('hello'))
    const romeo = readBareJid('romeo@capulet.example') as BareJid
    assert.ok(isOwnTagUri(id, juliet, asItemId('hello')))
    assert.ok(isOwnTagUri('tag:capulet.example,1999-01-01:juliet/hello', juliet, asItemId('hello')))
    assert.ok(!isOwnTagUri(id, romeo, asItemId('hello')))
    assert.ok(!isOwnTagUri(id, juliet, asItemId('ello')))
    for (const wrong of [
      'hello',
      '',
      'tag:capulet.example,2026:juliet/hello',
      `${id}#a`,
      'tag:capulet.example,:juliet/hello',
    ]) {
      assert.ok(!isOwnTagUri(wrong, juliet, asItemId('hello')), wrong)
    }
  })
})
