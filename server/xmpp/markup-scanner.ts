import { ReadingError } from './errors.ts'

const TEXT = 0
/** Just behind a `<`. */
const OPEN = 1
const TAG = 2
/** Inside the quotes of an attribute. */
const VALUE = 3
const DECLARATION = 4
/** Behind `<!`, where only a CDATA section may begin. */
const BANG = 5
const CDATA = 6

const [SLASH, GREATER, BANG_MARK, QUESTION, QUOTE, APOSTROPHE] = [...'/>!?"\''].map((mark) => mark.charCodeAt(0))
const CDATA_BEGIN = '[CDATA['
const CDATA_END = ']]>'

/**
 * Follows where the tags of a stream begin and end, and how deep they are, in constant memory: what is too large to be
 * parsed is skipped by it. It checks no names; that is the parser's to do.
 */
export class MarkupScanner {
  #state = TEXT
  #depth = 0
  #quote = ''
  #isClosing = false
  /** Whether the tag would be an empty element if it ended now. */
  #isEmpty = false
  /** Whether the last step was the end of a tag or a CDATA section. */
  #hasEnded = false
  /** The part of a CDATA section's begin or end mark that the texts before had. */
  #mark = ''
  #cut = -1
  #tagLength = 0
  #longestTag = 0
  #hasEndedStanza = false
  readonly #base: number

  /** `base` is the depth at which stanzas begin: 1 inside a stream, 0 where each is a document. */
  constructor(base: number) {
    this.#base = base
  }

  /** Whether a stanza, or a tag outside of one, has begun and not ended. */
  get isInside(): boolean {
    return this.#depth > this.#base || this.#state !== TEXT
  }

  /** In the text of the last `advance`: behind the last whole tag; -1 where none ended in it. */
  get cut(): number {
    return this.#cut
  }

  /** Whether the last `advance` stopped at the end of a stanza. */
  get hasEndedStanza(): boolean {
    return this.#hasEndedStanza
  }

  /** Characters so far of the longest tag that the last `advance` read of. */
  get longestTag(): number {
    return this.#longestTag
  }

  /**
   * Reads `text` from `from` up to the end of a stanza, or of the text; returns where it stopped. Throws on comments,
   * instructions and document types (RFC 6120 §11.1).
   */
  advance(text: string, from: number): number {
    this.#cut = -1
    this.#hasEndedStanza = false
    this.#longestTag = 0
    for (let at = from; at < text.length; ) {
      this.#hasEnded = false
      const next = this.#step(text, at)
      this.#tagLength = this.#state === OPEN ? 1 : this.#tagLength + next - at
      if (this.#state !== TEXT || this.#hasEnded) this.#longestTag = Math.max(this.#longestTag, this.#tagLength)
      at = next
      if (!this.#hasEnded) continue
      this.#cut = at
      if (this.#depth <= this.#base && (this.#isClosing || this.#isEmpty)) {
        // Below that it is the end of the stream itself.
        this.#hasEndedStanza = this.#depth === this.#base
        return at
      }
    }
    return text.length
  }

  #step(text: string, at: number): number {
    switch (this.#state) {
      case TEXT:
        return this.#passTo(text.indexOf('<', at), OPEN, text)
      case OPEN:
        return this.#open(text.charCodeAt(at), at)
      case TAG:
        return this.#readTag(text, at)
      case VALUE:
        return this.#passTo(text.indexOf(this.#quote, at), TAG, text)
      case DECLARATION:
        return this.#passTo(text.indexOf('>', at), TEXT, text)
      case BANG:
        return this.#readBang(text, at)
      default:
        return this.#readCdata(text, at)
    }
  }

  /** Behind the mark at `found`, and from there on in `state`; at the end where there is none. */
  #passTo(found: number, state: number, text: string): number {
    if (found === -1) return text.length
    this.#state = state
    return found + 1
  }

  #open(code: number, at: number): number {
    this.#isClosing = code === SLASH
    this.#isEmpty = false
    this.#mark = ''
    if (code === QUESTION && this.#depth > 0) throw new ReadingError('sends XML that streams may not have')
    this.#state = code === QUESTION ? DECLARATION : code === BANG_MARK ? BANG : TAG
    return at + (this.#state === TAG && !this.#isClosing ? 0 : 1)
  }

  #readTag(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === GREATER) {
        this.#depth += this.#isClosing ? -1 : this.#isEmpty ? 0 : 1
        this.#state = TEXT
        this.#hasEnded = true
        return at + 1
      }
      this.#isEmpty = code === SLASH
      if (code === QUOTE || code === APOSTROPHE) {
        this.#quote = code === QUOTE ? '"' : "'"
        this.#state = VALUE
        return at + 1
      }
    }
    return text.length
  }

  #readBang(text: string, at: number): number {
    this.#mark += text[at]
    if (!CDATA_BEGIN.startsWith(this.#mark)) throw new ReadingError('sends XML that streams may not have')
    if (this.#mark === CDATA_BEGIN) {
      this.#state = CDATA
      this.#mark = ''
    }
    return at + 1
  }

  #readCdata(text: string, from: number): number {
    // The mark may have begun in the text before.
    const seen = this.#mark + text.slice(from, from + CDATA_END.length)
    const early = seen.indexOf(CDATA_END)
    const found = early === -1 ? text.indexOf(CDATA_END, from) : from + early - this.#mark.length
    if (early === -1 && found === -1) {
      const last = this.#mark + text.slice(Math.max(from, text.length - CDATA_END.length + 1))
      this.#mark = last.slice(1 - CDATA_END.length)
      return text.length
    }
    this.#state = TEXT
    this.#hasEnded = true
    return found + CDATA_END.length
  }
}
