import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { type Feed, type FeedEntry, feedEntryId, writeFeed, writeJsonFeed } from '#shared/atom.ts'
import { createTagUri } from '#shared/item-id.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { sanitizeHtml } from '#shared/markup.ts'
import { NS } from '#shared/ns.ts'
import { childrenOf, textOf } from '#shared/xml.ts'
import { parse } from './fixture.ts'

const jid = (text: string) => readBareJid(text) as BareJid
const juliet = jid('juliet@capulet.example')
const now = new Date('2026-03-20T00:00:00Z')
const address = { service: juliet, node: NS.MICROBLOG, item: asItemId('hello') }
const entry: FeedEntry = {
  id: 'tag:capulet.example,2026-03-14:juliet/hello',
  title: 'Hello & <world>',
  html: sanitizeHtml('<p id="a">Text<br><a href="#a">up</a> <img src="https://a.example/b.png"></p>'),
  summary: 'In short',
  published: new Date('2026-03-14T09:26:53Z'),
  updated: new Date('2026-03-15T00:00:00Z'),
  author: { name: 'Juliet', jid: juliet },
  tags: ['a"b', '<c>'],
  language: 'en',
  alternate: 'https://capulet.example/@juliet/hello',
  xmppUri: 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=hello',
  comments: {
    page: 'https://capulet.example/@juliet/hello#comments',
    feed: 'https://capulet.example/@juliet/hello/atom.xml',
    count: 2,
  },
}
const feed: Feed = {
  id: 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0',
  title: 'The Balcony',
  subtitle: 'Night & day',
  alternate: 'https://capulet.example/@juliet',
  self: 'https://capulet.example/@juliet/atom.xml?before=x&y',
  first: 'https://capulet.example/@juliet/atom.xml',
  next: 'https://capulet.example/@juliet/atom.xml?before=z',
  updated: now,
  language: 'en',
  stylesheet: '/feed.css',
  author: { name: 'Juliet', jid: juliet },
  entries: [entry],
}

function links(xml: string, path: 'feed' | 'entry') {
  const root = parse(xml)
  const element = path === 'feed' ? root : childrenOf(root, 'entry', NS.ATOM)[0]
  assert.ok(element !== undefined)
  return childrenOf(element, 'link', NS.ATOM).map(({ attrs }) => [attrs.rel, attrs.href])
}

describe('an Atom feed', () => {
  const xml = writeFeed(feed, now)

  it('has what RFC 4287 asks of a feed', () => {
    const root = parse(xml.replace(/^(<\?.*\?>\n)+/, ''))
    assert.ok(root.is('feed', NS.ATOM))
    for (const name of ['title', 'id', 'updated']) assert.equal(childrenOf(root, name, NS.ATOM).length, 1, name)
    assert.match(
      xml,
      /^<\?xml version="1\.0" encoding="utf-8"\?>\n<\?xml-stylesheet type="text\/css" href="\/feed\.css"\?>\n<feed /,
    )
    assert.match(xml, /<author><name>Juliet<\/name><uri>xmpp:juliet@capulet\.example<\/uri><\/author>/)
    assert.match(xml, /<subtitle>Night &amp; day<\/subtitle>/)
    assert.match(xml, /<feed [^>]*xml:lang="en">/)
  })

  it('leads to itself, its page and its other pages', () => {
    assert.deepEqual(links(xml, 'feed'), [
      ['self', feed.self],
      ['alternate', feed.alternate],
      ['first', feed.first],
      ['next', feed.next],
    ])
  })

  it('has entries with one whole content, in XHTML, with absolute links', () => {
    const [read] = childrenOf(parse(xml), 'entry', NS.ATOM)
    assert.ok(read !== undefined)
    const contents = childrenOf(read, 'content', NS.ATOM)
    assert.equal(contents.length, 1)
    assert.equal(contents[0]?.attrs.type, 'xhtml')
    assert.match(
      xml,
      /<div xmlns="http:\/\/www\.w3\.org\/1999\/xhtml"><p id="in-a">Text<br \/><a href="https:\/\/capulet\.example\/@juliet\/hello#in-a">/,
    )
    assert.equal(textOf(childrenOf(read, 'title', NS.ATOM)[0] ?? read), 'Hello & <world>')
    assert.deepEqual(
      childrenOf(read, 'category', NS.ATOM).map(({ attrs }) => attrs.term),
      ['a"b', '<c>'],
    )
    assert.deepEqual(
      links(xml, 'entry').map(([rel]) => rel),
      ['alternate', 'via', 'replies', 'replies'],
    )
    assert.match(xml, /thr:count="2"/)
  })

  it('has no date still to come, and none updated before it was published', () => {
    const late = { ...entry, published: new Date('2030-01-01T00:00:00Z'), updated: new Date('2020-01-01T00:00:00Z') }
    const dates = [
      ...writeFeed({ ...feed, updated: late.published, entries: [late] }, now).matchAll(
        /<(?:published|updated)>([^<]*)/g,
      ),
    ]
    assert.deepEqual(
      dates.map((match) => match[1]),
      ['2026-03-20T00:00:00Z', '2026-03-20T00:00:00Z', '2026-03-20T00:00:00Z'],
    )
  })

  it('escapes every field, and leaves out what XML does not allow', () => {
    const evil = '"><script>alert(1)</script>&\u0000\u0008\ufffe\ud800'
    const hostile = writeFeed(
      {
        ...feed,
        title: evil,
        subtitle: evil,
        id: evil,
        language: evil,
        author: { name: evil },
        self: evil,
        stylesheet: evil,
        entries: [
          {
            ...entry,
            id: evil,
            title: evil,
            summary: evil,
            tags: [evil],
            language: evil,
            author: { name: evil, jid: juliet },
            alternate: evil,
          },
        ],
      },
      now,
    )
    assert.doesNotMatch(hostile, /<script/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    assert.doesNotMatch(hostile, /[\u0000\u0008\ufffe\ud800]/)
    assert.ok(parse(hostile))
  })

  it('may be empty', () => {
    assert.ok(parse(writeFeed({ id: 'a', title: '', alternate: 'b', self: 'c', updated: now, entries: [] }, now)))
  })
})

describe('the id of an entry in a feed', () => {
  it("is the author's own where it is the tag: of this very item", () => {
    const own = createTagUri(juliet, now, address.item)
    assert.equal(feedEntryId(address, juliet, own), own)
  })

  it('is its xmpp: URI where it is anything else', () => {
    const uri = 'xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=hello'
    const romeo = jid('romeo@montague.example')
    for (const id of [
      'hello',
      undefined,
      'https://a.example/',
      createTagUri(romeo, now, address.item),
      createTagUri(juliet, now, asItemId('x')),
    ]) {
      assert.equal(feedEntryId(address, juliet, id), uri)
    }
    assert.equal(feedEntryId(address, undefined, createTagUri(juliet, now, address.item)), uri)
  })
})

describe('a JSON feed', () => {
  it('has the same', () => {
    const json = JSON.parse(writeJsonFeed(feed, now))
    assert.equal(json.version, 'https://jsonfeed.org/version/1.1')
    assert.equal(json.next_url, feed.next)
    assert.equal(json.items[0].id, entry.id)
    assert.equal(json.items[0].date_published, '2026-03-14T09:26:53Z')
    assert.deepEqual(json.items[0].tags, ['a"b', '<c>'])
    assert.match(json.items[0].content_html, /href="https:\/\/capulet\.example\/@juliet\/hello#in-a"/)
  })
})
