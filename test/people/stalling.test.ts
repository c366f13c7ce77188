import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { AppError, isAppError } from '#server/errors.ts'
import { createIdentity } from '#server/local/certificate.ts'
import type { OpenSession } from '#server/people/accounts.ts'
import { createTurns } from '#server/people/turns.ts'
import type { XmppSession } from '#server/xmpp/ports.ts'
import { openSession } from '#server/xmpp/session.ts'
import { trustCertificate } from '#test/support/certificates.ts'
import { jidOf } from '#test/support/context.ts'
import { startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { leadByDns } from '#test/support/strangers.ts'
import { openTestSession, SILENT } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'
import { createFakeServer, createTestPeople } from './test-people.ts'

const DOMAIN = 'stalling.test'
const LATE = 'late.test'
const IDENTITY = createIdentity(DOMAIN, new Date())
trustCertificate(IDENTITY.certificate)
const STREAM = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1'>`
const PLAIN = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>`
const BIND = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>`
const HEADER = /<stream:stream[^>]*>/g

/** The server's answers to what it hears, in order, before it falls silent; undefined does not even speak TLS. */
type Script = readonly (readonly [RegExp, string])[] | undefined

const offer: Script = [[HEADER, `${STREAM}<stream:features>${PLAIN}</stream:features>`]]
const success: Script = [...offer, [/<\/auth>/g, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"]]
const features: Script = [...success, [HEADER, `${STREAM}<stream:features>${BIND}</stream:features>`]]
const bound: Script = [
  ...features,
  [/<\/iq>/g, `<iq type='result' id='ID'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind></iq>`],
]
const STAGES: Readonly<Record<string, Script>> = {
  'before TLS': undefined,
  'before the stream begins': [],
  'before its features': [[HEADER, STREAM]],
  'in the midst of its features': [[HEADER, `${STREAM}<stream:features><mechanisms xmlns='`]],
  'in SASL': offer,
  'after SASL': success,
  'before a resource is bound': features,
  'after a resource was bound': bound,
}

interface StallingServer extends AsyncDisposable {
  readonly port: number
  readonly sockets: Set<Socket>
}

async function startStalling(script: Script): Promise<StallingServer> {
  const sockets = new Set<Socket>()
  const server: Server =
    script === undefined ? createTcpServer() : createTlsServer({ cert: IDENTITY.certificate, key: IDENTITY.key })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    // A socket that is not read does not see the end either.
    if (script === undefined) socket.resume()
  })
  server.on('secureConnection', (socket: Socket) => play(socket, [...(script ?? [])]))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    ...{ port: (server.address() as AddressInfo).port, sockets },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function play(socket: Socket, script: (readonly [RegExp, string])[]): void {
  let heard = ''
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    heard += bytes
    const [wanted, answer] = script[0] ?? []
    if (wanted === undefined || answer === undefined || heard.search(wanted) === -1) return
    script.shift()
    socket.write(answer.replace('ID', /id="([^"]+)"/.exec(heard)?.[1] ?? ''))
    heard = ''
  })
}

const patient: OpenSession = (options) =>
  openSession({ ...options, isSite: false, allowPrivate: true, log: SILENT, connectTimeout: 1_000 })

