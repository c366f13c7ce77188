import { domainOf } from '#shared/jid.ts'
import { AppError, isAppError } from '../errors.ts'
import { type Connection, openConnection } from './connection.ts'
import { createDisco, findServices } from './disco.ts'
import { readEntityTime } from './entity-time.ts'
import { readStreamError } from './errors.ts'
import { publishNickname } from './nickname.ts'
import type { FastToken, PubsubEvent, Services, SessionOptions, SessionStatus, XmppSession } from './ports.ts'
import { createPubsub } from './pubsub.ts'
import { readPubsubEvents } from './pubsub-events.ts'
import type { Ask } from './requests.ts'

const FIRST_DELAY = 1000
const LONGEST_DELAY = 60_000
const CONNECT_TIMEOUT = 30_000

/** Milliseconds before attempt number `attempt` + 1: twice as long each time, half of it chance, so that a server that comes back is not met by everybody at once. */
export function backoff(attempt: number, random = Math.random): number {
  const whole = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(attempt, 16))
  return whole / 2 + (random() * whole) / 2
}

/** An account's session: returns at once, connects by itself, and again whenever the connection is lost. */
export function openSession(options: SessionOptions): XmppSession {
  const { jid, log } = options
  const domain = domainOf(jid)
  const stopping = new AbortController()
  const statusListeners = new Set<(status: SessionStatus) => void>()
  const eventListeners = new Set<(event: PubsubEvent) => void>()
  let status: SessionStatus = 'connecting'
  let problem: AppError | undefined
  let connection: Connection | undefined
  let services: Promise<Services> | undefined

  const ask: Ask = async (...args) => {
    // Not the problem itself: a refused sign-in says nothing about the node that was asked for.
    if (connection === undefined) throw new AppError('unavailable', `${jid} is not connected`, { cause: problem })
    return connection.ask(...args)
  }
  const disco = createDisco(ask)
  const pubsub = createPubsub(jid, ask, disco)

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

  async function connect(invalidates = false): Promise<Connection> {
    const credentials = await options.credentials()
    const saveToken = options.saveToken && ((token: FastToken | undefined) => options.saveToken?.(token))
    return openConnection({
      signIn: { jid, credentials, userAgentId: options.userAgentId, saveToken, invalidates },
      service: options.service,
      allowPrivate: options.allowPrivate ?? false,
      isSite: options.isSite && !invalidates,
      timeout: options.connectTimeout ?? CONNECT_TIMEOUT,
      onMessage(stanza) {
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
        connection = opened
        services = undefined
        attempt = -1
        change('online')
        const reason = await opened.ended
        connection = undefined
        if (!stopping.signal.aborted) change('waiting', reason)
      } catch (error) {
        if (stopping.signal.aborted) return
        const failed = readStreamError(error, domain)
        log.warn({ jid, err: failed }, 'The XMPP session could not be opened')
        if (isAppError(failed, 'not-authorized', 'bad-request')) return refuse(failed)
        change('waiting', failed)
      }
      await pause(backoff(Math.max(attempt, 0)), stopping.signal)
    }
  }

  function refuse(why: AppError): void {
    if (isAppError(why, 'not-authorized')) void options.saveToken?.(undefined)
    change('refused', why)
  }

  const life = live().catch((error) => log.error({ jid, err: error }, 'An XMPP session ended by a mistake of ours'))

  return {
    jid,
    pubsub,
    disco,
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
      return connection?.maxStanzaBytes
    },
    get rtt() {
      return connection?.rtt
    },
    onStatus(listener) {
      statusListeners.add(listener)
      return () => void statusListeners.delete(listener)
    },
    onPubsubEvent(listener) {
      eventListeners.add(listener)
      return () => void eventListeners.delete(listener)
    },
    whenOnline(timeoutMs) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const settle = () => {
        if (status === 'online') resolve()
        else if (status === 'refused' || status === 'stopped') {
          reject(problem ?? new AppError('unavailable', `The session of ${jid} has ended`))
        }
      }
      const late = () => reject(problem ?? new AppError('timeout', `The XMPP server of ${domain} does not answer`))
      const timer = setTimeout(late, timeoutMs)
      statusListeners.add(settle)
      settle()
      return promise.finally(() => {
        clearTimeout(timer)
        statusListeners.delete(settle)
      })
    },
    readServices() {
      services ??= findServices(jid, disco).catch((error) => {
        services = undefined
        throw error
      })
      return services
    },
    readServerTime: () => readEntityTime(ask, domain),
    setNickname: (name) => publishNickname(pubsub, jid, name),
    async invalidateToken() {
      const { token } = await options.credentials()
      if (token === undefined) return
      try {
        await (await connect(true)).close()
      } finally {
        await options.saveToken?.(undefined)
      }
    },
    async stop() {
      if (status === 'stopped') return
      stopping.abort()
      await connection?.close()
      connection = undefined
      change('stopped', problem)
      await life
    },
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
