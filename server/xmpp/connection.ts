import { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { type BareJid, domainOf } from '#shared/jid.ts'
import { createAcks } from './acks.ts'
import { answerRequest } from './answers.ts'
import { negotiate, type SignIn } from './negotiate.ts'
import { type Ask, createRequests } from './requests.ts'
import { connectStream, type Stream } from './stream.ts'
import { findTargets, type Target } from './targets.ts'
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
}

/** One connection, from signing in to its end; never used again after that. */
export interface Connection {
  readonly fullJid: string
  readonly ask: Ask
  readonly maxStanzaBytes: number | undefined
  readonly isPrivateCertificate: boolean
  readonly rtt: number | undefined
  readonly ended: Promise<AppError>
  close(): Promise<void>
}

const CONNECT_TIMEOUT = 8_000
// Some servers answer with a whole node at once. The site's own may; another's must not exhaust memory.
const MAX_INCOMING = { own: 64 * 1024 * 1024, other: 8 * 1024 * 1024 } as const

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
  const { jid } = options.signIn
  let problem: unknown
  const targets = await findTargets(domainOf(jid), options)
  for (const target of targets) {
    let stream: Stream | undefined
    try {
      stream = await connectInTime(jid, target, signal)
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
async function connectInTime(jid: BareJid, target: Target, signal: AbortSignal): Promise<Stream> {
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  const timer = setTimeout(giveUp, CONNECT_TIMEOUT)
  signal.addEventListener('abort', giveUp)
  try {
    return await connectStream(jid, target, patience.signal)
  } finally {
    clearTimeout(timer)
  }
}

async function establish(stream: Stream, target: Target, options: ConnectionOptions): Promise<Connection> {
  const { jid } = options.signIn
  const bound = await negotiate(stream, target, options.signIn)
  stream.allowIncoming(options.isSite || options.service !== undefined ? MAX_INCOMING.own : MAX_INCOMING.other)
  const sendQuietly = (element: Element) => void stream.send(element).catch(() => {})
  const acks = bound.hasAcks ? createAcks(sendQuietly) : undefined
  const requests = createRequests(jid, (element) => stream.send(element, bound.maxStanzaBytes))
  let lastHeard = Date.now()

  stream.listen((element) => {
    lastHeard = Date.now()
    acks?.handle(element)
    if (requests.handle(element)) return
    if (element.name === 'message') return options.onMessage(element)
    const answer = answerRequest(element, options.isSite)
    if (answer) sendQuietly(answer)
  })
  // Presence makes a session an ear, and takes the messages meant for a person's chat client: the site's alone sends it.
  if (options.isSite) sendQuietly(new Element('presence').c('priority').t('0').up())

  const watch = watchLine({
    lastHeard: () => lastHeard,
    ask: acks?.request ?? pingServer(jid, requests.ask),
    onDead: () => stream.destroy(new AppError('unavailable', `The XMPP server of ${stream.domain} no longer answers`)),
  })
  stream.ended.then((reason) => {
    watch.stop()
    requests.fail(reason)
  })
  return {
    fullJid: bound.fullJid,
    ask: requests.ask,
    maxStanzaBytes: bound.maxStanzaBytes,
    isPrivateCertificate: stream.isPrivateCertificate,
    ended: stream.ended,
    get rtt() {
      return watch.rtt
    },
    close: stream.close,
  }
}

function pingServer(jid: BareJid, ask: Ask) {
  return (onAnswer: () => void) => {
    const ping = new Element('ping', { xmlns: 'urn:xmpp:ping' })
    // An error is an answer too: somebody is there.
    ask('get', domainOf(jid), ping, { timeout: 60_000 }).then(onAnswer, onAnswer)
  }
}
