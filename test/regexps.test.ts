import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FoundRegexp, findRegexps } from './support/find-regexps.ts'
import { findCostlyInput } from './support/measure-regexp.ts'

/** Expressions that may take longer, by file: they never see outside text. */
const OWN_TEXT: Readonly<Record<string, string>> = {
  'server/http/asset-files.ts': 'the style sheet of a package and our own scripts, once at the start',
  'server/local/apt-sources.ts': 'the list of package sources of this machine, by its administrator',
  'server/local/packages.ts': 'the paths of the files of one Debian package, which apt has verified',
}

const { regexps, unknown } = findRegexps(['server', 'shared', 'web'])

describe('the regular expressions of the product', () => {
  it('are all known to the compiler: none is put together at run time', () => {
    assert.ok(regexps.length > 200)
    assert.deepEqual(unknown, [])
  })

  it('take no more than linear time for inputs made to cost', () => {
    const costly = listDistinct(regexps).flatMap(({ file, line, pattern }) => {
      const input = file in OWN_TEXT ? undefined : findCostlyInput(pattern)
      return input === undefined ? [] : `${file}:${line} ${pattern} for ${input}`
    })
    assert.deepEqual(costly, [])
  })

  it('are left out only where they are, and cost', () => {
    for (const file of Object.keys(OWN_TEXT)) {
      const ofFile = regexps.filter((found) => found.file === file)
      assert.ok(
        ofFile.some(({ pattern }) => findCostlyInput(pattern) !== undefined),
        file,
      )
    }
  })
})

describe('an input made to cost', () => {
  const COSTLY = [
    // Each was in the product once, or is a classic.
    /<a\b([^>]*)\bhref="(xmpp:[^"?]+@[^"?]+)"([^>]*)>(?=@)/g,
    /<section class="footnotes">.*?<\/section>/gs,
    /^\s+|\s+$/g,
    /^(\w+\s?)*$/,
    /(a|a)*b/,
  ]
  for (const pattern of COSTLY) {
    it(`is found for ${pattern}`, () => assert.notEqual(findCostlyInput(pattern), undefined))
  }

  it('is not found where there is none', () => {
    for (const pattern of [/^[a-z]+$/, /"[^"]{0,100}"/g, /\s+/gu, /^(?:[a-z]+\.)*[a-z]+$/]) {
      assert.equal(findCostlyInput(pattern), undefined, String(pattern))
    }
  })
})

/** The same pattern need not be tried twice. */
function listDistinct(found: readonly FoundRegexp[]): FoundRegexp[] {
  return [...new Map(found.map((each) => [String(each.pattern), each])).values()]
}
