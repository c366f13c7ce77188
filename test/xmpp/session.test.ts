import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { isAppError } from '#server/errors.ts'
import { backoff, reconnectDelay } from '#server/xmpp/backoff.ts'
import type { Credentials, FastToken, SessionStatus } from '#server/xmpp/ports.ts'
import { startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { type Rig, useRig } from '#test/support/rig.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`

describe('a session', () => {
  let rig: Rig
  before(async () => {
    rig = await useRig()
  })
  after(() => rig.stop())

  for (const kind of ['ejabberd', 'prosody'] as const) {
    describe(`on ${kind}`, () => {
      async function register(name: string) {
        const user = unique(name)
        await rig[kind].register(user, `password of ${user}`)
        return user
      }

      it('signs in with a password, and next time with the token that it was given', async () => {
        const user = await register('juliet')
        const tokens: (FastToken | undefined)[] = []
        const saveToken = (token: FastToken | undefined) => void tokens.push(token)
        const userAgentId = randomUUID()
        {
          await using session = openTestSession(rig[kind], user, { saveToken, userAgentId })
          await session.whenOnline(30_000)
          assert.equal(session.isPrivateCertificate, true)
        }
        const [token] = tokens
        assert.ok(token)
        await using again = openTestSession(rig[kind], user, { saveToken, userAgentId, credentials: () => ({ token }) })
        await again.whenOnline(30_000)
        assert.equal(again.status, 'online')
      })

      it('signs in with the password where the token no longer holds, and forgets it', async () => {
        const user = await register('juliet')
        const tokens: (FastToken | undefined)[] = []
        const token = { token: 'made up', mechanism: 'HT-SHA-256-NONE' }
        await using session = openTestSession(rig[kind], user, {
          saveToken: (saved) => void tokens.push(saved),
          credentials: () => ({ password: `password of ${user}`, token }),
        })
        await session.whenOnline(30_000)
        assert.notEqual(tokens.at(-1)?.token, token.token)
      })

      it('is online even where its token cannot be saved', async () => {
        const saveToken = () => Promise.reject(new Error('The disk is full'))
        await using session = openTestSession(rig[kind], await register('juliet'), { saveToken })
        await session.whenOnline(30_000)
      })

      it('has the server forget the token when it is told to, and stays online meanwhile', async () => {
        const user = await register('juliet')
        const stored: Credentials = { password: `password of ${user}` }
        let token: FastToken | undefined
        const userAgentId = randomUUID()
        const seen: SessionStatus[] = []
        await using session = openTestSession(rig[kind], user, {
          userAgentId,
          saveToken: (saved) => {
            token = saved
          },
          credentials: () => ({ ...stored, ...(token && { token }) }),
        })
        await session.whenOnline(30_000)
        session.onStatus((status) => seen.push(status))
        const old = token
        assert.ok(old)
        await session.invalidateToken()
        assert.equal(token, undefined)
        assert.deepEqual(seen, [])
        await using again = openTestSession(rig[kind], user, { userAgentId, credentials: () => ({ token: old }) })
        await assert.rejects(again.whenOnline(30_000), (error) => isAppError(error, 'not-authorized'))
      })

      it('is refused for good with a wrong password', async () => {
        const user = await register('juliet')
        await using session = openTestSession(rig[kind], user, { credentials: () => ({ password: 'wrong' }) })
        await assert.rejects(session.whenOnline(30_000), (error) => isAppError(error, 'not-authorized'))
        assert.equal(session.status, 'refused')
        assert.match(session.problem?.message ?? '', /does not accept/)
        await assert.rejects(session.whenOnline(30_000), (error) => isAppError(error, 'not-authorized'))
        await assert.rejects(session.readServices(), (error) => isAppError(error, 'unavailable'))
      })

      it('tells a missing account from a wrong password in nothing', async () => {
        await using session = openTestSession(rig[kind], unique('nobody'))
        await assert.rejects(session.whenOnline(30_000), /does not accept this address with this password/)
      })

      it('takes passwords of any script', async () => {
        const user = unique('juliet')
        await rig[kind].register(user, 'žluťoučký kůň 日本語')
        await using session = openTestSession(rig[kind], user, {
          credentials: () => ({ password: 'žluťoučký kůň 日本語' }),
        })
        await session.whenOnline(30_000)
      })

      it('finds the services of its server', async () => {
        await using session = openTestSession(rig[kind], await register('juliet'))
        await session.whenOnline(30_000)
        const services = await session.readServices()
        const { domain } = rig[kind]
        assert.equal(services.pep, true)
        assert.equal(services.pubsub, `pubsub.${domain}`)
        assert.equal(services.mix, kind === 'ejabberd' ? `mix.${domain}` : undefined)
        assert.equal(services.upload?.jid, `upload.${domain}`)
        assert.ok((services.upload?.maxSize ?? 0) >= 1_048_576)
        assert.equal(session.readServices(), session.readServices())
      })

      it('knows the limit of its server where that is announced', async () => {
        await using session = openTestSession(rig[kind], await register('juliet'))
        await session.whenOnline(30_000)
        assert.equal(session.maxStanzaBytes, kind === 'prosody' ? 262_144 : undefined)
      })

      it('stops, and says so', async () => {
        const session = openTestSession(rig[kind], await register('juliet'))
        await session.whenOnline(30_000)
        const seen: SessionStatus[] = []
        session.onStatus((status) => seen.push(status))
        await session.stop()
        await session.stop()
        assert.deepEqual(seen, ['stopped'])
        await assert.rejects(session.whenOnline(1000), (error) => isAppError(error, 'unavailable'))
      })
    })
  }

  it('works over WebSocket', async () => {
    const user = unique('juliet')
    await rig.ejabberd.register(user, `password of ${user}`)
    await using session = openTestSession({ domain: 'ejabberd.test', service: rig.ejabberd.webSocket ?? '' }, user)
    await session.whenOnline(30_000)
    assert.equal((await session.readServices()).pep, true)
  })
})

describe('a session whose server speaks only SASL', () => {
  it('does without SASL2, and never says its password without TLS', async () => {
    await using server = await startFakeServer()
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(30_000)
    assert.equal(server.received[0]?.attrs.mechanism, 'PLAIN')
    await using refused = openTestSession(server, 'juliet', { credentials: () => ({ password: 'wrong' }) })
    await assert.rejects(refused.whenOnline(30_000), (error) => isAppError(error, 'not-authorized'))
  })

  it('prefers every SCRAM to PLAIN', async () => {
    await using server = await startFakeServer({ mechanisms: ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'X-OTHER'] })
    await using session = openTestSession(server, 'juliet', { connectTimeout: 500 })
    await until(() => session.status === 'waiting')
    assert.equal(server.received[0]?.attrs.mechanism, 'SCRAM-SHA-256')
  })

  it('stops at once while it connects', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const session = openTestSession({ domain: 'silent.test', service: `xmpp://127.0.0.1:${port}` }, 'juliet')
    await until(
      async () => (await new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count)))) > 0,
    )
    const began = Date.now()
    await session.stop()
    assert.ok(Date.now() - began < 5000)
    silent.close()
  })

  it('reads its credentials at each sign-in', async () => {
    await using server = await startFakeServer()
    let count = 0
    await using session = openTestSession(server, 'juliet', {
      credentials: async () => ({ password: ++count === 1 ? 'first' : 'wrong' }),
    })
    await session.whenOnline(30_000)
    server.connections[0]?.socket.destroy()
    await until(() => session.status === 'refused')
    assert.equal(count, 2)
  })
})

