import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findStrays, readTokens } from './stylesheet.ts'

const read = (specifier: string) => readFile(fileURLToPath(import.meta.resolve(specifier)), 'utf8')
const [style, feed, fonts] = await Promise.all(['#web/style.css', '#web/feed.css', '#web/fonts.css'].map(read))

describe('the stylesheets', () => {
  it('have no colour, size of text or space but the tokens', () => {
    assert.deepEqual(findStrays(style ?? ''), [])
    assert.deepEqual(findStrays(feed ?? ''), [])
  })

  const planted = [
    'color: #a1251b',
    'border: 1px solid rgb(1 2 3)',
    'background: white',
    'font-size: 14px',
    'font: 600 0.9rem / 1.5 var(--sans)',
    'font-size: calc(var(--t-m) * 1.1)',
    'margin-block-start: 12px',
    'padding: 0 1rem',
    'gap: 0.5em',
    'inset-inline-start: -2rem',
  ]
  for (const declaration of planted) {
    it(`would not have "${declaration}"`, () => {
      const css = (style ?? '').replace(
        '.meta,',
        `.planted { ${declaration}; }\n@media print { .x { ${declaration} } }\n.meta,`,
      )
      assert.deepEqual(findStrays(css), [`.planted ${declaration}`, `@media print .x ${declaration}`])
    })
  }

  it('use only tokens that there are', () => {
    const known = readTokens(style ?? '', 'dark')
    const used = [...(style ?? '').matchAll(/var\((--[\w-]+)/g)].map(([, name = '']) => name)
    assert.deepEqual(
      [...new Set(used)].filter((name) => !known.has(name)),
      [],
    )
  })

  for (const scheme of ['light', 'dark'] as const) {
    it(`have the same tokens for pages and feeds, ${scheme}`, () => {
      const all = readTokens(style ?? '', scheme)
      for (const [name, value] of readTokens(feed ?? '', scheme)) assert.equal(value, all.get(name), name)
    })

    it(`have the contrasts of the look, ${scheme}`, () => {
      const tokens = readTokens(style ?? '', scheme)
      const contrast = (a: string, b: string) => contrastOf(tokens.get(a) ?? '', tokens.get(b) ?? '')
      for (const ground of ['--paper', '--sheet']) {
        for (const text of ['--ink', '--quiet', '--rubric'])
          assert.ok(contrast(text, ground) >= 6, `${text} on ${ground}`)
        assert.ok(contrast('--edge', ground) >= 3.5, `--edge on ${ground}`)
      }
      assert.ok(contrast('--on-rubric', '--rubric') >= 7)
      assert.ok(contrast('--ink', '--mark') >= 9)
    })
  }

  it('load Literata as its package has it, and never late', async () => {
    const wanted = await Promise.all(
      ['400', '400-italic', '600'].map((name) => read(`@fontsource/literata/${name}.css`)),
    )
    const faces = (css: string) =>
      [...css.matchAll(/@font-face\s*\{[^}]*\}/g)].map(([face]) => ({
        file: /files\/([\w-]+\.woff2)|fonts\/([\w-]+\.woff2)/.exec(face)?.slice(1).join(''),
        range: /unicode-range:([^;]+)/.exec(face)?.[1]?.replace(/\s/g, '').toUpperCase(),
        weight: /font-weight:\s*(\d+)/.exec(face)?.[1],
        style: /font-style:\s*(\w+)/.exec(face)?.[1],
      }))
    assert.deepEqual(faces(fonts ?? ''), wanted.flatMap(faces))
    assert.equal(fonts?.match(/font-display: optional/g)?.length, faces(fonts ?? '').length)
  })
})

/** WCAG 2.2, "contrast ratio", of two colours of six hexadecimal digits. */
function contrastOf(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
