import { AppError, isAppError } from '#server/errors.ts'
import { domainOf } from '#shared/jid.ts'
import { createArchive } from './archive.ts'
import { pause, reconnectDelay } from './backoff.ts'
import { type Connection, openConnection } from './connection.ts'
import type { Conversation } from './conversation.ts'
import { createDisco } from './disco.ts'
import { readEntityTime } from './entity-time.ts'
import { readStreamError } from './errors.ts'
import { readMessage, writeMessage } from './messages.ts'
import { createMix } from './mix.ts'
import { publishNickname } from './nickname.ts'
import type {
  FastToken,
  Message,
  PubsubEvent,
  RoomMessage,
  SessionOptions,
  SessionStatus,
  XmppSession,
} from './ports.ts'
import { createPubsub } from './pubsub.ts'
import { readPubsubEvents } from './pubsub-events.ts'
import type { Ask } from './requests.ts'
import { readRoomMessage } from './room-messages.ts'
import { createRoster } from './roster.ts'
import { createServices } from './services.ts'
import { isSkipped } from './stream-parser.ts'
import { createTraffic } from './traffic.ts'
import { requestUploadSlot } from './upload.ts'
import { whenOnline } from './when-online.ts'

const CONNECT_TIMEOUT = 30_000
/** Milliseconds online after which a drop is a new story. */
const STABLE = 30_000

