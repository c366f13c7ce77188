import { EventEmitter } from 'node:events'
import { Element } from 'ltx'
import SaxParser from 'ltx/src/parsers/ltx.js'
import { detachText } from '#shared/text.ts'
import { ReadingError } from './errors.ts'
import { MarkupScanner } from './markup-scanner.ts'
import { estimateBytes, MOST_OF_TAG, SIGNING_IN, type StanzaBounds } from './stanza-bounds.ts'

/** Characters that are looked at before the bounds are. */
const PIECE = 65_536
const MALFORMED = 'sends what is not well-formed XML'
const skipped = new WeakSet<Element>()

/** Whether `stanza` was over the bounds: then it has its name and attributes, and nothing inside. */
export function isSkipped(stanza: Element): boolean {
  return skipped.has(stanza)
}

/**
 * Takes the place of the library's parser, whose elements are of another copy of ltx than everybody else's: two that
 * do not know each other's children. Emits `start`, `element`, `end` and `error` as that one does. Nothing over
 * `bounds` is kept in memory: such a stanza is skipped, or the stream ends. No text of an element keeps the stanza that
 * it came in.
 */
export class StreamParser extends EventEmitter {
  bounds: StanzaBounds = SIGNING_IN
  readonly #isFramed: boolean
  readonly #scanner: MarkupScanner
  #sax = this.#createSax()
  /** Pieces of the tag or text that has not ended: joined once, as joining each would take quadratic time. */
  #rest: string[] = []
  #root: Element | undefined
  #stanza: Element | undefined
  #cursor: Element | undefined
  #isSkipping = false
  #characters = 0
  #elements = 0
  #depth = 0
  #finished = 0

  /** Over WebSocket every frame is an element of its own (RFC 7395 §3.3). */
  constructor(isFramed = false) {
    super()
    this.#isFramed = isFramed
    this.#scanner = new MarkupScanner(isFramed ? 0 : 1)
  }

  /** Whether a stanza has begun and not ended. */
  get isInside(): boolean {
    return this.#scanner.isInside
  }

  /** Stanzas that have ended so far. */
  get finished(): number {
    return this.#finished
  }

  /** About how many bytes of memory the unfinished stanza takes. */
  get heldBytes(): number {
    return this.#isSkipping ? 0 : estimateBytes(this.#characters, this.#elements)
  }

  /** Throws a ReadingError on what is not XML, not allowed in a stream, or too large to be skipped. */
  write(text: string): void {
    // A web socket has whole frames, of any size.
    for (let at = 0; at < text.length; at += PIECE) this.#read(text.slice(at, at + PIECE))
  }

  end(): void {}

  #read(text: string): void {
    for (let from = 0; from < text.length; ) {
      const wasInside = this.isInside
      const stop = this.#scanner.advance(text, from)
      // White space between stanzas only keeps the line open.
      if (wasInside || this.isInside || this.#scanner.cut !== -1) this.#take(text.slice(from, stop), from)
      if (!this.isInside) this.#finish()
      from = stop
    }
  }

  #take(text: string, from: number): void {
    this.#characters += text.length
    const isTooLong = this.#characters > this.bounds.characters
    if (isTooLong && !this.bounds.skipsAny) throw new ReadingError('sends more at once than Canto reads')
    if (isTooLong || this.#scanner.longestTag > MOST_OF_TAG) this.#skip()
    if (this.#isSkipping) return
    const cut = this.#scanner.cut === -1 ? 0 : this.#scanner.cut - from
    if (cut > 0) {
      const whole = [...this.#rest, text.slice(0, cut)].join('')
      this.#rest = []
      this.#sax.write(whole)
    }
    if (cut < text.length && !this.#isSkipping) this.#rest.push(text.slice(cut))
  }

  #finish(): void {
    this.#characters = 0
    this.#elements = 0
    this.#depth = 0
    if (!this.#scanner.hasEndedStanza) return
    const stanza = this.#stanza
    if (stanza === undefined || this.#cursor !== undefined) throw new ReadingError(MALFORMED)
    this.#stanza = undefined
    this.#finished++
    if (this.#isSkipping) {
      this.#isSkipping = false
      this.#sax = this.#createSax()
    }
    this.emit(this.#nameEvent(stanza.name), stanza)
  }

  #skip(): void {
    if (this.#isSkipping) return
    if (this.#stanza === undefined) throw new ReadingError('sends more at once than Canto reads')
    this.#isSkipping = true
    this.#stanza.children = []
    this.#cursor = undefined
    this.#rest = []
    skipped.add(this.#stanza)
  }

  #createSax(): SaxParser {
    const sax = new SaxParser()
    sax.on('startElement', (name, attrs) => this.#open(name, attrs))
    sax.on('endElement', (name) => this.#close(name))
    sax.on('text', (text) => this.#cursor?.t(detachText(text)))
    return sax
  }

  #open(name: string, attrs: Record<string, string>): void {
    if (this.#isSkipping) return
    const element = new Element(detachText(name), detachValues(attrs))
    if (this.#root === undefined && !this.#isFramed) {
      this.#root = element
      this.emit('start', element)
      return
    }
    if (this.#cursor !== undefined) this.#cursor.cnode(element)
    else if (this.#stanza !== undefined) throw new ReadingError(MALFORMED)
    else {
      // A child of the stream itself: it knows its namespaces, and the stream does not keep it.
      element.parent = this.#root ?? null
      this.#stanza = element
    }
    this.#cursor = element
    const attributes = Object.keys(attrs).length
    this.#elements += 1 + attributes / 2
    this.#depth++
    const { bounds } = this
    const isTooMany = this.#elements > bounds.elements(this.#characters) || attributes > bounds.attributes
    if (isTooMany || this.#depth > bounds.depth) this.#skip()
  }

  #close(name: string): void {
    if (this.#isSkipping) return
    const closed = this.#cursor
    if (closed === undefined && name === this.#root?.name) this.emit('end', this.#root)
    else if (closed?.name !== name) throw new ReadingError(MALFORMED)
    else {
      this.#cursor = closed === this.#stanza ? undefined : (closed.parent ?? undefined)
      this.#depth--
    }
  }

  #nameEvent(name: string): string {
    if (!this.#isFramed) return 'element'
    return name === 'open' ? 'start' : name === 'close' ? 'end' : 'element'
  }
}

function detachValues(attrs: Record<string, string>): Record<string, string> {
  for (const [name, value] of Object.entries(attrs)) attrs[name] = detachText(value)
  return attrs
}

export class FrameParser extends StreamParser {
  constructor() {
    super(true)
  }
}
