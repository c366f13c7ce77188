import { EventEmitter } from 'node:events'
import { Element } from 'ltx'
import SaxParser from 'ltx/src/parsers/ltx.js'

/**
 * Takes the place of the library's parser, whose elements are of another copy of ltx than everybody else's: two that
 * do not know each other's children. Emits `start`, `element`, `end` and `error` as that one does.
 */
export class StreamParser extends EventEmitter {
  readonly #sax = new SaxParser()
  readonly #isFramed: boolean
  #root: Element | undefined
  #cursor: Element | undefined

  /** Over WebSocket every frame is an element of its own (RFC 7395 §3.3). */
  constructor(isFramed = false) {
    super()
    this.#isFramed = isFramed
    this.#sax.on('startElement', (name, attrs) => this.#open(new Element(name, attrs)))
    this.#sax.on('endElement', (name) => this.#close(name))
    this.#sax.on('text', (text) => this.#cursor?.t(text))
  }

  write(text: string): void {
    this.#sax.write(text)
  }

  end(): void {}

  #open(element: Element): void {
    if (this.#root === undefined && !this.#isFramed) {
      this.#root = element
      this.emit('start', element)
    } else if (this.#cursor === undefined) {
      // A child of the stream itself: it knows its namespaces, and the stream does not keep it.
      element.parent = this.#root ?? null
    } else this.#cursor.cnode(element)
    if (element !== this.#root) this.#cursor = element
  }

  #close(name: string): void {
    const closed = this.#cursor
    if (closed === undefined) {
      if (name === this.#root?.name) this.emit('end', this.#root)
      else this.emit('error', new Error(`The stream closes ${name}, which is not open`))
      return
    }
    if (closed.name !== name) {
      this.emit('error', new Error(`The stream closes ${name} inside ${closed.name}`))
      return
    }
    this.#cursor = closed.parent === this.#root ? undefined : (closed.parent ?? undefined)
    if (this.#cursor === undefined) this.emit(this.#nameEvent(name), closed)
  }

  #nameEvent(name: string): string {
    if (!this.#isFramed) return 'element'
    return name === 'open' ? 'start' : name === 'close' ? 'end' : 'element'
  }
}

export class FrameParser extends StreamParser {
  constructor() {
    super(true)
  }
}
