import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { beginConversation, type Conversation } from './conversation.ts'
import { isSignedInBy, type Negotiated, negotiate, type SignIn } from './negotiate.ts'
import type { Ask } from './requests.ts'
import { OWN, STRANGER } from './stanza-bounds.ts'
import { connectStream, type Stream, type StreamOptions } from './stream.ts'
import { findTargets, type Target } from './targets.ts'
import type { Counters } from './traffic.ts'
import { watchLine } from './watch-line.ts'

export interface ConnectionOptions {
  readonly signIn: SignIn
  readonly service: string | undefined
  readonly allowPrivate: boolean
  readonly isSite: boolean
  /** Milliseconds for the whole way from DNS to a bound resource. */
  readonly timeout: number
  /** Gives up the attempt. */
  readonly signal?: AbortSignal
  readonly onMessage: (stanza: Element) => void
  readonly traffic: Counters
  /** What went on until the line broke, to go on with if the server does. */
  readonly previous?: Conversation | undefined
}

/** One connection, from signing in to its end; never used again after that. */
export interface Connection {
  /** The previous one where it was resumed. */
  readonly conversation: Conversation
  readonly signIn: 'resumed' | 'token' | 'password'
  /** What the server announces of its features (XEP-0115); nothing where the stream was resumed. */
  readonly caps: string | undefined
  readonly isPrivateCertificate: boolean
  readonly rtt: number | undefined
  readonly ended: Promise<AppError>
  close(): Promise<void>
}

const CONNECT_TIMEOUT = 8_000

/** Connects, signs in and binds; tries every place where the server may be. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const attempt = new AbortController()
  const giveUp = () => attempt.abort()
  // Cleared afterwards: it would end what it waited for.
  const timer = setTimeout(giveUp, options.timeout)
  options.signal?.addEventListener('abort', giveUp)
  const givenUp = new Promise<never>((_, reject) => {
    const late = new AppError('timeout', `The XMPP server of ${domainOf(options.signIn.jid)} does not answer`)
    attempt.signal.addEventListener('abort', () => reject(late))
  })
  try {
    return await Promise.race([tryTargets(options, attempt.signal), givenUp])
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', giveUp)
  }
}

async function tryTargets(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const { signIn, traffic } = options
  const { jid } = signIn
  let problem: unknown
  const bounds = options.isSite || options.service !== undefined ? OWN : STRANGER
  const boundsFrom = (element: Element) => (isSignedInBy(element) ? bounds : undefined)
  const targets = await findTargets(domainOf(jid), options)
  for (const target of targets) {
    // DNS may have taken longer than anybody waits: a connection that is made now would be held by nobody.
    signal.throwIfAborted()
    let stream: Stream | undefined
    try {
      stream = await connectInTime({ jid, target, traffic, boundsFrom }, signal)
      return await establish(stream, target, options)
    } catch (error) {
      stream?.destroy(new AppError('unavailable', 'The attempt failed'))
      problem = error
      if (signal.aborted || isAppError(error, 'not-authorized')) break
    }
  }
  throw problem
}

/** One that does not answer must leave time for the others: an address may be of a network that we are not on. */
async function connectInTime(options: StreamOptions, signal: AbortSignal): Promise<Stream> {
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  const timer = setTimeout(giveUp, CONNECT_TIMEOUT)
  signal.addEventListener('abort', giveUp)
  try {
    return await connectStream(options, patience.signal)
  } finally {
    clearTimeout(timer)
  }
}

async function establish(stream: Stream, target: Target, options: ConnectionOptions): Promise<Connection> {
  const { jid } = options.signIn
  const { previous } = options
  const outcome = await negotiate(stream, target, { ...options.signIn, resume: previous?.resume })
  const conversation = await converse(stream, outcome, options)
  const watch = watchLine({
    lastHeard: () => stream.lastHeard,
    ask: conversation.askAck ?? pingServer(jid, conversation.ask),
    onDead: () =>
      stream.destroy(new AppError('unavailable', `The XMPP server of ${stream.domain} no longer answers`), 'lost'),
  })
  stream.ended.then((reason) => {
    watch.stop()
    if (stream.isLost && conversation.resume) conversation.pause()
    else conversation.end(reason)
  })
  return {
    conversation,
    signIn: outcome.kind === 'resumed' ? 'resumed' : outcome.signIn,
    caps: outcome.kind === 'resumed' ? undefined : outcome.caps,
    isPrivateCertificate: stream.isPrivateCertificate,
    ended: stream.ended,
    get rtt() {
      return watch.rtt
    },
    close: stream.close,
  }
}

async function converse(stream: Stream, outcome: Negotiated, options: ConnectionOptions): Promise<Conversation> {
  const { signIn, previous } = options
  if (outcome.kind === 'resumed' && previous?.goOn(stream, outcome.h)) return previous
  // Who asked before asks again, if it wants to: what came of it nobody knows.
  previous?.end(new AppError('unavailable', `The connection to ${stream.domain} was lost`))
  if (outcome.kind === 'bound') return beginConversation(stream, outcome.bound, { ...options, jid: signIn.jid })
  await stream.close()
  throw new AppError('unavailable', `${stream.domain} resumes a stream that was another`)
}

function pingServer(jid: BareJid, ask: Ask) {
  return (onAnswer: () => void) => {
    const ping = new Element('ping', { xmlns: 'urn:xmpp:ping' })
    // An error is an answer too: somebody is there.
    ask('get', domainOf(jid), ping, { timeout: 60_000 }).then(onAnswer, onAnswer)
  }
}
