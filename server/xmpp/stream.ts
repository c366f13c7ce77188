import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { pause } from './backoff.ts'
import { ReadingError, readStreamError } from './errors.ts'
import { beginTls, hasPublicRoot } from './secure-socket.ts'
import type { StanzaBounds } from './stanza-bounds.ts'
import { createEntity } from './stream-entity.ts'
import { createInbox } from './stream-inbox.ts'
import { FrameParser, isSkipped, StreamParser } from './stream-parser.ts'
import { createReader } from './stream-reader.ts'
import { createWriter } from './stream-writer.ts'
import type { Target } from './targets.ts'
import type { Counters } from './traffic.ts'
import { writeStanza } from './write-stanza.ts'

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
  send(element: Element): Promise<void>
  /** Fails with `stanza-too-big` over `maxBytes`, for the server would end the stream, and with it everybody's requests. */
  serialise(element: Element, maxBytes?: number): string
  /** What `serialise` returned. */
  write(text: string): Promise<void>
  /** When anything last came in, in milliseconds since 1970. */
  readonly lastHeard: number
  /** Resolves with the reason once the stream has ended, whoever ended it. */
  readonly ended: Promise<AppError>
  /** Whether it ended because the line broke: nobody meant to end it, so it may go on over another (XEP-0198 §5). */
  readonly isLost: boolean
  close(): Promise<void>
  destroy(reason: AppError, how?: 'ended' | 'lost'): void
}

const STANZAS = new Set(['iq', 'message', 'presence'])
/** Milliseconds for saying goodbye. */
const CLOSE_PATIENCE = 1000

export interface StreamOptions {
  readonly jid: BareJid
  readonly target: Target
  readonly traffic: Counters
  /**
   * The bounds of what comes behind an element of the negotiation, where it widens them. Asked only where the line is as
   * safe as it will be: what is over them loses all but its name and attributes.
   */
  readonly boundsFrom?: (element: Element) => StanzaBounds | undefined
}

/** Connects a socket to the target, under TLS already where it begins with it. */
export async function connectStream(options: StreamOptions, signal: AbortSignal): Promise<Stream> {
  const stream = createStream(options)
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

function createStream({ jid, target, traffic, boundsFrom }: StreamOptions): Stream & { connect(): Promise<void> } {
  const domain = domainOf(jid)
  const { entity, isSecure } = createEntity(jid, target, traffic)
  const { promise: ended, resolve: end } = Promise.withResolvers<AppError>()
  const writer = createWriter(entity.write, fail)
  const findParser = () => entity.parser as StreamParser | null
  const findWaitingBytes = () => inbox.waitingBytes
  const reader = createReader({ traffic, findParser, writer, findWaitingBytes, fail })
  // While TLS begins the library has no socket.
  const findSocket = () => (tls ?? entity.socket) as (Partial<Socket> & { end: () => void }) | null
  const inbox = createInbox(ended, { pause: () => findSocket()?.pause?.(), resume: () => findSocket()?.resume?.() })
  let tls: TLSSocket | undefined
  let isListening = false
  let hasWidened = false
  let isLost = false
  let isEnding = false
  let isDestroyed = false
  /** Whether anything was said that nobody has waited for yet. */
  let hasSpoken = false

  const destroy = (reason: AppError, how: 'ended' | 'lost' = 'ended') => {
    if (isDestroyed) return
    isDestroyed = true
    if (!isEnding) isLost = how === 'lost'
    isEnding = true
    reader.stop()
    end(reason)
    const socket = findSocket()
    entity._detachSocket()
    socket?.on?.('error', () => {})
    if (socket?.destroy) socket.destroy()
    else if (socket) closeQuietly(socket)
  }
  const unlessEnded = <T>(work: Promise<T>) => Promise.race([work, ended.then((reason) => Promise.reject<T>(reason))])
  entity.on('error', fail)
  entity.on('close', () => destroy(new AppError('unavailable', `The XMPP server of ${domain} closed the connection`)))
  entity.on('disconnect', () => destroy(new AppError('unavailable', `The connection to ${domain} was lost`), 'lost'))
  entity.on('element', (element: Element) => {
    const mayWiden = !isListening && (isSecure() || target.mayBePlain)
    const next = mayWiden ? boundsFrom?.(element) : undefined
    if (next !== undefined) {
      hasWidened = true
      // At once: what comes next may be parsed already when somebody has read this.
      reader.allow(next)
    }
    if (!hasWidened && isSkipped(element)) return fail(new ReadingError('sends more at once than Canto reads'))
    if (STANZAS.has(element.name)) traffic.stanzasIn++
    inbox.push(element)
  })

  entity._onData = reader.read

  function fail(error: unknown): void {
    destroy(readStreamError(error, domain), isOfSocket(error) ? 'lost' : 'ended')
  }

  async function startTls(): Promise<void> {
    const raw = entity.socket as unknown as Socket
    entity._detachSocket()
    raw.on('error', fail)
    tls = beginTls(raw, domain, target.security === 'direct')
    reader.restart()
    // What came in clear behind the server's word to proceed is nobody's (RFC 6120 §13.9.2).
    inbox.clear()
    traffic.roundTrips++
    await unlessEnded(once(tls, 'secureConnect'))
    entity._attachSocket(Object.assign(tls, { secure: true }))
  }

  async function write(text: string): Promise<void> {
    hasSpoken = true
    await writer.write(text)
  }

  const serialise = (element: Element, maxBytes?: number) =>
    writeStanza(element, { isFramed: target.security === 'websocket', domain, maxBytes })

  /** The next element of the negotiation; a round trip where it was asked for. */
  function next(): Promise<Element> {
    if (hasSpoken) traffic.roundTrips++
    hasSpoken = false
    return inbox.next()
  }

  return {
    domain,
    ended,
    destroy,
    serialise,
    write,
    next,
    get isLost() {
      return isLost
    },
    get lastHeard() {
      return reader.lastHeard
    },
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
      traffic.roundTrips++
      await unlessEnded(entity.connect(target.url))
      entity.Parser = target.security === 'websocket' ? FrameParser : StreamParser
      ;(entity.socket as unknown as Partial<Socket>).setNoDelay?.(true)
      if (target.security === 'direct') await startTls()
    },
    async open() {
      traffic.roundTrips++
      await unlessEnded(entity.root === null ? entity.open({ domain }) : entity.restart())
      return inbox.next()
    },
    startTls,
    listen(listener) {
      isListening = true
      inbox.listen(listener)
      reader.weigh()
    },
    send: async (element) => write(serialise(element)),
    async close() {
      isEnding = true
      // It may have ended already, or read nothing any more.
      const isSaid = write(entity.footer(entity.footerElement())).then(() => ended)
      const late = new AbortController()
      await Promise.race([isSaid.catch(() => {}), pause(CLOSE_PATIENCE, late.signal)])
      late.abort()
      destroy(new AppError('unavailable', 'The session has ended'))
    },
  }
}

/** Whether it is the system's word about a socket, and not one of the server or about what it sent. */
function isOfSocket(error: unknown): boolean {
  // Of a web socket the library tells the event.
  return error instanceof Error && ('syscall' in error || 'event' in error)
}

function closeQuietly(socket: { end: () => void }): void {
  try {
    socket.end()
  } catch {
    // A web socket that never opened has nothing to end.
  }
}