/** An account's session: returns at once, connects by itself, and again whenever the connection is lost. */
export function openSession(options: SessionOptions): XmppSession {
  const { jid, log } = options
  const domain = domainOf(jid)
  const stopping = new AbortController()
  const statusListeners = new Set<(status: SessionStatus) => void>()
  const eventListeners = new Set<(event: PubsubEvent) => void>()
  const messageListeners = new Set<(message: Message) => void>()
  const roomListeners = new Set<(message: RoomMessage) => void>()
  let status: SessionStatus = 'connecting'
  let problem: AppError | undefined
  let connection: Connection | undefined
  /** That of the connection, or of the one that broke. */
  let conversation: Conversation | undefined
  let lastSignIn: Connection['signIn'] | undefined
  const traffic = createTraffic()

  const ask: Ask = async (...args) => {
    if (conversation === undefined) throw new AppError('unavailable', `${jid} is not connected`, { cause: problem })
    return conversation.ask(...args)
  }
  const disco = createDisco(ask)
  const services = createServices(jid, disco)
  const roster = createRoster(ask)
  const archive = createArchive(ask)
  const mix = createMix({ own: jid, ask, disco, readServices: services.read, archive, onMessage: onRoomMessage })
  const pubsub = createPubsub({ own: jid, ask, disco, readServices: services.read })

  function onRoomMessage(listener: (message: RoomMessage) => void): () => void {
    roomListeners.add(listener)
    return () => void roomListeners.delete(listener)
  }

  function change(next: SessionStatus, why?: AppError): void {
    status = next
    problem = why
    log.debug({ jid, status, problem: why?.message }, 'XMPP session')
    for (const listener of [...statusListeners]) shield(() => listener(next))
  }

  function shield(run: () => void): void {
    try {
      run()
    } catch (error) {
      log.error({ jid, err: error }, 'A listener of an XMPP session failed')
    }
  }

  // A token that cannot be kept is no reason not to be online.
  const saveToken =
    options.saveToken &&
    (async (token: FastToken | undefined) => {
      try {
        await options.saveToken?.(token)
      } catch (error) {
        log.error({ jid, err: error }, 'A sign-in token could not be saved')
      }
    })

  async function connect(invalidates = false): Promise<Connection> {
    const { token, ...others } = await options.credentials()
    // To invalidate a token nothing else will do, least of all a password that would be given a new one.
    const credentials = invalidates ? { token } : { token, ...others }
    return openConnection({
      signIn: { jid, credentials, userAgentId: options.userAgentId, saveToken, invalidates },
      ...(!invalidates && { signal: stopping.signal }),
      service: options.service,
      allowPrivate: options.allowPrivate ?? false,
      isSite: options.isSite && !invalidates,
      traffic,
      ...(!invalidates && { previous: conversation }),
      timeout: options.connectTimeout ?? CONNECT_TIMEOUT,
      onMessage(stanza) {
        if (isSkipped(stanza)) return log.warn({ jid, from: stanza.attrs.from }, 'A message was too large to be read')
        if (archive.handle(stanza)) return
        const inRoom = readRoomMessage(stanza)
        if (inRoom !== undefined) for (const listener of [...roomListeners]) shield(() => listener(inRoom))
        const message = readMessage(stanza)
        if (message !== undefined) for (const listener of [...messageListeners]) shield(() => listener(message))
        for (const event of readPubsubEvents(stanza)) {
          for (const listener of [...eventListeners]) shield(() => listener(event))
        }
      },
    })
  }

  async function live(): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      change('connecting', problem)
      try {
        const opened = await connect()
        if (stopping.signal.aborted) return void (await opened.close())
        const since = performance.now()
        begin(opened)
        const reason = await opened.ended
        connection = undefined
        // A server that takes us in only to drop us is not asked again every second.
        if (performance.now() - since > STABLE) attempt = 0
        if (!stopping.signal.aborted) change('waiting', reason)
      } catch (error) {
        if (stopping.signal.aborted) return
        const failed = readStreamError(error, domain)
        log.warn({ jid, err: failed }, 'The XMPP session could not be opened')
        if (isAppError(failed, 'not-authorized', 'bad-request')) return refuse(failed)
        change('waiting', failed)
      }
      await pause(reconnectDelay(attempt), stopping.signal)
    }
  }

  function begin(opened: Connection): void {
    connection = opened
    conversation = opened.conversation
    lastSignIn = opened.signIn
    if (opened.signIn !== 'resumed') services.onConnected(opened.caps)
    change('online')
  }

  function refuse(why: AppError): void {
    conversation?.end(new AppError('unavailable', `${jid} can no longer sign in`, { cause: why }))
    if (isAppError(why, 'not-authorized')) void saveToken?.(undefined)
    change('refused', why)
  }

  const life = live().catch((error) => log.error({ jid, err: error }, 'An XMPP session ended by a mistake of ours'))

  const session: XmppSession = {
    ...{ jid, pubsub, disco, mix },
    get status() {
      return status
    },
    get problem() {
      return problem
    },
    get isPrivateCertificate() {
      return connection?.isPrivateCertificate
    },
    get maxStanzaBytes() {
      return conversation?.bound.maxStanzaBytes
    },
    get rtt() {
      return connection?.rtt
    },
    get lastSignIn() {
      return lastSignIn
    },
    get traffic() {
      return { ...traffic }
    },
    onStatus(listener) {
      statusListeners.add(listener)
      return () => void statusListeners.delete(listener)
    },
    onPubsubEvent(listener) {
      eventListeners.add(listener)
      return () => void eventListeners.delete(listener)
    },
    onMessage(listener) {
      messageListeners.add(listener)
      return () => void messageListeners.delete(listener)
    },
    async sendMessage(message) {
      if (conversation === undefined) throw new AppError('unavailable', `${jid} is not connected`, { cause: problem })
      await conversation.tell(writeMessage(message))
    },
    whenOnline: (timeoutMs) => whenOnline(session, timeoutMs),
    readServices: services.read,
    requestUploadSlot: (file) =>
      requestUploadSlot({ ask, readServices: services.read, service: options.service }, file),
    readContacts: roster.readContacts,
    readServerTime: () => readEntityTime(ask, domain),
    setNickname: (name) => publishNickname(pubsub, jid, name),
    async invalidateToken() {
      const { token } = await options.credentials()
      if (token === undefined) return
      try {
        await (await connect(true)).close()
      } catch (error) {
        // It did not hold any more: what was wanted.
        if (!isAppError(error, 'not-authorized')) throw error
      } finally {
        await saveToken?.(undefined)
      }
    },
    async stop() {
      if (status === 'stopped') return
      stopping.abort()
      await connection?.close()
      connection = undefined
      conversation?.end(new AppError('unavailable', `The session of ${jid} has ended`))
      change('stopped', problem)
      await life
    },
  }
  return session
}
