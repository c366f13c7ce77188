import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readXmppUri } from '#shared/address.ts'
import {
  absoluteLinks,
  escapeText,
  makeScrollable,
  markForeignLinks,
  plainText,
  proxyPictures,
  renderMarkdown,
  sanitizeHtml,
  sanitizeXhtml,
  textToHtml,
  toXhtml,
} from '#shared/markup.ts'
import { writeXml } from '#shared/xml.ts'
import { parse } from './fixture.ts'

const options = { idPrefix: 'p1' }

describe('Markdown', () => {
  const rendered: readonly [what: string, markdown: string, html: string][] = [
    ['emphasis', '*a* **b** ~~c~~ `d`', '<p><em>a </em><strong>b </strong><del>c </del><code>d</code></p>'],
    ['a task list', '- [ ] a\n- [x] b', '<ul><li>☐ a</li><li>☑ b</li></ul>'],
    ['a list from three', '3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['nested lists', '- a\n  - b\n    1. c', '<ul><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li></ul>'],
    ['code', '```js\na < b\n\n c\n```', '<pre><code class="language-js">a &lt; b\n\n c\n</code></pre>'],
    ['a hard break', 'a\\\nb', '<p>a<br />b</p>'],
    [
      'an address',
      'https://a.example/?b=1&c',
      '<p><a href="https://a.example/?b=1&amp;c">https://a.example/?b=1&amp;c</a></p>',
    ],
    ['a picture', '![a](http://b.example/c.png "d")', '<p><img src="http://b.example/c.png" alt="a" title="d" /></p>'],
    ['headings under the title of the page', '# a\n\n### b\n\n# c', '<h2>a</h2><h3>b</h3><h2>c</h2>'],
    ['headings that begin at two', '## a\n\n### b', '<h2>a</h2><h3>b</h3>'],
    [
      'details',
      '<details open><summary>a</summary>b</details>',
      '<details open="open"><summary>a</summary>b</details>',
    ],
    [
      'typographic apostrophes in attributes',
      `![it's](http://b.example/'.png)`,
      '<p><img src="http://b.example/%27.png" alt="it’s" /></p>',
    ],
    [
      'a table',
      '| a |\n|:-:|\n| 1 |',
      '<table><thead><tr><th align="center">a</th></tr></thead><tbody><tr><td align="center">1</td></tr></tbody></table>',
    ],
    ['nothing', '', ''],
    ['line ends of a form', 'a\r\n\r\nb', '<p>a</p><p>b</p>'],
  ]
  for (const [what, markdown, html] of rendered) {
    it(`has ${what}`, () => assert.equal(renderMarkdown(markdown, options), html))
  }

  it('is read in a long paragraph too, and with many paragraphs, mentions and notes', () => {
    const paragraph = '*Some* **words**, a 5 * 3, `code` and [a link](https://a.example/), @romeo@montague.example. '
    for (const markdown of [paragraph.repeat(150), `${paragraph.repeat(10)}\n\n`.repeat(400)]) {
      const html = renderMarkdown(markdown, options)
      assert.ok(html.includes('<em>Some'), `${markdown.length} characters`)
      assert.equal(html.split('href="xmpp:').length, markdown.split('@romeo').length)
    }
    const noted = Array.from(
      { length: 300 },
      (_, n) => `A sentence with a note of its own.[^${n}]\n\n[^${n}]: The note.\n\n`,
    )
    assert.ok(renderMarkdown(noted.join(''), options).includes('<section'))
  })

  it('has footnotes whose ids begin with the prefix of the post, and lead there and back', () => {
    const html = renderMarkdown('a[^1] b[^x y] c[^1]\n\n[^1]: One\n[^x y]: Two', options)
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
    const links = [...html.matchAll(/ href="#([^"]+)"/g)].map((match) => match[1])
    assert.equal(new Set(ids).size, 5)
    assert.ok(ids.every((id) => id?.startsWith('p1-fn-')))
    assert.deepEqual(new Set(links), new Set(ids))
    assert.match(html, /<hr \/><section class="footnotes"><ol>.*<\/ol><\/section>$/)
    assert.doesNotMatch(html, /Footnotes|Back to/)
    assert.equal(renderMarkdown('a[^1]\n\n[^1]: One'), renderMarkdown('a[^1]\n\n[^1]: One'))
  })

  const hostile: readonly [what: string, markdown: string][] = [
    ['10,000 quotations in one another', `${'> '.repeat(10_000)}a`],
    ['10,000 lists in one another', `${'- '.repeat(10_000)}a`],
    ['lists nested line by line', Array.from({ length: 500 }, (_, i) => `${' '.repeat(i * 2)}- a`).join('\n')],
    ['a paragraph of underscores', 'a_b__'.repeat(40_000)],
    ['a paragraph of stars', 'a**b'.repeat(50_000)],
    ['a table of forty million cells', `${'|a'.repeat(20_000)}\n${'|-'.repeat(20_000)}\n${'|a\n'.repeat(2000)}`],
    ['one long address used everywhere', `[a]: http://a.example/${'b'.repeat(100_000)}\n\n${'[a] '.repeat(20_000)}`],
    ['footnotes in footnotes', Array.from({ length: 8000 }, (_, i) => `[^${i}]: [^${i + 1}]`).join('\n\n')],
    ['an address that ends in dots and brackets', `https://a.example${'.)'.repeat(200_000)}`],
    ['brackets', '['.repeat(200_000)],
    ['open elements', '<b>'.repeat(100_000)],
    ['ten million characters', 'a '.repeat(5_000_000)],
  ]
  for (const [what, markdown] of hostile) {
    it(`bears ${what}`, () => {
      const start = performance.now()
      const html = renderMarkdown(markdown)
      console.log(`  ${what}: ${Math.round(performance.now() - start)} ms`)
      assert.ok(html.length < markdown.length * 8)
      assert.doesNotThrow(() => plainText(html))
    })
  }

  it('of 6 KB takes milliseconds', () => {
    const text =
      'A line of *prose* with [a link](https://example.org/), `code` and **weight**, as people write it.\n\n'.repeat(60)
    const times = Array.from({ length: 50 }, () => {
      const start = performance.now()
      renderMarkdown(text)
      return performance.now() - start
    }).sort((a, b) => a - b)
    console.log(`  rendered and sanitised 6 KB in ${times[25]?.toFixed(1)} ms`)
    assert.ok((times[25] ?? 0) < 100)
  })
})

describe('the sanitiser', () => {
  const cleaned: readonly [what: string, html: string, safe: string][] = [
    ['scripts', '<p>a<script>alert(1)</script></p>', '<p>a</p>'],
    ['handlers and styles', '<p onclick="x" style="y" class="z">a</p>', '<p>a</p>'],
    ['unknown elements, not their words', '<blink>a</blink><font>b</font>', 'ab'],
    ['frames, objects and forms', '<iframe>a</iframe><object>b</object><form><button>c</button><input>d</form>', 'd'],
    ['svg and math whole', '<svg><a href="http://a.example/">b</a></svg><math><mi>c</mi></math>d', 'd'],
    [
      'javascript: links',
      '<a href="javascript:alert(1)">a</a><a href="java\nscript:x">b</a><a href="&#1;javascript:x">c</a>',
      'abc',
    ],
    ['data: and vbscript: links', '<a href="data:text/html,x">a</a><a href="vbscript:x">b</a>', 'ab'],
    [
      'pictures that are not http, but for their text',
      '<img src="data:x" alt="a"><img src="javascript:x" alt="b">',
      'ab',
    ],
    [
      'srcset',
      '<img src="http://a.example/b" srcset="http://c.example/ 2x">',
      '<img src="http://a.example/b" alt="" />',
    ],
    [
      'relative addresses without a base',
      '<a href="/signout">a</a><a href="//b.example/">b</a><img src="c.png" alt="c">',
      'abc',
    ],
    ['a rel of others', '<a rel="me author" href="http://a.example/">a</a>', '<a href="http://a.example/">a</a>'],
    ['target and name', '<a target="x" name="y" href="http://a.example/">a</a>', '<a href="http://a.example/">a</a>'],
    [
      'wild sizes',
      '<img src="http://a.example/b" width="1e9" height="20">',
      '<img src="http://a.example/b" height="20" alt="" />',
    ],
    [
      'classes but for code and notes',
      '<p class="h-entry">a</p><code class="language-js x">b</code>',
      '<p>a</p><code class="language-js">b</code>',
    ],
    ['an end tag too many', '</div></p>a', '<p></p>a'],
    [
      'markup in an attribute',
      '<img src="http://a.example/" alt="&quot;><script>x</script>">',
      '<img src="http://a.example/" alt="&quot;&gt;&lt;script&gt;x&lt;/script&gt;" />',
    ],
    [
      'control characters',
      'a\u0000&#8;b&#x1f;<a href="http://a.example/\u0000">c</a>',
      'ab<a href="http://a.example/">c</a>',
    ],
    ['comments and instructions', 'a<!-- <b> --><?php x ?><![CDATA[y]]>b', 'ab'],
    [
      'directions and languages that are none',
      '<p dir="up" lang="<x>">a</p><p dir="rtl" lang="ar">b</p>',
      '<p>a</p><p dir="rtl" lang="ar">b</p>',
    ],
    ['what hides in raw text', '<noscript><p title="</noscript><script>x</script>">a</p>', ''],
    [
      'check boxes, for characters',
      '<input type="checkbox" checked> a <input type="checkbox"> b <input value="c">',
      '☑ a ☐ b ',
    ],
  ]
  for (const [what, html, safe] of cleaned) {
    it(`takes away ${what}`, () => assert.equal(sanitizeHtml(html), safe))
  }

  it('keeps ids and the links to them, within the post', () => {
    assert.equal(
      sanitizeHtml('<p id="a b">c</p><a href="#a b">d</a><p id="__proto__">e</p>', options),
      '<p id="p1-a_b">c</p><a href="#p1-a_b">d</a><p id="p1-__proto__">e</p>',
    )
  })

  it('takes away addresses that are longer than browsers and servers take', () => {
    const write = (length: number) => `<a href="http://a.example/${'b'.repeat(length)}">a</a>`
    assert.equal(sanitizeHtml(write(8_000)), write(8_000))
    assert.equal(sanitizeHtml(write(8_200)), 'a')
    assert.doesNotMatch(sanitizeHtml(`<img src="http://a.example/${'b'.repeat(8_200)}" alt="c">`), /bbb/)
  })

  it('resolves what is relative against the page of the post', () => {
    assert.equal(
      sanitizeHtml('<a href="../b">a</a><img src="//c.example/d.png"><a href="javascript:x">e</a>', {
        base: 'https://a.example/x/y',
      }),
      '<a href="https://a.example/b">a</a><img src="https://c.example/d.png" alt="" />e',
    )
  })

  it('marks the links of others', () => {
    const html = '<a href="http://a.example/">a</a><a href="#b">b</a>'
    const marked = '<a href="http://a.example/" rel="nofollow noopener ugc">a</a><a href="#in-b">b</a>'
    assert.equal(sanitizeHtml(html, { isForeign: true }), marked)
    assert.equal(markForeignLinks(sanitizeHtml(html)), marked)
  })

  it('changes nothing of what it made', () => {
    const texts = [
      '# a\n\n*b* *c* `d` [e](http://e.example/)',
      '- [x] a[^1]\n\n[^1]: b *c* ~~d~~',
      '<b> <i>x</i> </b>y',
    ]
    for (const text of texts) {
      const html = renderMarkdown(text, options)
      assert.equal(sanitizeHtml(html, options), html)
      assert.equal(sanitizeXhtml(toXhtml(html), options), html)
    }
  })

  it('reads XHTML with whatever prefix, and none where it is out of bounds', () => {
    const xhtml =
      '<x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>a<x:br/>b<x:span/></x:p><x:script>c</x:script></x:div>'
    assert.equal(sanitizeXhtml(parse(xhtml)), '<p>a<br />b</p>')
    const deep = parse(`<div>${'<div>'.repeat(255)}a${'</div>'.repeat(255)}</div>`)
    assert.match(sanitizeXhtml(deep), /^(<div>){100}a(<\/div>){100}$/)
  })

  const hostile: readonly [what: string, html: string][] = [
    ['300,000 open elements', '<b>'.repeat(300_000)],
    ['100,000 open blocks with words', '<div>a'.repeat(100_000)],
    ['200,000 paragraphs', '<p>'.repeat(200_000)],
    ['open lists', '<ul><li>'.repeat(100_000)],
    ['a million angles', '<'.repeat(1_000_000)],
    ['open comments', '<!--'.repeat(100_000)],
    ['an element with 200,000 attributes', `<a ${'x=1 '.repeat(200_000)}>`],
    ['wrong ends', '<b></i>'.repeat(100_000)],
  ]
  for (const [what, html] of hostile) {
    it(`bears ${what}`, () => {
      const start = performance.now()
      sanitizeHtml(html)
      console.log(`  ${what}: ${Math.round(performance.now() - start)} ms`)
    })
  }
})

describe('spaces between tags', () => {
  const settled: readonly [html: string, safe: string][] = [
    ['<p>\n<em>a</em> <strong>b</strong>\n</p>\n<p>c</p>', '<p><em>a </em><strong>b</strong></p><p>c</p>'],
    ['<code>a</code> <em>b</em>', '<code>a</code><em> b</em>'],
    ['<code>a</code> <code>b</code>', '<code>a </code><code>b</code>'],
    ['<em>a</em> <img src="http://a.example/">', '<em>a </em><img src="http://a.example/" alt="" />'],
    ['<em> <b>a</b> </em>', '<em><b> a </b></em>'],
    ['a<em> </em>b', 'a<em>\u00a0</em>b'],
    [
      '<pre><span lang="en">x</span>\n  <span lang="fr">y</span></pre>',
      '<pre><span lang="en">x\n  </span><span lang="fr">y</span></pre>',
    ],
    ['<ul> <li>a</li> <li> b</li> </ul>', '<ul><li>a</li><li> b</li></ul>'],
  ]
  for (const [html, safe] of settled) {
    it(`${JSON.stringify(html)} becomes ${JSON.stringify(safe)}`, () => {
      assert.equal(sanitizeHtml(html), safe)
      assert.equal(safe.replace(/>[ \t\r\n\f\v]+</g, '><'), safe)
    })
  }
})

describe('text and markup', () => {
  it('makes paragraphs, line breaks and links of text', () => {
    assert.equal(
      textToHtml('a <b>\nhttps://c.example/?d=1&e=2.\n\n\n(http://f.example)'),
      '<p>a &lt;b&gt;<br /><a href="https://c.example/?d=1&amp;e=2">https://c.example/?d=1&amp;e=2</a>.</p>' +
        '<p>(<a href="http://f.example/">http://f.example</a>)</p>',
    )
    assert.equal(textToHtml('http://'), '<p>http://</p>')
    assert.equal(textToHtml(' \n '), '')
    assert.equal(escapeText('<a>&'), '&lt;a&gt;&amp;')
  })

  it('makes text of markup, a line for each block', () => {
    const html = renderMarkdown('# a\n\nb *c*\\\nd[^1]\n\n- e\n- f\n\n![g](http://g.example/)\n\n[^1]: h')
    assert.equal(plainText(html, { withoutNotes: true }), 'a\nb c\nd\ne\nf\ng')
    assert.match(plainText(html), /h/)
  })

  it('lets pictures come from elsewhere, later', () => {
    assert.equal(
      proxyPictures(
        sanitizeHtml('a<img src="http://a.example/?b=1&c=2" alt="d">'),
        (src) => `/picture?src=${encodeURIComponent(src)}`,
      ),
      'a<img src="/picture?src=http%3A%2F%2Fa.example%2F%3Fb%3D1%26c%3D2" alt="d" loading="lazy" />',
    )
  })

  it('shows only so many pictures, and the others as links with their words', () => {
    const html = sanitizeHtml(
      '<p><img src="http://a.example/1" alt="a"><img src="http://a.example/2" alt="b &lt;"><img src="http://a.example/3">' +
        '<a href="http://b.example/"><img src="http://a.example/4" alt="d"></a></p>',
    )
    const link = (n: number, words: string) =>
      `<span><a href="http://a.example/${n}" rel="nofollow noopener ugc">${words}</a> </span>`
    assert.equal(
      proxyPictures(html, () => '/one', 1),
      `<p><img src="/one" alt="a" loading="lazy" />${link(2, 'b &lt;')}${link(3, 'http://a.example/3')}` +
        '<a href="http://b.example/"><span>d </span></a></p>',
    )
  })

  it('lets the keyboard scroll code and tables, and nothing that only looks so', () => {
    const html = sanitizeHtml('<pre>&lt;pre></pre><table><tr><td title="<table>">a</td></tr></table>')
    const [pre, table] = [html.slice(0, html.indexOf('<table>')), html.slice(html.indexOf('<table>'))]
    const wide = `<div class="wide" tabindex="0">${table}</div>`
    assert.equal(makeScrollable(html), `${pre.replace('<pre', '<pre tabindex="0"')}${wide}`)
  })

  it('makes the links within a text absolute', () => {
    assert.equal(
      absoluteLinks(
        sanitizeHtml('<a href="#b">a</a><a href="mailto:a@b.example">c</a>'),
        'https://a.example/@juliet/x',
      ),
      '<a href="https://a.example/@juliet/x#in-b">a</a><a href="mailto:a@b.example">c</a>',
    )
  })

  it('takes time that grows with the text alone, also where that is nothing but white space', {
    timeout: 30_000,
  }, () => {
    for (const space of [' ', '\t', '\u00a0']) {
      const text = `a${space.repeat(400_000)}b`
      assert.equal(textToHtml(text), `<p>${text}</p>`)
      assert.equal(plainText(sanitizeHtml(`<pre>${text}</pre>`)), text)
      assert.equal(readXmppUri(`${text}\n`), undefined)
    }
  })

  it('is one XHTML element for the wire, plain', () => {
    const html = sanitizeHtml('<p>a<br><a href="http://b.example/">b</a></p>', { isForeign: true })
    assert.equal(
      writeXml(toXhtml(html)),
      '<div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/><a href="http://b.example/">b</a></p></div>',
    )
  })
})
