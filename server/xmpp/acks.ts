import { Element } from 'ltx'

export const ACKS = 'urn:xmpp:sm:3'
const STANZAS = new Set(['iq', 'message', 'presence'])

/**
 * Our side of stream management (XEP-0198): what has been handled is acknowledged, and a peer that no longer answers
 * is noticed. Streams are not resumed: after a drop every request fails, and whoever asked reads the node again, so a
 * resumed stream would deliver nothing that is not read anyway.
 */
export interface Acks {
  /** Counts what comes in and answers the peer's requests. */
  handle(element: Element): void
  /** Asks the peer to acknowledge; `onAnswer` is called when it does. */
  request(onAnswer: () => void): void
}

/** Counting begins now: call it when the server has said `<enabled/>`. */
export function createAcks(send: (element: Element) => void): Acks {
  let handled = 0
  let waiting: (() => void)[] = []
  return {
    handle(element) {
      if (STANZAS.has(element.name)) handled = (handled + 1) % 2 ** 32
      else if (element.is('r', ACKS)) send(new Element('a', { xmlns: ACKS, h: String(handled) }))
      else if (element.is('a', ACKS)) for (const answer of waiting.splice(0)) answer()
    },
    request(onAnswer) {
      waiting = [...waiting, onAnswer]
      send(new Element('r', { xmlns: ACKS }))
    },
  }
}
