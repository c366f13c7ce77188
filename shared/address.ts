import { type BareJid, readBareJid } from './jid.ts'
import { trimmedLines } from './text.ts'

declare const itemId: unique symbol

/** The id of an item in its node: any text, from any client. */
export type ItemId = string & { readonly [itemId]: true }

/** A node: where, and its name there. */
export interface NodeAddress {
  readonly service: BareJid
  readonly node: string
}

/** An item: the key of everything that is kept about it. */
export interface ItemAddress extends NodeAddress {
  readonly item: ItemId
}

/** What an `xmpp:` URI points to: an entity, a node of it, or an item of that. */
export interface XmppAddress {
  readonly service: BareJid
  readonly node?: string
  readonly item?: ItemId
}

const URI_LENGTH = 16_384

/** Takes a text for an item id. */
export function asItemId(text: string): ItemId {
  return text as ItemId
}

/** Reads an `xmpp:` URI or IRI (RFC 5122): `xmpp:S?;node=N;item=I` as XEP-0277 writes it, and `xmpp:S?pubsub;…`. */
export function readXmppUri(uri: string): XmppAddress | undefined {
  // XEP-0277's own examples break the line between the parameters.
  const text = uri.length > URI_LENGTH ? '' : trimmedLines(uri).join('')
  const parts = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#]*)(?:\?([^#]*))?/i.exec(text)
  const service = parts === null ? undefined : readBareJid(decode(parts[1] ?? '') ?? '')
  if (service === undefined) return undefined
  const query = new Map<string, string>()
  for (const pair of (parts?.[2] ?? '').split(';').slice(1)) {
    const equals = pair.indexOf('=')
    const value = equals < 0 ? undefined : decode(pair.slice(equals + 1))
    const key = pair.slice(0, equals).trim()
    if (value !== undefined && !query.has(key)) query.set(key, value)
  }
  const node = query.get('node') || undefined
  const item = node === undefined ? undefined : query.get('item')
  return { service, node, item: item === undefined || item === '' ? undefined : asItemId(item) }
}

/** `xmpp:S?;node=N;item=I`, node and item percent-encoded whole. */
export function writeXmppUri({ service, node, item }: XmppAddress): string {
  return joinUri({ service, node, item }, encode)
}

/**
 * The same with nothing encoded that need not be: Movim compares the `href` of replies and comments as text, and
 * Libervia decodes twice.
 */
export function writePlainXmppUri({ service, node, item }: XmppAddress): string {
  return joinUri({ service, node, item }, (text) => text.replace(/[^\p{L}\p{N}\-._~:/@!$()*,]+/gu, encode))
}

/** Whether two addresses are the same node, or the same item. */
export function sameAddress(a: XmppAddress, b: XmppAddress): boolean {
  return a.service === b.service && a.node === b.node && a.item === b.item
}

/** A text that no other address has: for maps, topics and keys. */
export function addressKey(address: XmppAddress): string {
  return writeXmppUri(address)
}

function joinUri({ service, node, item }: XmppAddress, write: (text: string) => string): string {
  // Only what an IRI cannot hold: peers compare an author's URI as text.
  const start = `xmpp:${service.replace(/[^\p{L}\p{N}\p{M}\-._~!$()*+,;=@:[\]]+/gu, encode)}`
  if (node === undefined) return start
  return `${start}?;node=${write(node)}${item === undefined ? '' : `;item=${write(item)}`}`
}

// Also the apostrophe: Movim's parser breaks on one in an attribute.
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/'/g, '%27')
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
