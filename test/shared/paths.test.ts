import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import {
  blogPath,
  nodePath,
  postPath,
  readBlogSegment,
  readItemSegment,
  tagPath,
  writeItemSegment,
} from '#shared/paths.ts'

const jid = (text: string) => readBareJid(text) as BareJid
const site = { domain: jid('capulet.example') }
const MICROBLOG = 'urn:xmpp:microblog:0'

describe('an item id in a web address', () => {
  for (const id of [
    'hello-world-ab12cd34',
    'A',
    '0',
    'edit',
    'a_b',
    '5f1c2e9a-7e1c-4b64',
    'Tag',
    '20260',
    'x'.repeat(1023),
  ]) {
    it(`stays itself where it is plain: ${id.slice(0, 30)}`, () => {
      assert.equal(writeItemSegment(id), id)
      assert.equal(readItemSegment(id), id)
    })
  }

  const awkward = [
    ...[
      'tag',
      'room',
      'about',
      'archive',
      '2026',
      'atom.xml',
      'feed.json',
      'a/b',
      '../..',
      '.',
      '100%',
      'a b',
      ' ',
      '-a',
    ],
    ...[
      '_a',
      '~',
      '~YQ',
      'é',
      '日本語',
      '😀',
      'xmpp:a@b?;node=c',
      '\'"<>',
      '\u0000',
      'a+b',
      'ä'.repeat(1023),
      '.'.repeat(1023),
    ],
  ]
  for (const id of awkward) {
    it(`is encoded where it is not: ${JSON.stringify(id.slice(0, 30))}`, () => {
      const segment = writeItemSegment(id)
      assert.match(segment, /^~[A-Za-z0-9_-]+$/)
      assert.equal(readItemSegment(segment), id)
    })
  }

  it('is found by the percent-encoded id too, which redirects', () => {
    for (const id of ['a/b', 'a.b', '100%', 'é', '~x', '~!']) {
      assert.equal(readItemSegment(id), id)
      assert.notEqual(writeItemSegment(id), id)
    }
  })

  it('is none where the word is ours', () => {
    for (const word of ['tag', 'room', 'about', 'archive', '2026', '', '~'])
      assert.equal(readItemSegment(word), undefined)
  })

  it('is taken for itself where it only looks encoded', () => {
    // Not UTF-8, not canonical (would be plain), and with spare bits.
    for (const id of ['~_w', '~aGVsbG8', '~YR']) assert.equal(readItemSegment(id), id)
  })
})

describe('web addresses', () => {
  it('name an account of the site by its local part, any other whole', () => {
    assert.equal(blogPath(site, jid('juliet@capulet.example')), '/@juliet')
    assert.equal(blogPath(site, jid('romeo@montague.example')), '/@romeo@montague.example')
    assert.equal(blogPath(site, jid('juliet@sub.capulet.example')), '/@juliet@sub.capulet.example')
    assert.equal(blogPath(site, jid('jülia@bücher.example')), '/@j%C3%BClia@b%C3%BCcher.example')
    assert.equal(blogPath(site, jid('a%b?c@capulet.example')), '/@a%25b%3Fc')
  })

  it('name posts, tags and other nodes', () => {
    const blog = { service: jid('juliet@capulet.example'), node: MICROBLOG }
    assert.equal(postPath(site, { ...blog, item: asItemId('hello') }), '/@juliet/hello')
    assert.equal(postPath(site, { ...blog, item: asItemId('atom.xml') }), '/@juliet/~YXRvbS54bWw')
    assert.equal(
      postPath(site, { service: jid('pubsub.capulet.example'), node: 'my/node', item: asItemId('a') }),
      '/c/pubsub.capulet.example/my%2Fnode/a',
    )
    assert.equal(
      nodePath(site, { service: jid('pubsub.capulet.example'), node: MICROBLOG }),
      `/c/pubsub.capulet.example/${encodeURIComponent(MICROBLOG)}`,
    )
    assert.equal(nodePath(site, { ...blog, node: 'other' }), '/c/juliet%40capulet.example/other')
    assert.equal(tagPath(site, 'söt/1'), '/tag/s%C3%B6t%2F1')
    assert.equal(tagPath(site, 'x', blog), '/@juliet/tag/x')
  })

  const segments: readonly [segment: string, account: string, canonical: string][] = [
    ['@juliet', 'juliet@capulet.example', '@juliet'],
    ['@Juliet', 'juliet@capulet.example', '@juliet'],
    ['@juliet@capulet.example', 'juliet@capulet.example', '@juliet'],
    ['@romeo@MONTAGUE.example', 'romeo@montague.example', '@romeo@montague.example'],
    ['@romeo@xn--bcher-kva.example', 'romeo@bücher.example', '@romeo@bücher.example'],
  ]
  for (const [segment, account, canonical] of segments) {
    it(`lead from ${segment} to ${account}`, () => {
      assert.deepEqual(readBlogSegment(site, segment), { jid: account, canonical })
    })
  }

  it('lead nowhere from what is no account', () => {
    for (const segment of ['juliet', '@', '@a b', '@juliet/x', '@@', '@a@b@c', '@juliet@', '@capulet.example@']) {
      assert.equal(readBlogSegment(site, segment), undefined)
    }
  })
})
