import { readFileSync } from 'node:fs'
import { asItemId, type ItemAddress } from '#shared/address.ts'
import { writeEntry } from '#shared/entry.ts'
import { createTagUri } from '#shared/item-id.ts'
import { BLOG, JULIET } from '#test/feeds/fixtures.ts'

/** Everything that Markdown has, in 1.7 KB. */
export const TOUR = readFileSync(new URL('../fixtures/tour.md', import.meta.url), 'utf8')

/** Prose. */
export const TEXT =
  'What *light* through yonder window breaks? It is the [east](https://east.example), **and** more. '.repeat(6)

/** A post like most: some 1.9 KB on the wire. */
export function makePost(number: number) {
  const address: ItemAddress = { ...BLOG, item: asItemId(`post-${number}`) }
  const published = new Date(Date.UTC(2026, 0, 1) + number * 1000)
  const payload = writeEntry({
    draft: { title: `Post ${number}`, text: TEXT, tags: ['night'], language: 'en', summary: '', comments: false },
    address,
    author: { jid: JULIET, name: 'Juliet' },
    atomId: createTagUri(JULIET, published, address.item),
    published,
    updated: published,
  })
  return { address, payload, item: { id: address.item, payload, publisher: JULIET } }
}
