import { Element } from 'ltx'
import { AppError } from '#server/errors.ts'
import type { BareJid } from '#shared/jid.ts'
import { createAcks, type Enabled, type Resume } from './acks.ts'
import { answerRequest } from './answers.ts'
import { type Ask, createRequests } from './requests.ts'
import type { Stream } from './stream.ts'
import type { Counters } from './traffic.ts'

/** A resource that was bound, and how its stream is managed. */
export interface Bound {
  readonly fullJid: string
  /** Undefined where the server manages no streams. */
  readonly acks?: Enabled | undefined
  readonly maxStanzaBytes?: number | undefined
}

export interface ConversationOptions {
  readonly jid: BareJid
  readonly isSite: boolean
  readonly traffic: Counters
  readonly onMessage: (stanza: Element) => void
}

/**
 * What is said between us and the server from the binding of a resource to its end: requests and their answers,
 * stanzas and their acknowledgements. Where the server resumes streams (XEP-0198 §5) it goes on over several.
 */
export interface Conversation {
  readonly bound: Bound
  readonly ask: Ask
  /** Sends what has no answer. Fails with `unavailable` while there is no connection. */
  readonly tell: (stanza: Element) => Promise<void>
  /** Asks the server for a sign of life; undefined where it manages no streams. */
  readonly askAck: ((onAnswer: () => void) => void) | undefined
  /** How to go on; undefined where that is not possible, or not any more. */
  readonly resume: Resume | undefined
  /** Goes on over another stream; false where what the server says it has handled cannot be. */
  goOn(over: Stream, h: unknown): boolean
  /** The line broke. Until it goes on, what is asked fails and what was asked waits. */
  pause(): void
  /** Fails all that is still open. */
  end(reason: AppError): void
}

/** Begins over `stream`, on which `bound` was bound just now. */
export function beginConversation(first: Stream, bound: Bound, options: ConversationOptions): Conversation {
  const { jid, isSite, traffic } = options
  let stream = first
  let lostAt: number | undefined
  let ended: AppError | undefined
  const write = (text: string) => void stream.write(text).catch(() => {})
  const acks = bound.acks && createAcks(bound.acks, write)

  async function send(element: Element): Promise<void> {
    const text = stream.serialise(element, bound.maxStanzaBytes)
    traffic.stanzasOut++
    // A stanza that is counted is not lost with the line; if it is all the same, the conversation ends, and says so.
    return acks ? acks.send(text) : stream.write(text)
  }
  const sendQuietly = (element: Element) => void send(element).catch(() => {})
  const requests = createRequests(jid, (element) => {
    traffic.roundTrips++
    return send(element)
  })

  function hear(element: Element): void {
    acks?.handle(element)
    if (requests.handle(element)) return
    if (element.name === 'message') options.onMessage(element)
    const answer = answerRequest(element, isSite)
    if (answer) sendQuietly(answer)
  }

  stream.listen(hear)
  // Presence makes a session an ear, and takes the messages meant for a person's chat client: the site's alone sends it.
  if (isSite) sendQuietly(new Element('presence').c('priority').t('0').up())

  return {
    bound,
    async ask(...args) {
      // Not the reason itself: a refused sign-in says nothing about the node that was asked for.
      if (ended || lostAt !== undefined) throw new AppError('unavailable', `${jid} is not connected`, { cause: ended })
      return requests.ask(...args)
    },
    async tell(stanza) {
      if (ended || lostAt !== undefined) throw new AppError('unavailable', `${jid} is not connected`, { cause: ended })
      await send(stanza)
    },
    askAck: acks?.request,
    get resume() {
      const isTooLate =
        lostAt !== undefined && performance.now() - lostAt > (bound.acks?.max ?? Number.POSITIVE_INFINITY)
      return ended || isTooLate ? undefined : acks?.resume
    },
    goOn(over, h) {
      stream = over
      if (!acks?.goOn(h)) return false
      lostAt = undefined
      stream.listen(hear)
      return true
    },
    pause() {
      lostAt ??= performance.now()
    },
    end(reason) {
      ended ??= reason
      requests.fail(reason)
    },
  }
}
