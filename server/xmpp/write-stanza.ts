import type { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { isWithinBounds } from '#shared/xml.ts'

export interface WriteOptions {
  /** Over WebSocket every stanza is a document of its own (RFC 7395 §3.3.3). */
  readonly isFramed: boolean
  /** Who is to take it. */
  readonly domain: string
  readonly maxBytes?: number | undefined
}

// XML 1.0 §2.2. One of these in a stanza, and the server ends the stream for everybody who waits on it.
const ILLEGAL = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/** What goes over the wire; fails with `too-large` or `stanza-too-big` for what would end the stream. */
export function writeStanza(element: Element, { isFramed, domain, maxBytes }: WriteOptions): string {
  if (!isWithinBounds(element)) throw new AppError('too-large', 'This is too large or too deep to be sent')
  if (isFramed) element.attrs.xmlns ??= 'jabber:client'
  const text = element.toString().replace(ILLEGAL, '\ufffd')
  if (maxBytes !== undefined && Buffer.byteLength(text) > maxBytes) {
    throw new AppError('stanza-too-big', `This is larger than the ${maxBytes} bytes that ${domain} takes`)
  }
  return text
}
