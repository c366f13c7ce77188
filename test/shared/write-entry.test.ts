import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asItemId } from '#shared/address.ts'
import { type EntryParts, readDraft, readEntry, writeAlternate, writeComment, writeEntry } from '#shared/entry.ts'
import { readFeedMetadata, writeFeedMetadata } from '#shared/feed-metadata.ts'
import { createTagUri } from '#shared/item-id.ts'
import { type BareJid, readBareJid } from '#shared/jid.ts'
import { NS } from '#shared/ns.ts'
import { childrenOf, parseXml, textOf, writeXml } from '#shared/xml.ts'
import { parse, readFixture } from './fixture.ts'

const jid = (text: string) => readBareJid(text) as BareJid
const juliet = { jid: jid('juliet@capulet.example'), name: 'Juliet' }
const address = { service: juliet.jid, node: NS.MICROBLOG, item: asItemId('hello-ab12cd34') }
const published = new Date('2026-03-14T09:26:53Z')
const parts: EntryParts = {
  draft: { title: 'Hello', text: 'Some *text*.', tags: ['a', 'b c'], language: 'en', summary: '', comments: true },
  address,
  author: juliet,
  atomId: createTagUri(juliet.jid, published, address.item),
  published,
  updated: published,
  alternate: 'https://capulet.example/@juliet/hello-ab12cd34',
  comments: { service: jid('pubsub.capulet.example'), node: `${NS.COMMENTS_PREFIX}hello-ab12cd34` },
}

describe('a post on the wire', () => {
  it('is what both peers read', () => {
    assert.equal(
      writeXml(writeEntry(parts)),
      '<entry xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title type="text">Hello</title>' +
        '<id>tag:capulet.example,2026-03-14:juliet/hello-ab12cd34</id>' +
        '<published>2026-03-14T09:26:53Z</published><updated>2026-03-14T09:26:53Z</updated>' +
        '<author><name>Juliet</name><uri>xmpp:juliet@capulet.example</uri></author>' +
        '<category term="a"/><category term="b c"/>' +
        '<content type="text">Some *text*.</content>' +
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Some <em>text</em>.</p></div></content>' +
        '<link rel="alternate" type="text/html" href="https://capulet.example/@juliet/hello-ab12cd34"/>' +
        '<link rel="alternate" href="xmpp:juliet@capulet.example?;node=urn%3Axmpp%3Amicroblog%3A0;item=hello-ab12cd34"/>' +
        '<link rel="replies" title="comments"' +
        ' href="xmpp:pubsub.capulet.example?;node=urn:xmpp:microblog:0:comments/hello-ab12cd34"/></entry>',
    )
  })

  it('comes back as the draft it was', () => {
    const draft = { ...parts.draft, text: 'One\n\n- two\n\n\tthree  \n<b>&amp; \u00a0four', summary: 'Sum & <more>' }
    assert.deepEqual(readDraft(parse(writeXml(writeEntry({ ...parts, draft })))), draft)
  })

  it('has the beginning of its text for a title where it has none', () => {
    const note = {
      ...parts.draft,
      title: '',
      text: `A *short* note.[^1]\n\n${'and more words '.repeat(20)}\n\n[^1]: x`,
    }
    const entry = writeEntry({ ...parts, draft: note })
    const title = textOf(entry.getChild('title') ?? entry)
    assert.match(title, /^A short note\. and more words .*…$/)
    assert.ok(title.length <= 80)
    assert.equal(readEntry(entry)?.isUntitled, true)
    assert.equal(readDraft(entry).title, '')
  })

  for (const text of ['', '![](https://a.example/b.png)', '<script>x</script>', '[^1]', '\u200f\u0000']) {
    it(`is never without a title: ${JSON.stringify(text)}`, () => {
      const entry = writeEntry({ ...parts, draft: { ...parts.draft, title: ' ', text } })
      assert.notEqual(textOf(entry.getChild('title') ?? entry), '')
      assert.equal(readEntry(entry)?.isUntitled, true)
    })
  }

  it('leaves out what is not there', () => {
    const entry = writeEntry({
      ...parts,
      alternate: undefined,
      comments: undefined,
      draft: { ...parts.draft, text: '', tags: [], language: '' },
    })
    assert.equal(childrenOf(entry, 'content', NS.ATOM).length, 0)
    assert.equal(childrenOf(entry, 'link', NS.ATOM).length, 1)
    assert.equal(entry.attrs['xml:lang'], undefined)
  })

  it('has no characters that XML does not allow, and no apostrophe in an attribute', () => {
    const dirty = 'a\u0000\u0008\ufffe\ud800’'
    const entry = writeEntry({
      ...parts,
      draft: {
        title: dirty,
        text: `${dirty} ![it's](https://a.example/it's "it's")`,
        tags: [dirty],
        language: 'en',
        summary: dirty,
        comments: true,
      },
      author: { ...juliet, name: dirty },
      address: { ...address, item: asItemId("it's") },
    })
    const xml = writeXml(entry)
    assert.ok(parseXml(xml) !== undefined)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    assert.doesNotMatch(xml, /[\u0000-\u0008\ufffe\ud800]/)
    assert.doesNotMatch(xml, /="[^"]*'[^"]*"/)
  })

  it('is flat, however deep its Markdown is', () => {
    const deep = Array.from({ length: 49 }, (_, i) => `${' '.repeat(i * 2)}- ${'<b>'.repeat(5)}a`).join('\n')
    assert.ok(parseXml(writeXml(writeEntry({ ...parts, draft: { ...parts.draft, text: deep } })), { depth: 110 }))
  })

  it('has relative links resolved against its page', () => {
    const draft = { ...parts.draft, text: '[a](other) [b](#c)' }
    const html = readEntry(writeEntry({ ...parts, draft }))?.html ?? ''
    assert.match(html, /href="https:\/\/capulet\.example\/@juliet\/other"/)
    assert.match(html, /href="#p\w+-c"/)
  })
})

