import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readLinks } from '#server/http/discover.ts'
import { ReadingError } from '#server/xmpp/errors.ts'
import { StreamParser } from '#server/xmpp/stream-parser.ts'
import { asciiDomain, readBareJid } from '#shared/jid.ts'
import { isPretending, lookOf } from '#shared/look-alike.ts'
import { renderMarkdown, sanitizeHtml, textToHtml } from '#shared/markup.ts'
import { readOpml } from '#shared/opml.ts'
import { cleanLine } from '#shared/text.ts'
import { listAttacks } from './support/attack-regexp.ts'
import { recordRegexps } from './support/record-regexps.ts'

/** A function of ours that gives outside text to libraries. */
interface Road {
  readonly name: string
  readonly work: (text: string) => unknown
  /** Has something of all that it reads. */
  readonly sample: string
  /** Characters: the longest that comes this way, or as much of it as shows how it goes. */
  readonly size: number
  /** How many regular expressions it runs at least: none where a library reads letter by letter. */
  readonly regexps: number
  /** Begun and not ended, or nested, over and over. */
  readonly pumps: readonly string[]
}

const MARKDOWN = `# Title

Some *em* **strong** ~~del~~ \`code\` [link](http://a.b/c "t") ![img](x.png) <b>raw</b> @romeo@montague.example
http://x.y/z www.a.b a@b.c &amp; \\* __x__ _y_ <http://auto.link> <a@b.c> [ref] [ref][] [a][ref] text[^1]

- a
- [x] b
  1. c

> quote

| a | b |
|---|---|
| 1 | 2 |

\`\`\`js
code
\`\`\`

    indented

Setext
===

***

<div class="x">html</div>

<!-- c -->

[ref]: http://a.b 'title'

[^1]: note
`
const HTML = `<p class="a" style="color:red">x <a href="http://a.b/?q=1&amp;b=2" title='t'>y</a><img src="a.png"
srcset="a 1x" alt="z"><script>x</script><!-- c --> &lt; &#39; &nbsp;</p><ul><li>a<li>b</ul><table><tr><td>c</table>`

const INLINE = ['._m', '*a ', '**a', '*a**b ', '*_', '_a ', '~a.', '~~a', '`a', '[a', '![a', '[a](', '[a]: ', '[^a]: ']
const LINKS = ['a@', '@a@b', '@a', 'a@b.c ', 'www.a.b ', 'http://', 'xmpp:_', '<a', '<a b="', '<x ', '&a', '\\']
const BLOCKS = [
  '- a\n',
  '1. a\n',
  '> ',
  '| a ',
  '|a|\n|-|\n',
  '```\n',
  '    a\n',
  '#',
  '[a]: b\n',
  '[^a]: x\n',
  '[^a]\n',
]
const TAGS = [
  '<',
  '&',
  '<p>',
  '<b>',
  '</b>',
  '<li>',
  '<td>',
  '<x><p>',
  '<a href="',
  "<a b='",
  '<!--',
  '<![CDATA[',
  '<?',
]

