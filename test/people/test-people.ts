import { randomBytes } from 'node:crypto'
import type { Config } from '#server/config.ts'
import { readConfig } from '#server/config.ts'
import { AppError } from '#server/errors.ts'
import { silentLogger } from '#server/log.ts'
import type { OpenSession } from '#server/people/accounts.ts'
import type { People } from '#server/people/people.ts'
import { createPeople } from '#server/people/people.ts'
import { createSecret } from '#server/people/secret.ts'
import type { StateDb } from '#server/store/database.ts'
import { openState } from '#server/store/database.ts'
import type { Credentials, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'

/** A session of no server: its accounts all have the password `secret`, but for `nobody`. */
export interface FakeSession {
  readonly userAgentId: string
  status: SessionStatus
  isTokenEnded: boolean
  credentials(): Promise<Credentials>
  giveToken(token: string): Promise<void>
  refuse(): void
}

export interface FakeServer {
  isDown: boolean
  readonly givesTokens: boolean
  readonly opened: FakeSession[]
  readonly open: OpenSession
  last(): FakeSession
}

export function createFakeServer(givesTokens = false): FakeServer {
  const opened: FakeSession[] = []
  const server: FakeServer = {
    isDown: false,
    givesTokens,
    opened,
    open: (options) => openFake(server, options),
    last: () => opened.at(-1) as FakeSession,
  }
  return server
}

function openFake(server: FakeServer, options: Parameters<OpenSession>[0]): XmppSession {
  const listeners = new Set<(status: SessionStatus) => void>()
  const fake: FakeSession = {
    userAgentId: options.userAgentId,
    status: 'connecting',
    isTokenEnded: false,
    credentials: async () => options.credentials(),
    giveToken: async (token) => options.saveToken?.({ token, mechanism: 'HT-SHA-256-NONE' }),
    refuse: () => become('refused'),
  }
  const become = (status: SessionStatus) => {
    fake.status = status
    for (const listener of listeners) listener(status)
  }
  server.opened.push(fake)
  const session = {
    jid: options.jid,
    get status() {
      return fake.status
    },
    whenOnline: async () => {
      if (server.isDown) throw new AppError('unavailable', 'connection refused')
      const { password, token } = await options.credentials()
      const isRight = token !== undefined || (password === 'secret' && !options.jid.startsWith('nobody'))
      if (!isRight) throw new AppError('not-authorized', 'not-authorized')
      become('online')
      if (server.givesTokens) await fake.giveToken('first')
    },
    onStatus: (listener: (status: SessionStatus) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    invalidateToken: async () => {
      fake.isTokenEnded = true
    },
    stop: async () => become('stopped'),
  }
  return session as unknown as XmppSession
}

export interface TestPeople extends AsyncDisposable {
  readonly people: People
  readonly state: StateDb
  readonly server: FakeServer
  readonly config: Config
  advance(ms: number): void
  restart(): Promise<void>
  settle(): Promise<void>
}

export interface TestPeopleOptions {
  readonly givesTokens?: boolean
  /** Instead of the fake server. */
  readonly openSession?: OpenSession
  readonly env?: Record<string, string>
}

export async function createTestPeople(options: TestPeopleOptions = {}): Promise<TestPeople> {
  const state = await openState(':memory:')
  const config = readConfig({ CANTO_OPERATORS: 'juliet@localhost', ...options.env })
  const server = createFakeServer(options.givesTokens)
  const secret = createSecret(randomBytes(32))
  let now = Date.parse('2026-03-14T10:00:00Z')
  const create = () =>
    createPeople({
      config,
      state,
      secret,
      siteDomain: 'localhost' as BareJid,
      openSession: options.openSession ?? server.open,
      onSignIn: async () => {},
      clock: () => new Date(now),
      log: silentLogger,
    })
  let people = create()
  return {
    get people() {
      return people
    },
    ...{ state, server, config },
    advance: (ms) => {
      now += ms
    },
    restart: async () => {
      await people.stop()
      people = create()
    },
    settle: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
    async [Symbol.asyncDispose]() {
      await people.stop()
      await state.destroy()
    },
  }
}