describe('what a session answers', () => {
  const iq = (inside: string, type = 'get') => `<iq type='${type}' id='q1' from='romeo@fake.test/x'>${inside}</iq>`
  const requests = {
    ping: iq("<ping xmlns='urn:xmpp:ping'/>"),
    disco: iq("<query xmlns='http://jabber.org/protocol/disco#info'/>"),
    version: iq("<query xmlns='jabber:iq:version'/>"),
    unknown: iq("<query xmlns='urn:unknown'><deep/></query>", 'set'),
  }
  async function ask(isSite: boolean) {
    await using server = await startFakeServer()
    await using session = openTestSession(server, 'juliet', { isSite })
    await session.whenOnline(30_000)
    const answers: Record<string, string> = {}
    for (const [name, request] of Object.entries(requests)) {
      const seen = server.received.length
      const connection = await until(() => server.connections[0])
      connection.send(request)
      const answer = await until(() => server.received.slice(seen).find(({ attrs }) => attrs.id === 'q1'))
      assert.equal(answer.attrs.to, 'romeo@fake.test/x')
      answers[name] = answer.attrs.type === 'error' ? 'error' : (answer.getChildElements()[0]?.toString() ?? 'empty')
    }
    const silent = [
      "<message from='romeo@fake.test'><body>hi</body><request xmlns='urn:xmpp:receipts'/></message>",
      "<presence from='romeo@fake.test' type='subscribe'/>",
      "<iq type='result' id='another' from='romeo@fake.test'/>",
    ]
    for (const stanza of silent) server.connections[0]?.send(stanza)
    server.connections[0]?.send(requests.ping)
    await until(() => server.received.filter(({ attrs }) => attrs.id === 'q1').length === 5)
    const others = server.received.filter(
      ({ name, attrs }) => attrs.id !== 'q1' && ['message', 'presence'].includes(name),
    )
    return { answers, others: others.map(String) }
  }

  it('as a person is next to nothing, and its presence is never sent', async () => {
    const { answers, others } = await ask(false)
    assert.deepEqual(answers, { ping: 'empty', disco: 'error', version: 'error', unknown: 'error' })
    assert.deepEqual(others, [])
  })

  it('as the site is what it is, and it is available with priority 0', async () => {
    const { answers, others } = await ask(true)
    assert.equal(answers.ping, 'empty')
    assert.match(answers.disco ?? '', /<identity category="client" type="bot" name="Canto"/)
    assert.match(answers.version ?? '', /<name>Canto<\/name>/)
    assert.equal(answers.unknown, 'error')
    assert.deepEqual(others, ['<presence><priority>0</priority></presence>'])
  })
})

describe('the pause before another attempt', () => {
  it('is short before the first, for most lines are there again at once', () => {
    assert.deepEqual(
      [0, 1, 2].map((n) => reconnectDelay(n, () => 1)),
      [250, 1000, 2000],
    )
    assert.equal(
      reconnectDelay(0, () => 0),
      50,
    )
  })

  it('doubles up to a minute, half of it chance', () => {
    assert.deepEqual(
      [0, 1, 2, 5, 6, 100].map((n) => backoff(n, () => 1)),
      [1000, 2000, 4000, 32_000, 60_000, 60_000],
    )
    assert.deepEqual(
      [0, 1, 100].map((n) => backoff(n, () => 0)),
      [500, 1000, 30_000],
    )
  })
})
