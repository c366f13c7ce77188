import { once } from 'node:events'
import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import type { TLSSocket } from 'node:tls'
import { client } from '@xmpp/client'
import type { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { isWithinBounds } from '#shared/xml.ts'
import { readStreamError } from './errors.ts'
import { beginTls, hasPublicRoot } from './secure-socket.ts'
import { createInbox } from './stream-inbox.ts'
import { FrameParser, StreamParser } from './stream-parser.ts'
import type { Target } from './targets.ts'

/** An XML stream to the account's server (RFC 6120 §4): elements in and out, nothing about what they mean. */
export interface Stream {
  readonly domain: string
  readonly isSecure: boolean
  /** Present under TLS of ours: what channel binding needs. */
  readonly tls: TLSSocket | undefined
  /** Whether the server's certificate holds only by an authority that this machine was told of. */
  readonly isPrivateCertificate: boolean
  /** Opens the stream, or opens it again after TLS or SASL, and returns its features. */
  open(): Promise<Element>
  startTls(): Promise<void>
  /** The next element of the negotiation; rejects when the stream ends first. */
  next(): Promise<Element>
  /** From here on every element goes to `listener`. */
  listen(listener: (element: Element) => void): void
  /** Fails with `stanza-too-big` over `maxBytes`, for the server would end the stream, and with it everybody's requests. */
  send(element: Element, maxBytes?: number): Promise<void>
  /** Takes stanzas of so many characters from now on; a larger one ends the stream. */
  allowIncoming(characters: number): void
  /** Resolves with the reason once the stream has ended, whoever ended it. */
  readonly ended: Promise<AppError>
  close(): Promise<void>
  destroy(reason: AppError): void
}

/** Characters of one incoming stanza until `allowIncoming`: signing in takes far fewer, and anybody's server may ask for it. */
const MAX_INCOMING = 256 * 1024
// XML 1.0 §2.2. One of these in a stanza, and the server ends the stream for everybody who waits on it.
const ILLEGAL = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/** Connects a socket to `target`, under TLS already where it begins with it. */
export async function connectStream(jid: BareJid, target: Target, signal: AbortSignal): Promise<Stream> {
  const stream = createStream(jid, target)
  const abort = () => stream.destroy(new AppError('timeout', `The XMPP server of ${stream.domain} does not answer`))
  signal.addEventListener('abort', abort, { once: true })
  stream.ended.then(() => signal.removeEventListener('abort', abort))
  try {
    await stream.connect()
    return stream
  } catch (error) {
    stream.destroy(readStreamError(error, stream.domain))
    throw error
  }
}

function createStream(jid: BareJid, target: Target): Stream & { connect(): Promise<void> } {
  const domain = domainOf(jid)
  const entity = client({ service: target.url, domain })
  // Of the library only its streams are used. What it would do on them by itself is done in this room instead:
  // it reconnects blindly, follows see-other-host anywhere, and trusts any answer that has the right id.
  entity.removeAllListeners()
  entity._onSeeOtherHost = (error) => entity.emit('error', error)
  if (target.security !== 'websocket') entity.socketParameters = () => ({ host: target.host, port: target.port })
  // The library takes any WebSocket on loopback for secure.
  const isSecure = () => (target.security === 'websocket' ? target.url.startsWith('wss:') : entity.isSecure())
  const headerElement = (entity as unknown as { headerElement(): Element }).headerElement.bind(entity)
  Object.assign(entity, {
    timeout: 0,
    headerElement: () => {
      const header = headerElement()
      // FAST is offered only to a named account, and a name may only be told under TLS.
      if (isSecure()) header.attrs.from = jid
      return header
    },
  })

  const { promise: ended, resolve: end } = Promise.withResolvers<AppError>()
  const inbox = createInbox(ended)
  let tls: TLSSocket | undefined
  let decoder = new StringDecoder('utf8')
  let received = 0
  let maxIncoming = MAX_INCOMING

  const destroy = (reason: AppError) => {
    end(reason)
    // While TLS begins the library has no socket.
    const socket = (tls ?? entity.socket) as (Partial<Socket> & { end: () => void }) | null
    entity._detachSocket()
    socket?.on?.('error', () => {})
    if (socket?.destroy) socket.destroy()
    else if (socket) closeQuietly(socket)
  }
  const unlessEnded = <T>(work: Promise<T>) => Promise.race([work, ended.then((reason) => Promise.reject<T>(reason))])
  const fail = (error: unknown) => destroy(readStreamError(error, domain))
  entity.on('error', fail)
  entity.on('close', () => destroy(new AppError('unavailable', `The XMPP server of ${domain} closed the connection`)))
  entity.on('disconnect', () => destroy(new AppError('unavailable', `The connection to ${domain} was lost`)))
  entity.on('element', (element: Element) => {
    received = 0
    inbox.push(element)
  })

  entity._onData = (data) => {
    const text = typeof data === 'string' ? data : decoder.write(data)
    received += text.length
    if (received > maxIncoming) return fail({ condition: 'policy-violation' })
    try {
      entity.parser?.write(text)
    } catch (error) {
      // ltx throws on entities that XML does not have.
      fail(error)
    }
  }

  async function startTls(): Promise<void> {
    const raw = entity.socket as unknown as Socket
    entity._detachSocket()
    raw.on('error', fail)
    tls = beginTls(raw, domain, target.security === 'direct')
    decoder = new StringDecoder('utf8')
    // What came in clear behind the server's word to proceed is nobody's (RFC 6120 §13.9.2).
    inbox.clear()
    await unlessEnded(once(tls, 'secureConnect'))
    entity._attachSocket(Object.assign(tls, { secure: true }))
  }

  return {
    domain,
    ended,
    destroy,
    get isSecure() {
      return isSecure()
    },
    get tls() {
      return tls
    },
    get isPrivateCertificate() {
      return tls !== undefined && !hasPublicRoot(tls)
    },
    async connect() {
      await unlessEnded(entity.connect(target.url))
      entity.Parser = target.security === 'websocket' ? FrameParser : StreamParser
      ;(entity.socket as unknown as Partial<Socket>).setNoDelay?.(true)
      if (target.security === 'direct') await startTls()
    },
    async open() {
      await unlessEnded(entity.root === null ? entity.open({ domain }) : entity.restart())
      return inbox.next()
    },
    startTls,
    allowIncoming(characters) {
      maxIncoming = characters
    },
    next: inbox.next,
    listen: inbox.listen,
    async send(element, maxBytes = Number.POSITIVE_INFINITY) {
      if (!isWithinBounds(element)) throw new AppError('too-large', 'This is too large or too deep to be sent')
      if (target.security === 'websocket') element.attrs.xmlns ??= 'jabber:client'
      element.parent = entity.root
      const text = element.toString().replace(ILLEGAL, '\ufffd')
      if (Buffer.byteLength(text) > maxBytes) {
        throw new AppError('stanza-too-big', `This is larger than the ${maxBytes} bytes that ${domain} takes`)
      }
      await entity.write(text)
    },
    async close() {
      try {
        await entity.write(entity.footer(entity.footerElement()))
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000).unref())])
      } catch {
        // It had ended already.
      }
      destroy(new AppError('unavailable', 'The session has ended'))
    },
  }
}

function closeQuietly(socket: { end: () => void }): void {
  try {
    socket.end()
  } catch {
    // A web socket that never opened has nothing to end.
  }
}