const ROADS: readonly Road[] = [
  {
    name: 'a comment',
    work: (text) => renderMarkdown(text, { isComment: true, isForeign: true }),
    ...{ sample: MARKDOWN, size: 20_000, regexps: 80, pumps: [...INLINE, ...LINKS, ...BLOCKS] },
  },
  {
    name: 'a post',
    work: (text) => renderMarkdown(text),
    ...{ sample: MARKDOWN + HTML, size: 40_000, regexps: 80, pumps: [...INLINE, ...LINKS, ...BLOCKS, ...TAGS] },
  },
  {
    name: 'markup of another client',
    work: (text) => sanitizeHtml(text, { isForeign: true }),
    ...{ sample: HTML, size: 30_000, regexps: 10, pumps: TAGS },
  },
  { name: 'plain text', work: textToHtml, sample: MARKDOWN, size: 30_000, regexps: 5, pumps: [...LINKS, ...TAGS] },
  {
    name: 'a stanza',
    work: readStanza,
    sample: `<iq type="result" id='a'><a xmlns:b="c">x &amp; <![CDATA[d]]></a></iq>`,
    ...{ size: 100_000, regexps: 0, pumps: [...TAGS, '<a/>', '<a b="c">', '&#', '&amp', 'a=""', ' a'] },
  },
  {
    name: 'a web page that is looked through for its feed',
    work: (text) => readLinks({ url: new URL('https://far.example'), bytes: Buffer.from(text) } as never),
    ...{ sample: `<link rel="alternate" href="xmpp:a@b">${HTML}`, size: 100_000, regexps: 0 },
    pumps: [...TAGS, '<link ', '<link rel="alternate">', '<title>', '<script>', '<style>', 'a="" '],
  },
  {
    name: 'a list of feeds',
    work: (text) => readOpml(text, 1_000),
    ...{ sample: '<opml><outline text="a" xmlUrl="https://a.b"/></opml>', size: 100_000, regexps: 0 },
    pumps: [...TAGS, '<outline ', '<outline text="', '<outline xmlUrl="x"/>', 'a="" '],
  },
  {
    name: 'an address',
    work: (text) => [readBareJid(text), asciiDomain(text as never)],
    ...{ sample: 'Ünï@xn--mller-kva.münchen.example/x', size: 3_000, regexps: 5 },
    pumps: ['a.', 'xn--', '-', 'ü', 'ü.', 'a@', '\u0300', '\u200d', 'ß', '。', '@', '/'],
  },
  {
    name: 'a name',
    work: (text) => [lookOf(text), isPretending(cleanLine(text, 200)), cleanLine(text, 200)],
    ...{ sample: 'аlice ✓ a.example 🅰 ﬁ', size: 20_000, regexps: 5 },
    pumps: ['a.', '✓', 'а', '\u0300', '🅰', 'ﬁ', '\u200d', ' ', 'a '],
  },
]

/** Attacks on one regular expression, evenly drawn from all that are known. */
const DRAWN = 3
/** Characters with which the costly ones are found. */
const SCREEN = 1_500
/** So many of the costliest are measured at the full size. */
const COSTLIEST = 6
/** What is made to cost may take so many times as long as what is usual, and what a busy machine adds. */
const MOST_TIMES = 20
const NOISE_MS = 50
const RUNS = 4

const drawn = new Set<string>()

for (const { name, work, sample, size, regexps, pumps } of ROADS) {
  describe(`what libraries do with ${name}`, () => {
    const found = recordRegexps(() => work(sample))
    const usual = repeat(sample, size)

    it('is known down to their regular expressions', () => {
      assert.ok(found.length >= regexps, `${found.length} regular expressions`)
    })

    it('takes not much longer for text that is made to cost', () => {
      const attacks = [...pumps, ...found.flatMap(draw)]
      const screened = [...new Set(attacks)].map((pump) => ({ pump, ms: time(work, repeat(pump, SCREEN)) }))
      const costliest = screened.toSorted((a, b) => b.ms - a.ms).slice(0, COSTLIEST)
      for (const { pump } of costliest) {
        const attack = repeat(pump, size)
        let [slow, fast] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
        const isBounded = () => slow < MOST_TIMES * fast + NOISE_MS
        for (let run = 0; run === 0 || (run < RUNS && !isBounded()); run++) {
          slow = Math.min(slow, time(work, attack))
          fast = Math.min(fast, time(work, usual))
        }
        assert.ok(isBounded(), `${JSON.stringify(pump)} took ${slow.toFixed(0)} ms, the usual ${fast.toFixed(0)} ms`)
      }
    })
  })
}

/** The parts of attacks that are repeated, with what leads up to them; of each pattern on the first road that has it. */
function draw(pattern: RegExp): string[] {
  if (drawn.has(String(pattern))) return []
  drawn.add(String(pattern))
  const all = listAttacks(pattern).flatMap(({ before, pump, after }) => (after === '' ? before + pump : []))
  const step = Math.max(1, Math.floor(all.length / DRAWN))
  return all.filter((_, i) => i % step === 0)
}

function repeat(text: string, length: number): string {
  return text.repeat(Math.max(1, Math.floor(length / text.length)))
}

function time(work: (text: string) => unknown, text: string): number {
  const start = performance.now()
  work(text)
  return performance.now() - start
}

/** As it comes over the network; what is no XML ends the stream. */
function readStanza(text: string): void {
  const parser = new StreamParser()
  parser.on('error', () => {})
  parser.write('<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">')
  try {
    parser.write(`<message><body>${text}`)
    parser.write('</body></message>')
  } catch (error) {
    if (!(error instanceof ReadingError)) throw error
  }
}
