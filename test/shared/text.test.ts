import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cleanLine, detachText, shorten } from '#shared/text.ts'
import { measureKept } from '#test/support/kept-heap.ts'

describe('a text that is cut', () => {
  it('does not keep the text that it was cut from', async () => {
    const length = 512 * 1024
    const cuts: Record<string, (text: string) => string> = {
      line: (text) => cleanLine(text, 200),
      shorter: (text) => shorten(text, 200),
      detached: (text) => detachText(text.slice(100, 200)),
    }
    for (const [name, cut] of Object.entries(cuts)) {
      const { kept, bytes } = await measureKept(() =>
        Array.from({ length: 40 }, (_, n) => cut(`${n} `.padEnd(length, `some words ${n} `))),
      )
      assert.ok(bytes < (kept.length * length) / 50, `${name}: ${bytes} bytes kept`)
    }
  })

  it('says the same in memory of its own', () => {
    for (const text of [
      '',
      'short',
      'as long as a slice',
      'Ελληνικά, and \u{1f600} too',
      '\ud800 alone, but long enough',
    ])
      assert.equal(detachText(text), text)
  })
})