describe('an edit', () => {
  const later = new Date('2026-04-01T00:00:00Z')

  it('keeps what it does not understand, and id, published and links of a post written elsewhere', () => {
    const original = readFixture('movim-post')
    original.c('rights').t('All mine')
    original.c('geoloc', { xmlns: 'http://jabber.org/protocol/geoloc' }).c('lat').t('45.4')
    const romeo = { jid: jid('romeo@montague.example'), name: 'Romeo M.' }
    const draft = { ...readDraft(original), title: 'Changed', tags: ['verone', 'new'] }
    const xml = writeXml(
      writeEntry({
        ...parts,
        draft,
        author: romeo,
        updated: later,
        comments: undefined,
        alternate: 'https://canto.example/@r/x',
        original,
      }),
    )
    const entry = readEntry(parse(xml))
    assert.equal(entry?.title, 'Changed')
    assert.equal(entry?.atomId, '5f1c2e9a-7e1c-4b64-9a55-1f8e4f8a8f10')
    assert.equal(entry?.published?.toISOString(), '2026-03-14T09:26:53.000Z')
    assert.match(xml, /<published>2026-03-14T09:26:53\+00:00<\/published>/)
    assert.equal(entry?.updated?.toISOString(), later.toISOString())
    assert.deepEqual(entry?.tags, ['verone', 'new'])
    assert.deepEqual(entry?.author, { name: 'Romeo M.', jid: 'romeo@montague.example' })
    assert.deepEqual(
      entry?.links.map(({ rel }) => rel),
      ['alternate', 'alternate', 'replies', 'related', 'enclosure'],
    )
    assert.match(entry?.alternate ?? '', /^https:\/\/movim\.montague/)
    assert.match(xml, /logo="https:\/\/news\.example\/logo\.png"/)
    assert.match(
      xml,
      /<rights>All mine<\/rights><geoloc xmlns="http:\/\/jabber\.org\/protocol\/geoloc"><lat>45\.4<\/lat><\/geoloc><\/entry>$/,
    )
    assert.deepEqual(entry?.comments, readEntry(original)?.comments)
  })

  it('is in the default namespace where the original was prefixed', () => {
    const original = readFixture('prefixed')
    const author = { jid: jid('p@p.example'), name: 'P' }
    const xml = writeXml(writeEntry({ ...parts, draft: readDraft(original), author, original, updated: later }))
    assert.doesNotMatch(xml, /<atom:/)
    assert.match(xml, /<rights>All mine<\/rights>/)
    assert.match(xml, /<thr:in-reply-to[^>]*xmlns:thr="http:\/\/purl.org\/syndication\/thread\/1.0"/)
    const entry = readEntry(parse(xml))
    assert.equal(entry?.inReplyTo?.item, 'q1')
    assert.equal(entry?.atomId, 'tag:p.example,2026:1')
  })

  it('moves the page of our own post, and takes its comments away or gives it some', () => {
    const original = writeEntry(parts)
    const moved = writeEntry({ ...parts, alternate: 'https://new.example/@juliet/hello-ab12cd34', original })
    assert.equal(readEntry(moved)?.alternate, 'https://new.example/@juliet/hello-ab12cd34')
    assert.equal(childrenOf(moved, 'link', NS.ATOM).length, 3)
    const without = writeEntry({ ...parts, draft: { ...parts.draft, comments: false }, original })
    assert.equal(readEntry(without)?.comments, undefined)
    const again = writeEntry({ ...parts, original: without })
    assert.deepEqual(readEntry(again)?.comments, parts.comments)
    const kept = writeEntry({ ...parts, comments: undefined, alternate: undefined, original })
    assert.deepEqual(readEntry(kept)?.comments, parts.comments)
    assert.equal(readEntry(kept)?.alternate, parts.alternate)
  })

  it('leaves the words of others theirs', () => {
    const original = writeEntry({ ...parts, author: { jid: jid('romeo@montague.example'), name: 'Romeo' } })
    assert.equal(readEntry(writeEntry({ ...parts, original }))?.author.jid, 'romeo@montague.example')
  })

  it('changes nothing where nothing is changed', () => {
    const xml = writeXml(writeEntry(parts))
    assert.equal(writeXml(writeEntry({ ...parts, original: parse(xml) })), xml)
  })
})

