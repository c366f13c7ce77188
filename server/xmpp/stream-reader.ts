import { StringDecoder } from 'node:string_decoder'
import { ReadingError } from './errors.ts'
import { createMemoryBudget } from './memory-budget.ts'
import { SIGNING_IN, type StanzaBounds } from './stanza-bounds.ts'
import type { StreamParser } from './stream-parser.ts'
import type { StreamWriter } from './stream-writer.ts'
import type { Counters } from './traffic.ts'

/** Bytes that the unfinished stanzas of all servers but the site's own may take together. */
const MOST_OF_STRANGERS = 64 * 1024 * 1024
const strangers = createMemoryBudget(MOST_OF_STRANGERS)

export interface ReaderOptions {
  readonly traffic: Counters
  /** The one of the moment: every restart of the stream has a new one. */
  readonly findParser: () => StreamParser | null
  /** Bytes that the server has not read yet count as held too. */
  readonly writer: Pick<StreamWriter, 'unreadBytes'>
  /** Bytes that nobody here has asked for yet count as held too. */
  readonly findWaitingBytes: () => number
  readonly fail: (error: unknown) => void
}

/** Takes what comes over the socket to the parser, within the bounds of one stanza, of time, and of all strangers. */
export interface StreamReader {
  read(data: unknown): void
  /** Drops partial input, which belongs to nobody: TLS begins. */
  restart(): void
  /** Takes stanzas within these bounds from the next one on. */
  allow(bounds: StanzaBounds): void
  /** Counts again what is held: some of what waited was taken. */
  weigh(): void
  stop(): void
  /** When anything last came in, as `performance.now()` tells. */
  readonly lastHeard: number
}

export function createReader({ traffic, findParser, writer, findWaitingBytes, fail }: ReaderOptions): StreamReader {
  let decoder = new StringDecoder('utf8')
  let bounds = SIGNING_IN
  let lastHeard = performance.now()
  let isStopped = false
  let patience: NodeJS.Timeout | undefined
  const holder = { giveUp: () => fail(new ReadingError('sends more than there is room for now')) }

  function feed(text: string): void {
    const parser = findParser()
    if (parser === null) return
    const before = parser.finished
    parser.bounds = bounds
    parser.write(text)
    if (isStopped) return
    weigh()
    if (isStopped) return
    if (patience !== undefined && (!parser.isInside || parser.finished > before)) {
      clearTimeout(patience)
      patience = undefined
    }
    if (parser.isInside) patience ??= setTimeout(giveUpWaiting, bounds.patience)
  }

  function weigh(): void {
    const held = (findParser()?.heldBytes ?? 0) + writer.unreadBytes + findWaitingBytes()
    strangers.hold(holder, bounds.isShared && !isStopped ? held : 0)
  }

  function giveUpWaiting(): void {
    fail(new ReadingError('does not end what it began to say'))
  }

  return {
    read(data) {
      lastHeard = performance.now()
      try {
        // A frame that is neither is binary, and none of XMPP's (RFC 7395 §3.2).
        if (typeof data !== 'string' && !Buffer.isBuffer(data)) throw new ReadingError('sends what is not XML')
        traffic.bytesIn += Buffer.byteLength(data)
        feed(typeof data === 'string' ? data : decoder.write(data))
      } catch (error) {
        fail(error)
      }
    },
    restart() {
      decoder = new StringDecoder('utf8')
    },
    allow(next) {
      bounds = next
      const parser = findParser()
      if (parser !== null) parser.bounds = next
      weigh()
    },
    weigh,
    stop() {
      isStopped = true
      clearTimeout(patience)
      strangers.hold(holder, 0)
    },
    get lastHeard() {
      return lastHeard
    },
  }
}
