import { readFileSync } from 'node:fs'
import type { Element } from 'ltx'
import { parseXml } from '#shared/xml.ts'

/** The payload of an item under `test/fixtures/entries/`. */
export function readFixture(name: string): Element {
  const path = new URL(`../fixtures/entries/${name}.xml`, import.meta.url)
  return parse(readFileSync(path, 'utf8').trim())
}

/** Parses what the test itself knows to be well-formed. */
export function parse(xml: string): Element {
  const element = parseXml(xml)
  if (element === undefined) throw new Error(`Not well-formed, or out of bounds: ${xml.slice(0, 200)}`)
  return element
}
