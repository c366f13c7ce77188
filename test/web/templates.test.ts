import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { en } from '#web/languages/en.ts'
import { render } from '#web/render.ts'
import type { Views } from '#web/views.ts'
import { createWords } from '#web/words.ts'
import { createSamples } from './sample-views.ts'

const WEB = dirname(fileURLToPath(import.meta.resolve('#web/render.ts')))
const samples = createSamples('/assets/x')
const HOSTILE = `"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\`\${1}<%= 1 %>`
/** Not free text: dates, words of ours, markup that is safe already. */
const NOT_TEXT =
  /^(?:html|published|day|edited|nextTry|savedAt|newest|read|states|base|kind|who|template|field|code|language|assets|ogType)$/

describe('templates', () => {
  for (const [name, { template, view }] of samples) {
    it(`escape every field of ${name}`, () => {
      const page = render(template, poison(view) as Views[keyof Views])
      assert.match(page, /&lt;script&gt;/)
      assert.doesNotMatch(page, /<script>|<img src=x|onerror=alert\(2\)>/)
      assert.doesNotMatch(page, /="[^"]*"'>/)
    })

    it(`leave no undefined word in ${name}`, () => {
      const words = render(template, view).replace(/<[^>]+>/g, ' ')
      assert.doesNotMatch(words, /undefined|NaN|\[object|\{\w+\}|Invalid Date/)
      assert.doesNotMatch(render(template, view), /="(?:undefined|null|NaN)"/)
    })
  }

  it('print unescaped only includes, the body of a page, and safe HTML', () => {
    const raw = globSync('**/*.eta', { cwd: WEB }).flatMap((file) =>
      [...readFileSync(join(WEB, file), 'utf8').matchAll(/<%~\s*([^%]*?)\s*%>/g)].map(([, code = '']) => code),
    )
    assert.ok(raw.length > 20)
    assert.deepEqual(
      raw.filter((code) => !/^(?:include\(.*\)|it\.body|\w+\.html)$/s.test(code)),
      [],
    )
  })

  it('know no other markup than that of SafeHtml', () => {
    const views = readFileSync(join(WEB, 'views.ts'), 'utf8')
    const names = [...views.matchAll(/readonly (\w+)\??: SafeHtml/g)].map(([, name]) => name)
    assert.deepEqual([...new Set(names)], ['html'])
  })

  it('have neither styles nor scripts of their own, which the policy forbids', () => {
    for (const { template, view } of samples.values()) {
      assert.doesNotMatch(render(template, view), /\sstyle=|\son\w+=|<style|<script(?! type="module" src=)|javascript:/)
    }
  })
})

describe('words', () => {
  for (const language of ['ar', 'de', 'fr']) {
    it(`are all there in ${language}, with the same places to fill in`, () => {
      const { t } = createWords(language)
      for (const [key, value] of Object.entries(en)) {
        const own = t[key as keyof typeof en]
        assert.equal(typeof own, typeof value, key)
        if (typeof value === 'string' && typeof own === 'string') {
          assert.deepEqual(placesOf(own), placesOf(value), key)
          assert.notEqual(own, '')
        }
      }
    })
  }

  it('count in the way of their language', () => {
    const count = (language: string, number: number) => {
      const { plural, t } = createWords(language)
      return plural(t.comments, number)
    }
    assert.deepEqual([count('en', 1), count('en', 2), count('fr', 0)], ['1 comment', '2 comments', '0 commentaire'])
    assert.deepEqual([count('ar', 1), count('ar', 2), count('ar', 3)], ['تعليق واحد', 'تعليقان', '٣ تعليقات'])
  })

  it('say dates in their language, and times by 24 hours', () => {
    const iso = '2026-03-14T21:04:00Z'
    const [english, german, arabic] = [createWords('en'), createWords('de-AT'), createWords('ar')]
    assert.deepEqual([english.date(iso), english.moment(iso)], ['14 March 2026', '14 March, 21:04'])
    assert.deepEqual([german.date(iso), arabic.date(iso)], ['14. März 2026', '١٤ مارس ٢٠٢٦'])
  })

  it('are English where we have no others', () => {
    assert.deepEqual([createWords('ja').t, createWords('ja').language, createWords('ja').dir('fa')], [en, 'en', 'rtl'])
  })

  it('keep a name of the other direction from drawing them along', () => {
    const { fill, t } = createWords('en')
    assert.equal(fill(t.to, { name: 'روميو' }), 'to \u2068روميو\u2069')
    assert.equal(fill(t.to, { name: 'Romeo' }), 'to Romeo')
  })
})

/** Every free text of a view, made hostile. */
function poison(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return NOT_TEXT.test(name) ? value : value + HOSTILE
  if (Array.isArray(value)) return value.map((part) => poison(part, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, poison(part, key)]))
}

function placesOf(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()
}
