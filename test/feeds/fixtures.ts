import type { Element } from 'ltx'
import type { IngestDeps, IngestOptions } from '#server/feeds/ingest.ts'
import { ingest } from '#server/feeds/ingest.ts'
import { addNode, updateNode } from '#server/store/node.ts'
import { asItemId, type ItemAddress, type NodeAddress } from '#shared/address.ts'
import { parseXml } from '#shared/xml.ts'
import { jidOf, type TestContext } from '#test/support/context.ts'

export const JULIET = jidOf('juliet@capulet.example')
export const ROMEO = jidOf('romeo@montague.example')
export const MALLORY = jidOf('mallory@evil.example')
export const BLOG: NodeAddress = { service: JULIET, node: 'urn:xmpp:microblog:0' }
export const THREAD: NodeAddress = { service: JULIET, node: 'urn:xmpp:microblog:0:comments/balcony' }

export function itemOf(address: NodeAddress, item: string): ItemAddress {
  return { service: address.service, node: address.node, item: asItemId(item) }
}

export function xml(text: string): Element {
  const element = parseXml(text)
  if (element === undefined) throw new Error(`This is no XML: ${text.slice(0, 200)}`)
  return element
}

export interface EntryWords {
  readonly title?: string
  readonly text?: string
  readonly published?: string
  readonly updated?: string
  readonly author?: string
  readonly name?: string
  readonly more?: string
}

/** An Atom entry as another client might send it. */
export function entryOf(words: EntryWords = {}): Element {
  const { title = 'The balcony', text = 'What light', published = '2026-01-02T03:04:05Z', author, name } = words
  const person =
    author === undefined ? '' : `<author>${name ? `<name>${name}</name>` : ''}<uri>xmpp:${author}</uri></author>`
  return xml(
    `<entry xmlns='http://www.w3.org/2005/Atom'><title type='text'>${title}</title><id>x</id>` +
      `<published>${published}</published><updated>${words.updated ?? published}</updated>${person}` +
      `<content type='text'>${text}</content>${words.more ?? ''}</entry>`,
  )
}

export function commentsLink(address: NodeAddress): string {
  return `<link rel='replies' title='comments' href='xmpp:${address.service}?;node=${encodeURIComponent(address.node)}'/>`
}

/** Makes Juliet's blog known to the index, and the site its subscriber. */
export async function knowBlog(ctx: TestContext, address: NodeAddress = BLOG): Promise<void> {
  await addNode(ctx.index, { address, kind: 'blog', owner: address.service, now: ctx.clock() })
  await updateNode(ctx.index, address, { subscription: 'subscribed' })
}

export interface Publication {
  readonly payload?: Element
  readonly publisher?: string
}

export function publishTo(
  deps: IngestDeps,
  address: ItemAddress,
  { payload = entryOf(), publisher }: Publication = {},
  options?: IngestOptions,
) {
  const item = { id: address.item, payload, ...(publisher === undefined ? {} : { publisher }) }
  return ingest(deps, { kind: 'published', address, item }, options)
}