describe('a sign-in server that stalls', () => {
  for (const [stage, script] of Object.entries(STAGES)) {
    it(`${stage} is given up, says so, and holds nothing`, async () => {
      await using stack = new AsyncDisposableStack()
      const server = stack.use(await startStalling(script))
      stack.use(await leadByDns({ [DOMAIN]: server.port }))
      const opened: XmppSession[] = []
      const { people } = stack.use(
        await createTestPeople({
          env: { CANTO_SIGNIN_DOMAINS: '*' },
          openSession: (options) => {
            const session = patient(options)
            opened.push(session)
            return session
          },
        }),
      )
      const signIn = people.signIn({ jid: `juliet@${DOMAIN}`, password: 'x', address: '192.0.2.1' })
      signIn.catch(() => {})
      await until(() => server.sockets.size === 1)
      await assert.rejects(signIn, (error) => {
        return (
          isAppError(error, 'unavailable') &&
          error.message === `The XMPP server of ${DOMAIN} does not answer. Try again in a moment.`
        )
      })
      await until(() => server.sockets.size === 0)
      assert.deepEqual(
        opened.map(({ status }) => status),
        ['stopped'],
      )
      assert.deepEqual(people.sessions(), [])
    })
  }

  it('in DNS is not connected to by a session that has ended', async () => {
    await using server = await startFakeServer({ domain: LATE })
    const options = { service: undefined, allowPrivate: true }
    const late = Promise.withResolvers<XmppSession>()
    await using _dns = await leadByDns({
      get [LATE]() {
        // It is asked, and nobody waits for the answer any more.
        late.promise.then((session) => session.stop())
        return server.port
      },
    })
    const ended = openTestSession({ domain: LATE, service: '' }, 'juliet', options)
    late.resolve(ended)
    await until(() => ended.status === 'stopped')
    await using session = openTestSession({ domain: LATE, service: '' }, 'romeo', options)
    await session.whenOnline(30_000)
    assert.equal(server.connections.length, 1)
  })
})