describe('the web page of an entry', () => {
  it('is changed alone', () => {
    const xml = writeXml(writeEntry(parts))
    const moved = 'https://new.example/@juliet/hello-ab12cd34'
    assert.equal(writeXml(writeAlternate(parse(xml), moved)), xml.replace(parts.alternate ?? '', moved))
    const without = writeXml(writeAlternate(parse(xml), undefined))
    assert.doesNotMatch(without, /https:/)
    assert.equal(readEntry(writeAlternate(parse(without), moved))?.alternate, moved)
  })
})

describe('a comment on the wire', () => {
  const comment = writeComment({
    text: 'Two\nlines & <more>',
    address: { service: jid('pubsub.capulet.example'), node: `${NS.COMMENTS_PREFIX}hello`, item: asItemId('c1') },
    author: juliet,
    published,
    inReplyTo: address,
  })

  it('has all of its text in its title, for Movim shows no more', () => {
    assert.equal(textOf(childrenOf(comment, 'title', NS.ATOM)[0] ?? comment), 'Two\nlines & <more>')
    assert.equal(childrenOf(comment, 'content', NS.ATOM).length, 0)
    assert.equal(readEntry(comment)?.html, '<p>Two<br />lines &amp; &lt;more&gt;</p>')
    assert.deepEqual(readEntry(comment)?.author, { name: 'Juliet', jid: juliet.jid })
  })

  it('has its Markdown as two contents too, and in its title as plain text', () => {
    const text = 'It was the *nightingale*,\nand **not** the lark.'
    const marked = writeComment({ text, address, author: juliet, published })
    assert.equal(
      textOf(childrenOf(marked, 'title', NS.ATOM)[0] ?? marked),
      'It was the nightingale,\nand not the lark.',
    )
    const html = '<p>It was the <em>nightingale</em>,<br />and <strong>not</strong> the lark.</p>'
    assert.equal(readEntry(marked)?.html, html)
    assert.equal(readEntry(marked)?.source, text)
  })

  it('says what it answers, unprefixed and plain', () => {
    assert.match(
      writeXml(comment),
      /<in-reply-to xmlns="http:\/\/purl\.org\/syndication\/thread\/1\.0"[^>]* href="xmpp:juliet@capulet\.example\?;node=urn:xmpp:microblog:0;item=hello-ab12cd34"\/>/,
    )
    assert.deepEqual(readEntry(comment)?.inReplyTo, address)
  })

  it('calls what it answers by its id, where that is an IRI', () => {
    const refOf = (answeredId: string) => {
      const answer = writeComment({ text: 'Yes', address, author: juliet, published, inReplyTo: address, answeredId })
      assert.deepEqual(readEntry(answer)?.inReplyTo, address)
      return childrenOf(answer, 'in-reply-to', NS.THREAD)[0]?.attrs.ref
    }
    assert.equal(refOf('tag:capulet.example,2026-01-02:juliet/hello'), 'tag:capulet.example,2026-01-02:juliet/hello')
    assert.match(refOf('bare-id-of-Movim') ?? '', /^xmpp:/)
  })
})

describe("a blog's title and description", () => {
  const metadata = {
    address,
    title: 'The Balcony',
    description: 'Night & day',
    author: juliet,
    language: 'en',
    updated: published,
  }

  it('are written and read', () => {
    const feed = parse(writeXml(writeFeedMetadata(metadata)))
    assert.deepEqual(readFeedMetadata(feed), {
      title: 'The Balcony',
      description: 'Night & day',
      author: { name: 'Juliet', jid: juliet.jid },
      language: 'en',
      updated: published,
    })
    assert.equal(readEntry(feed), undefined)
    assert.equal(readFeedMetadata(readFixture('movim-post')), undefined)
  })

  it('keep the id and what is not understood', () => {
    const original = parse(
      `<feed xmlns="${NS.ATOM}"><title>Old</title><id>tag:x,2008:home</id><logo>https://a.example/</logo></feed>`,
    )
    const xml = writeXml(writeFeedMetadata({ ...metadata, original }))
    assert.match(xml, /<id>tag:x,2008:home<\/id>/)
    assert.match(xml, /<logo[^>]*>https:\/\/a\.example\/<\/logo>/)
    assert.doesNotMatch(xml, /Old/)
  })
})
