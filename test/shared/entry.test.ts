import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { readDraft, readEntry } from '#shared/entry.ts'
import { parse, readFixture } from './fixture.ts'

const ATOM = 'http://www.w3.org/2005/Atom'

function read(content: string, attributes = '') {
  return readEntry(parse(`<entry xmlns="${ATOM}"${attributes}>${content}</entry>`))
}

describe('an entry of Movim', () => {
  const entry = readEntry(readFixture('movim-post'))

  it('has all that it says', () => {
    assert.equal(entry?.title, 'Un dimanche à Vérone')
    assert.equal(entry?.isUntitled, false)
    assert.equal(entry?.html, '<p>Un <em>beau</em> dimanche.</p><p><a href="https://verona.example/">Le balcon</a></p>')
    assert.match(entry?.source ?? '', /^Un \*beau\* dimanche\.\n\n\[Le balcon\]/)
    assert.equal(entry?.excerpt, 'Un beau dimanche. Le balcon')
    assert.deepEqual(entry?.author, { name: 'Romeo', jid: 'romeo@montague.example' })
    assert.deepEqual(entry?.tags, ['verone', 'été'])
    assert.equal(entry?.published?.toISOString(), '2026-03-14T09:26:53.000Z')
    assert.equal(entry?.updated?.toISOString(), '2026-03-15T10:00:00.000Z')
    assert.deepEqual(entry?.comments, {
      service: 'comments.montague.example',
      node: 'urn:xmpp:microblog:0:comments/5f1c2e9a-7e1c-4b64-9a55-1f8e4f8a8f10',
    })
    assert.match(entry?.alternate ?? '', /^https:\/\/movim\.montague\.example\/node\//)
    assert.deepEqual(
      entry?.links.map(({ rel }) => rel),
      ['related', 'enclosure', 'replies', 'alternate', 'alternate'],
    )
    assert.equal(entry?.direction, 'ltr')
  })

  it('shows as text where it is a comment, which is only a title', () => {
    const comment = readEntry(readFixture('movim-comment'))
    assert.equal(
      comment?.html,
      '<p>Lovely!<br />See <a href="https://verona.example/?a=1&amp;b=2">https://verona.example/?a=1&amp;b=2</a>.</p>',
    )
    assert.equal(comment?.isUntitled, true)
    assert.deepEqual(comment?.author, { name: undefined, jid: 'juliet@capulet.example' })
    assert.deepEqual(comment?.inReplyTo, {
      service: 'comments.montague.example',
      node: 'urn:xmpp:microblog:0:comments/5f1c2e9a',
      item: 'first-comment',
    })
  })

  it('is nothing where it only probes a node', () => {
    assert.equal(readEntry(readFixture('movim-probe')), undefined)
  })
})

describe('an entry of Libervia', () => {
  it('has its XHTML, with headings under the title, and its source', () => {
    const entry = readEntry(readFixture('libervia-post'))
    assert.equal(entry?.html, '<h2>Bonjour</h2><p>Un <strong>texte</strong>.</p><h3>Plus bas</h3>')
    assert.equal(entry?.source, 'Bonjour\n\nUn texte.\n\nPlus bas\n')
    assert.equal(entry?.language, 'fr')
    assert.equal(entry?.comments?.node, 'urn:xmpp:microblog:0:comments/les-nouvelles-Xy9')
    assert.equal(entry?.alternate, undefined)
  })

  it('has its title as its text where it has no other', () => {
    const entry = readEntry(readFixture('libervia-note'))
    assert.equal(entry?.html, '<p>Just a thought</p>')
    assert.equal(entry?.title, 'Just a thought')
    assert.equal(entry?.isUntitled, true)
  })
})

describe('any entry', () => {
  it('may be prefixed', () => {
    const entry = readEntry(readFixture('prefixed'))
    assert.equal(entry?.title, 'Prefixed')
    assert.equal(entry?.html, '<p>Some <em>words</em></p>')
    assert.deepEqual(entry?.tags, ['a'])
    assert.equal(entry?.inReplyTo?.item, 'q1')
  })

  it('has nothing that runs in any field', () => {
    const entry = readEntry(readFixture('scripts'))
    assert.ok(entry !== undefined)
    assert.doesNotMatch(entry.html ?? '', /<(?!\/?(?:p|img|a)\b)/)
    assert.doesNotMatch(entry.html ?? '', /\son\w+=|style=|javascript:|srcset|evil|name=/)
    assert.match(entry.html ?? '', /<p id="p\w+-__proto__">End<\/p>/)
    assert.equal(entry.title, 'Title <script>')
    assert.equal(entry.summary, 'Sum')
    assert.deepEqual(entry.links, [])
    assert.equal(entry.alternate, undefined)
    assert.equal(entry.comments, undefined)
    assert.equal(entry.language, undefined)
    assert.equal(entry.updated, undefined)
    // Plain text stays plain text: pages and feeds escape it.
    assert.deepEqual(entry.author, { name: '<script>alert(5)</script>', jid: undefined })
    assert.deepEqual(entry.tags, ['<script>alert(7)</script>'])
  })

  const contents: readonly [what: string, content: string, html: string, source?: string][] = [
    ['text without a type', '<content>a *b*</content>', '<p>a <em>b</em></p>', 'a *b*'],
    ['text/markdown', '<content type="text/markdown"># a</content>', '<h2>a</h2>', '# a'],
    ['html', '<content type="html">&lt;p&gt;a&lt;br&gt;b&lt;script&gt;c</content>', '<p>a<br />b</p>'],
    ['XHTML without its namespace', '<content type="xhtml"><div><p>a</p></div></content>', '<p>a</p>'],
    [
      'XHTML without a div',
      '<content type="xhtml"><p xmlns="http://www.w3.org/1999/xhtml">a</p></content>',
      '<p>a</p>',
    ],
    [
      'XHTML that is only text, which is none',
      '<content type="xhtml">a</content><content>b</content>',
      '<p>b</p>',
      'b',
    ],
    [
      'html and XHTML',
      '<content type="html">a</content><content type="xhtml"><div><p>b</p></div></content>',
      '<p>b</p>',
    ],
    ['an empty XHTML', '<content type="xhtml"><div/></content><content>b</content>', '<p>b</p>', 'b'],
    ['three contents', '<content>a</content><content>b</content><content type="html">c</content>', 'c', 'a'],
    ['content elsewhere', '<content type="video/mp4" src="https://a.example/"/>', '<p>t</p>'],
    ['content of another namespace', '<content xmlns="urn:x">a</content>', '<p>t</p>'],
  ]
  for (const [what, content, html, source] of contents) {
    it(`may have ${what}`, () => {
      const entry = read(`<title>t</title>${content}`)
      assert.equal(entry?.html, html)
      assert.equal(entry?.source, source)
    })
  }

  const titles: readonly [xml: string, title: string][] = [
    ['<title>a &lt;b&gt;</title>', 'a <b>'],
    ['<title type="html">a &lt;b&gt;c&lt;/b&gt; &amp;amp;</title>', 'a c &'],
    ['<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b> c</div></title>', 'a b c'],
    ['<title type="xhtml">a</title>', 'a'],
    ['<title>\n  a\n  b </title>', 'a b'],
    ['<title>a\u202eb</title>', 'ab'],
    ['<title>日本語 👩‍👩‍👧‍👦 نمی‌خواهم</title>', '日本語 👩‍👩‍👧‍👦 نمی‌خواهم'],
    ['<title/><content>the text</content>', 'the text'],
    ['<content>the text</content>', 'the text'],
    ['<title>a</title><title>b</title>', 'a'],
  ]
  for (const [xml, title] of titles) {
    it(`has the title ${JSON.stringify(title)} by ${xml}`, () => assert.equal(read(xml)?.title, title))
  }

  it('is untitled where the title only begins the text', () => {
    assert.equal(read('<title>one two…</title><content>one *two* three</content>')?.isUntitled, true)
    assert.equal(read('<title>one two</title><content>one two</content>')?.isUntitled, true)
    assert.equal(read('<title>one</title><content>one two</content>')?.isUntitled, false)
    assert.equal(read('<title>…</title><content>one two</content>')?.isUntitled, true)
  })

  it('may lack anything', () => {
    const entry = read('<title>a</title>')
    assert.equal(entry?.published, undefined)
    assert.equal(entry?.updated, undefined)
    assert.deepEqual(entry?.author, {})
    assert.deepEqual(entry?.tags, [])
    assert.equal(entry?.atomId, undefined)
    assert.equal(read('<updated>2026-01-01T00:00:00Z</updated><id>a</id>'), undefined)
    assert.equal(read('<link rel="enclosure" href="https://a.example/b.png"/>')?.title, '')
  })

  it('is none in another namespace, or of another name', () => {
    for (const xml of [
      '<entry/>',
      '<entry xmlns="urn:x"><title>a</title></entry>',
      `<feed xmlns="${ATOM}"><title>a</title></feed>`,
    ]) {
      assert.equal(readEntry(parse(xml)), undefined)
    }
    const wrong = read(`<title xmlns="urn:x">a</title><x:id xmlns:x="urn:x">b</x:id><title>c</title>`)
    assert.equal(wrong?.title, 'c')
    assert.equal(wrong?.atomId, undefined)
  })

  const dates: readonly [text: string, date: string | undefined][] = [
    ['0000-00-00T00:00:00Z', undefined],
    ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
    ['2026-03-14T09:26:53', '2026-03-14T09:26:53.000Z'],
    ['last week', undefined],
  ]
  for (const [text, date] of dates) {
    it(`was published on ${date} by ${text}`, () => {
      assert.equal(read(`<title>a</title><published>${text}</published>`)?.published?.toISOString(), date)
    })
  }

  it('claims an author by a plain xmpp: address', () => {
    const author = (uri: string) => read(`<title>a</title><author><name>A</name><uri>${uri}</uri></author>`)?.author.jid
    assert.equal(author('xmpp:juliet@capulet.example'), 'juliet@capulet.example')
    assert.equal(author(' xmpp:Juliet@Capulet.example/balcony '), 'juliet@capulet.example')
    assert.equal(author('xmpp:juliet@capulet.example?message'), 'juliet@capulet.example')
    assert.equal(author('https://capulet.example/juliet'), undefined)
    assert.equal(author('juliet@capulet.example'), undefined)
  })

  it('has each tag once, however it is written', () => {
    const tags = ['A', 'a', '#b', ' c  d ', '', '..', '&lt;e&gt;'].map((tag) => `<category term="${tag}"/>`).join('')
    assert.deepEqual(read(`<title>a</title>${tags}<category/>`)?.tags, ['A', 'b', 'c d', '<e>'])
  })

  it('has its own language, never that of the stanza', () => {
    const stanza = parse(`<message xml:lang="en"><entry xmlns="${ATOM}"><title>a</title></entry></message>`)
    const [payload] = stanza.children
    assert.ok(payload instanceof Element)
    assert.equal(readEntry(payload)?.language, undefined)
    assert.equal(read('<title>a</title>', ' xml:lang="pt-BR"')?.language, 'pt-BR')
    assert.equal(read('<title>a</title><content xml:lang="ar">مرحبا</content>')?.language, 'ar')
  })

  it('resolves relative addresses against its page, and drops them without one', () => {
    const link = '<a href="b">c</a>'
    const content = `<content type="xhtml"><div>${link}</div></content>`
    assert.equal(read(`<title>a</title>${content}`)?.html, 'c')
    const page = '<link rel="alternate" href="https://a.example/x/"/>'
    assert.equal(read(`<title>a</title>${page}${content}`)?.html, '<a href="https://a.example/x/b">c</a>')
    assert.equal(
      read(`<title>a</title>${content}`, ' xml:base="https://base.example/"')?.html,
      '<a href="https://base.example/b">c</a>',
    )
  })

  it('has an excerpt of its running text, not of headings, lists, tables and code', () => {
    const text =
      'We left at *dawn*.\n\n## What we took\n\n- bread\n\n```js\nlet steps\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nIt rained.'
    assert.equal(read(`<title>t</title><content>${text}</content>`)?.excerpt, 'We left at dawn. It rained.')
    assert.equal(read('<title>t</title><content>- bread\n- cheese</content>')?.excerpt, 'bread cheese')
  })

  it('has an excerpt of 200 characters at most, without its notes', () => {
    const excerpt = read(`<title>t</title><content>${'word '.repeat(100)}[^1]\n\n[^1]: note</content>`)?.excerpt ?? ''
    assert.match(excerpt, /^(word ){38,}word…$/)
    assert.ok(excerpt.length <= 200)
  })

  it('may have a title of a megabyte', () => {
    for (const title of ['ab '.repeat(350_000), 'a'.repeat(1_000_000), '&lt;b&gt;'.repeat(110_000)]) {
      for (const type of ['text', 'html']) {
        const entry = read(`<title type="${type}">${title}</title>`)
        assert.ok((entry?.title.length ?? 0) <= 300)
        assert.ok((entry?.excerpt.length ?? 0) <= 200)
      }
    }
  })

  it('is none where it is 10,000 deep, 100,000 wide, or of four megabytes', () => {
    const deep = new Element('entry', { xmlns: ATOM })
    let at = deep.c('content', { type: 'xhtml' })
    for (let i = 0; i < 10_000; i++) at = at.c('div', { xmlns: 'http://www.w3.org/1999/xhtml' })
    assert.equal(readEntry(deep), undefined)
    const wide = new Element('entry', { xmlns: ATOM })
    for (let i = 0; i < 100_001; i++) wide.c('category', { term: 'a' })
    assert.equal(readEntry(wide), undefined)
    const large = new Element('entry', { xmlns: ATOM })
    large.c('title').t('a'.repeat(4_000_001))
    assert.equal(readEntry(large), undefined)
    assert.equal(readDraft(deep).text, '')
  })

  it('has only so many tags and links', () => {
    const many = '<category term="a"/>'.repeat(1000) + '<link href="https://a.example/"/>'.repeat(1000)
    const entry = read(`<title>a</title>${many}`)
    assert.equal(entry?.links.length, 100)
  })
})

describe('the draft of a post', () => {
  it('has the source of who wrote it', () => {
    const draft = readDraft(readFixture('movim-post'))
    assert.deepEqual(
      { ...draft, text: draft.text.slice(0, 19) },
      {
        title: 'Un dimanche à Vérone',
        text: 'Un *beau* dimanche.',
        tags: ['verone', 'été'],
        language: '',
        summary: '',
        comments: true,
        pictures: [{ href: 'https://upload.montague.example/a/balcony.jpg', type: 'image/jpeg', alt: '' }],
      },
    )
  })

  it('is HTML where there is no source, which renders as it was', () => {
    const payload = readFixture('libervia-post')
    payload.children = payload.children.filter((child) => !(child instanceof Element && child.attrs.type === 'text'))
    const draft = readDraft(payload)
    assert.match(draft.text, /<h2>Bonjour<\/h2>/)
    const again = parse(`<entry xmlns="${ATOM}"><title>a</title><content/></entry>`)
    again.getChild('content')?.t(draft.text)
    assert.equal(readEntry(again)?.html, `<div>${readEntry(payload)?.html}</div>`)
  })

  it('keeps code with empty lines where there is no source', () => {
    const html = '<content type="xhtml"><div><pre>a\n\n\n  *b*</pre><p>c</p></div></content>'
    const draft = readDraft(parse(`<entry xmlns="${ATOM}"><title>a</title>${html}</entry>`))
    const again = parse(`<entry xmlns="${ATOM}"><title>a</title><content/></entry>`)
    again.getChild('content')?.t(draft.text)
    assert.equal(readEntry(again)?.html, '<div><pre>a\n\n\n  *b*</pre><p>c</p></div>')
  })

  it('of a note that is only a title is that title', () => {
    const { title, text } = readDraft(readFixture('libervia-note'))
    assert.deepEqual({ title, text }, { title: '', text: 'Just a thought' })
  })
})