describe('sign-ins that wait', () => {
  const SITE = jidOf('localhost')

  it('keep nobody of the site from signing in, and of another server and network only so many', async () => {
    const turns = createTurns(SITE)
    const waiting = Promise.withResolvers<void>()
    const stall = (jid: string, address: string) => turns({ jid: jidOf(jid), address }, () => waiting.promise)
    const isRefused = (words: RegExp) => (error: unknown) =>
      isAppError(error, 'unavailable') && words.test(error.message)
    const held: Promise<void>[] = []
    for (let n = 0; n < 5; n++) held.push(stall(`u${n}@a.example`, '2001:db8::1'))
    await assert.rejects(stall('u@b.example', '2001:db8::2'), isRefused(/of your network/))
    for (let n = 0; n < 5; n++) held.push(stall(`v${n}@a.example`, `192.0.2.${n}`))
    await assert.rejects(stall('w@a.example', '198.51.100.1'), isRefused(/of a\.example/))
    for (let n = 0; n < 40; n++) held.push(stall(`x@${n}.example`, `203.0.113.${n}`))
    await assert.rejects(stall('y@y.example', '198.51.100.2'), isRefused(/Too many people are/))
    for (let n = 0; n < 100; n++) held.push(stall(`z${n}@localhost`, '2001:db8::1'))
    await assert.rejects(stall('z@localhost', '192.0.2.1'), isRefused(/Too many people are/))
    waiting.resolve()
    await Promise.all(held)
    await stall('u@a.example', '2001:db8::1')
  })

  /** Holds every sign-in at `evil.example` and below until it is told to go on; all others work. */
  async function createStalled(stack: AsyncDisposableStack) {
    const stalled = Promise.withResolvers<never>()
    stalled.promise.catch(() => {})
    const server = createFakeServer()
    const ctx = stack.use(
      await createTestPeople({
        env: { CANTO_SIGNIN_DOMAINS: '*' },
        openSession: (options) => {
          const session = server.open(options)
          const isEvil = options.jid.endsWith('evil.example')
          return isEvil ? Object.assign(session, { whenOnline: () => stalled.promise }) : session
        },
      }),
    )
    return { ...ctx, people: ctx.people, letGo: () => stalled.reject(new AppError('unavailable', 'late')) }
  }

  it('at a server with any number of names keep nobody else from signing in', async () => {
    await using stack = new AsyncDisposableStack()
    const { people, letGo } = await createStalled(stack)
    const signIn = (jid: string, address: string, more: object = {}) =>
      people.signIn({ jid, password: 'secret', address, ...more })
    const { knownBrowser } = await signIn('romeo@good.example', '192.0.2.200')
    const held: Promise<unknown>[] = []
    for (let network = 0; network < 10; network++)
      for (let name = 0; name < 5; name++) held.push(signIn(`u${network}@n${name}.evil.example`, `192.0.2.${network}`))
    const settled = Promise.allSettled(held)
    await assert.rejects(signIn('one-more@n9.evil.example', '198.51.100.9'), /Too many people of evil\.example/)
    await signIn('nurse@other.example', '198.51.100.1')
    await signIn('romeo@good.example', '192.0.2.1', { knownBrowser })
    await signIn('juliet', '192.0.2.1')
    letGo()
    const words = (await settled).flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
    assert.equal(words.filter((each) => /does not answer/.test(each)).length, 10)
    assert.equal(words.filter((each) => /Too many people of evil\.example/.test(each)).length, 40)
  })

  it('have places apart from those of browsers that signed in before', async () => {
    const turns = createTurns(SITE)
    const waiting = Promise.withResolvers<void>()
    const held: Promise<void>[] = []
    for (let n = 0; n < 50; n++)
      held.push(turns({ jid: jidOf(`u@${n}.example`), address: `192.0.2.${n}` }, () => waiting.promise))
    for (let n = 0; n < 100; n++)
      held.push(turns({ jid: jidOf(`u${n}@localhost`), address: '192.0.2.1' }, () => waiting.promise))
    const stranger = { jid: jidOf('u@99.example'), address: '198.51.100.1' }
    const own = { jid: jidOf('juliet@localhost'), address: '192.0.2.1' }
    for (const applicant of [stranger, own]) {
      await assert.rejects(
        turns(applicant, async () => {}),
        /Too many people are signing in/,
      )
      assert.equal(await turns({ ...applicant, isKnown: true }, async () => 'in'), 'in')
    }
    waiting.resolve()
    await Promise.all(held)
  })

  it('count for a while against their domain and their network, which share a few places from then on', async () => {
    let now = 0
    const turns = createTurns(SITE, () => now)
    const hold = (waiting: Promise<void>, count: number, round: string) =>
      Array.from({ length: count }, (_, n) =>
        turns({ jid: jidOf(`u@${round}${n % 5}.example`), address: `192.0.2.${n % 10}` }, () => waiting),
      )
    const stranger = { jid: jidOf('nurse@other.example'), address: '198.51.100.1' }
    const first = Promise.withResolvers<void>()
    const all = hold(first.promise, 50, 'a')
    await assert.rejects(
      turns(stranger, async () => {}),
      /Too many people are/,
    )
    now += 20_000
    first.resolve()
    await Promise.all(all)
    // The same domains again, and others from the same networks.
    for (const round of ['a', 'b']) {
      const again = Promise.withResolvers<void>()
      const held = Promise.allSettled(hold(again.promise, 50, round))
      assert.equal(await turns(stranger, async () => 'in'), 'in', round)
      assert.equal(await turns({ ...stranger, jid: jidOf('v@a0.example'), isKnown: true }, async () => 'in'), 'in')
      again.resolve()
      assert.ok((await held).filter(({ status }) => status === 'fulfilled').length <= 10, round)
    }
    now += 11 * 60_000
    const later = Promise.withResolvers<void>()
    const held = hold(later.promise, 50, 'a')
    later.resolve()
    await Promise.all(held)
  })

  it('are followed by no more than 500 sessions of one other domain and all below it', async () => {
    await using ctx = await createTestPeople({ env: { CANTO_SIGNIN_DOMAINS: '*' } })
    const signIn = (user: string) => ctx.people.signIn({ jid: user, password: 'secret', address: '192.0.2.1' })
    for (let n = 0; n < 500; n++) await signIn(`u${n}@s${n % 9}.crowd.example`)
    for (const domain of ['crowd.example', 's10.crowd.example'])
      await assert.rejects(signIn(`one-more@${domain}`), /Too many people of crowd\.example are signed in here/)
    await signIn('u1@s1.crowd.example')
    await signIn('v@other.example')
    await signIn('juliet')
  })
})
