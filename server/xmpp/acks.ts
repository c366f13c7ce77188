import { Element } from 'ltx'

export const ACKS = 'urn:xmpp:sm:3'
const STANZAS = new Set(['iq', 'message', 'presence'])
/** Counts begin again here (XEP-0198 §4). */
const WRAP = 2 ** 32
/** What is sent without being acknowledged; beyond that it is forgotten, and the stream cannot be resumed. */
const MAX_QUEUE = { stanzas: 1000, characters: 4 * 1024 * 1024 }
/** How much is sent before we ask what has arrived. */
const ASK_AFTER = { stanzas: 16, characters: 64 * 1024 }

/** What the server says of a stream that it manages. */
export interface Enabled {
  /** Present where the stream may be resumed. */
  readonly id?: string
  /** Milliseconds after a drop until which it may; undefined where the server does not say. */
  readonly max?: number
}

/** How a stream is asked to go on: its id, and how many of the server's stanzas we have handled. */
export interface Resume {
  readonly previd: string
  readonly h: number
}

/**
 * Our side of stream management (XEP-0198): what has been handled is acknowledged, a peer that no longer answers is
 * noticed, and what it has not acknowledged is kept, so that another stream can go on where this one broke.
 */
export interface Acks {
  /** Counts what comes in, and takes and answers what the peer says of its and our counts. */
  handle(element: Element): void
  /** Asks the peer to acknowledge; `onAnswer` is called when it does. */
  request(onAnswer: () => void): void
  /** Sends a stanza. */
  send(text: string): void
  /** Undefined where the stream cannot be resumed, or no longer. */
  readonly resume: Resume | undefined
  /** Sends again what the peer has not handled, in order; false where its count cannot be. */
  goOn(h: unknown): boolean
}

/** Counting begins now: call it when the server has said `<enabled/>`. `write` may fail in silence. */
export function createAcks({ id }: Enabled, write: (text: string) => void): Acks {
  let previd = id
  let handled = 0
  let acknowledged = 0
  let queue: string[] = []
  let kept = 0
  let unasked = { stanzas: 0, characters: 0 }
  let waiting: (() => void)[] = []

  function giveUp(): void {
    previd = undefined
    queue = []
    kept = 0
  }

  function take(h: unknown): boolean {
    const count = typeof h === 'string' && /^\d{1,10}$/.test(h) ? Number(h) : Number.NaN
    const fresh = (count - acknowledged + WRAP) % WRAP
    // What was never sent cannot have been handled, nor what was handled become unhandled.
    if (!(count < WRAP && fresh <= queue.length)) return false
    for (const text of queue.splice(0, fresh)) kept -= text.length
    acknowledged = count
    return true
  }

  function ask(): void {
    unasked = { stanzas: 0, characters: 0 }
    write(`<r xmlns='${ACKS}'/>`)
  }

  return {
    handle(element) {
      if (STANZAS.has(element.name)) handled = (handled + 1) % WRAP
      else if (element.is('r', ACKS)) write(`<a xmlns='${ACKS}' h='${handled}'/>`)
      else if (element.is('a', ACKS)) {
        // Who counts otherwise than we do is not asked to go on: what would it send twice, or never?
        if (previd !== undefined && !take(element.attrs.h)) giveUp()
        for (const answer of waiting.splice(0)) answer()
      }
    },
    request(onAnswer) {
      waiting.push(onAnswer)
      ask()
    },
    send(text) {
      if (previd === undefined) return write(text)
      queue.push(text)
      kept += text.length
      unasked.stanzas++
      unasked.characters += text.length
      if (queue.length > MAX_QUEUE.stanzas || kept > MAX_QUEUE.characters) giveUp()
      write(text)
      if (unasked.stanzas >= ASK_AFTER.stanzas || unasked.characters >= ASK_AFTER.characters) ask()
    },
    get resume() {
      return previd === undefined ? undefined : { previd, h: handled }
    },
    goOn(h) {
      waiting = []
      if (previd === undefined || !take(h)) return false
      for (const text of queue) write(text)
      if (queue.length > 0) ask()
      return true
    },
  }
}

/** Asks for a stream that is managed, and that may be resumed where the server likes. */
export function writeEnable(): Element {
  return new Element('enable', { xmlns: ACKS, resume: 'true' })
}

export function readEnabled({ attrs }: Element): Enabled {
  const seconds = attrs.max === undefined ? undefined : Number(attrs.max)
  const max = seconds !== undefined && seconds >= 0 ? { max: seconds * 1000 } : {}
  // COMPAT(Prosody 13): a server that keeps streams for no time says so by a maximum of 0.
  const mayResume = (attrs.resume === 'true' || attrs.resume === '1') && attrs.id && max.max !== 0
  return mayResume ? { id: String(attrs.id), ...max } : {}
}

export function writeResume({ previd, h }: Resume): Element {
  return new Element('resume', { xmlns: ACKS, previd, h: String(h) })
}

/** The peer's count, to be checked by `goOn`; undefined where it speaks of another stream. */
export function readResumed({ attrs }: Element, { previd }: Resume): unknown {
  return attrs.previd === previd ? attrs.h : undefined
}
