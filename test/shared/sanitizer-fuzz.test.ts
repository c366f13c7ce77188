import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ALLOWED_ATTRIBUTES, ALLOWED_TAGS } from '#shared/allow-list.ts'
import { elementsOf } from '#shared/html-tree.ts'
import { renderMarkdown, type SafeHtml, sanitizeHtml, sanitizeXhtml, toXhtml } from '#shared/markup.ts'
import { parseXml } from '#shared/xml.ts'

const PIECES = [
  ...[
    '<p>',
    '</p>',
    '<b>',
    '</b>',
    '<div',
    '>',
    '<',
    '</',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '/>',
    '&',
    '&lt;',
    '&#0;',
  ],
  ...[
    '<script>',
    '</script>',
    '<svg>',
    '<math>',
    '<style>',
    '</style>',
    '<title>',
    '<textarea>',
    '<noscript>',
    '<xmp>',
    '<template>',
  ],
  ...[
    ' onclick=',
    ' href=',
    ' src=',
    ' style=',
    ' id=',
    ' class=',
    '"',
    "'",
    '`',
    '=',
    'javascript:',
    'data:',
    'java\tscript:',
  ],
  ...[
    '<a href="',
    '<img src="',
    '<img src=x onerror=',
    'https://a.example/',
    '//b.example',
    '/c',
    '#d',
    'alert(1)',
    '<input type=checkbox checked>',
  ],
  ...[
    '<table>',
    '<tr>',
    '<td>',
    '<ul>',
    '<li>',
    '<pre>',
    '<code>',
    '<h1>',
    '<h4>',
    '</h1>',
    '<details open>',
    '<summary>',
    '<section class="footnotes">',
  ],
  ...[
    ' ',
    '\n',
    '\n\n',
    '\t',
    '\u0000',
    '\u00a0',
    '\u202e',
    '\ud800',
    'é',
    '日本',
    '😀',
    'a',
    '*',
    '_',
    '**',
    '`',
    '```\n',
    '> ',
    '- ',
    '1. ',
  ],
  ...[
    '- [ ] ',
    '[^1]',
    '\n\n[^1]: ',
    '[',
    '](',
    ')',
    '![',
    '|',
    '\n|-|-|\n',
    '~~',
    '\\',
    '# ',
    '---',
    '<x:p>',
    '<a:script>',
    '<form>',
    '<iframe src=',
    '<base href=',
  ],
]

function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function check(html: SafeHtml, of: string): void {
  const root = parseXml(`<div>${html}</div>`)
  assert.ok(root !== undefined, `not well-formed: ${JSON.stringify(of)} gave ${html}`)
  for (const { name, attrs } of elementsOf(root)) {
    assert.ok(ALLOWED_TAGS.includes(name), `${name} of ${JSON.stringify(of)}`)
    for (const [key, value] of Object.entries(attrs)) {
      const isAllowed = [...(ALLOWED_ATTRIBUTES['*'] ?? []), ...(ALLOWED_ATTRIBUTES[name] ?? []), 'class'].includes(key)
      assert.ok(isAllowed, `${name} ${key} of ${JSON.stringify(of)}`)
      if (key === 'href') assert.match(value ?? '', /^(?:https?:\/\/|mailto:|xmpp:|tel:|#in-)/, JSON.stringify(of))
      if (key === 'src') assert.match(value ?? '', /^https?:\/\//, JSON.stringify(of))
      if (key === 'class') assert.match(value ?? '', /^(?:footnotes|language-\S+)$/, JSON.stringify(of))
    }
  }
  assert.equal(sanitizeHtml(html), html, `changed again: ${JSON.stringify(of)}`)
  assert.equal(sanitizeXhtml(toXhtml(html)), html, `changed on the wire: ${JSON.stringify(of)}`)
}

it('whatever goes in, only well-formed markup of the allow-list comes out, and stays as it is', () => {
  const random = createRandom(20260314)
  for (let round = 0; round < 3000; round++) {
    const length = 1 + Math.floor(random() * 25)
    const text = Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)]).join('')
    check(sanitizeHtml(text), text)
    check(renderMarkdown(text), text)
  }
})
