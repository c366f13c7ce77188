import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { PubsubEvent, SessionOptions, SessionStatus, XmppSession } from '#server/xmpp/ports.ts'
import type { BareJid } from '#shared/jid.ts'
import { type FakeConnection, startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const SM = 'urn:xmpp:sm:3'
const STANZAS = ['iq', 'message', 'presence']
const NODE = { service: 'romeo@fake.test' as BareJid, node: 'n' }

interface Behaviour {
  /** Attributes of `<enabled/>`. */
  readonly enabled?: string
  /** What the server says to `<resume/>`, after having handled so many. */
  readonly onResume?: (handled: number, connection: FakeConnection) => void
  readonly session?: Partial<SessionOptions>
}

const resumed = (h: number | string, previd = 's1') => `<resumed xmlns='${SM}' previd='${previd}' h='${h}'/>`

/** A session on a server that manages streams and answers nothing by itself, counting as it should. */
async function online(behaviour: Behaviour = {}) {
  await using stack = new AsyncDisposableStack()
  let handled = 0
  const server = stack.use(
    await startFakeServer({
      features: `<sm xmlns='${SM}'/>`,
      onStanza(stanza, connection) {
        if (STANZAS.includes(stanza.name)) handled++
        else if (stanza.name === 'enable') {
          handled = 0
          connection.send(`<enabled xmlns='${SM}' ${behaviour.enabled ?? "id='s1' resume='true'"}/>`)
        } else if (stanza.name === 'resume') {
          if (behaviour.onResume) behaviour.onResume(handled, connection)
          else connection.send(resumed(handled))
        }
      },
    }),
  )
  const session = stack.use(openTestSession(server, 'juliet', behaviour.session))
  const events: PubsubEvent[] = []
  const seen: SessionStatus[] = []
  session.onPubsubEvent((event) => events.push(event))
  session.onStatus((status) => seen.push(status))
  await session.whenOnline(30_000)
  seen.length = 0
  const received = (name: string) => server.received.filter((stanza) => stanza.name === name)
  const asked = () => received('iq').filter((stanza) => stanza.getChild('pubsub'))
  const connection = () => {
    const last = server.connections.at(-1)
    assert.ok(last)
    return last
  }
  const again = async () => {
    await until(() => seen.includes('waiting') && seen.at(-1) === 'online')
    return connection()
  }
  const moved = stack.move()
  return {
    ...{ server, session, events, seen, received, asked, connection, again },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

const answerTo = (stanza: Element | undefined) => `<iq type='result' from='romeo@fake.test' id='${stanza?.attrs.id}'/>`
const blog = (id: string) =>
  `<message from='romeo@fake.test'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='${id}'/></items></event></message>`
const ask = (session: XmppSession) => session.pubsub.purgeNode(NODE)

describe('a session whose line breaks', () => {
  it('goes on where it was: who waits gets the answer, nothing is asked twice, presence is not sent again', async () => {
    await using ctx = await online({ session: { isSite: true } })
    ctx.connection().send(blog('1'))
    const answer = ask(ctx.session)
    await until(() => ctx.asked().length === 1)
    await until(() => ctx.events.length === 1)
    ctx.connection().socket.destroy()
    const connection = await ctx.again()
    assert.deepEqual(ctx.seen, ['waiting', 'connecting', 'online'])
    assert.equal(ctx.session.lastSignIn, 'resumed')
    assert.equal(String(ctx.received('resume')[0]), `<resume xmlns="${SM}" previd="s1" h="1"/>`)
    connection.send(answerTo(ctx.asked()[0]) + blog('2'))
    await answer
    await until(() => ctx.events.length === 2)
    assert.equal(ctx.asked().length, 1)
    assert.equal(ctx.received('presence').length, 1)
    connection.send(`<r xmlns='${SM}'/>`)
    // Two messages and an answer, over both streams.
    await until(() => ctx.received('a').some(({ attrs }) => attrs.h === '3'))
    assert.equal(ctx.received('enable').length, 1)
  })

  it('sends again what never arrived, in order and before anything new', async () => {
    await using ctx = await online({
      onResume: (handled, { send }) => send(resumed(handled - 2)),
    })
    const answers = [ask(ctx.session), ask(ctx.session), ask(ctx.session)]
    await until(() => ctx.asked().length === 3)
    ctx.connection().socket.destroy()
    const connection = await ctx.again()
    await until(() => ctx.asked().length === 5)
    const ids = ctx.asked().map(({ attrs }) => attrs.id)
    assert.deepEqual(ids.slice(3), ids.slice(1, 3))
    for (const stanza of ctx.asked().slice(0, 3)) connection.send(answerTo(stanza))
    await Promise.all(answers)
  })

  it('fails what is asked while there is no line, and then goes on with what waits for its turn', async () => {
    await using ctx = await online()
    // More than may be asked of one server at once: the ninth waits.
    const eight = Array.from({ length: 8 }, () => ask(ctx.session))
    const ninth = ctx.session.pubsub.listSubscriptions('romeo@fake.test' as BareJid)
    await until(() => ctx.asked().length === 8)
    ctx.connection().socket.destroy()
    await until(() => ctx.seen.includes('waiting'))
    await assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
    const connection = await ctx.again()
    for (const stanza of ctx.asked()) connection.send(answerTo(stanza))
    await Promise.all(eight)
    await until(() => ctx.asked().length === 9)
    connection.send(answerTo(ctx.asked().at(-1)))
    await ninth
  })

  it('goes on a second and a third time', async () => {
    await using ctx = await online()
    for (let drop = 1; drop <= 3; drop++) {
      const answer = ask(ctx.session)
      await until(() => ctx.asked().length === drop)
      ctx.seen.length = 0
      ctx.connection().socket.destroy()
      const connection = await ctx.again()
      assert.equal(ctx.session.lastSignIn, 'resumed')
      connection.send(answerTo(ctx.asked().at(-1)))
      await answer
    }
    assert.deepEqual(
      ctx.received('resume').map(({ attrs }) => attrs.h),
      ['0', '1', '2'],
    )
  })

  it('begins anew on the same stream where the server has forgotten it, and who waited is told', async () => {
    await using ctx = await online({
      session: { isSite: true },
      onResume: (_, { send }) => send(`<failed xmlns='${SM}' h='1'/>`),
    })
    const refused = assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
    await until(() => ctx.asked().length === 1)
    ctx.connection().socket.destroy()
    await ctx.again()
    await refused
    assert.equal(ctx.session.lastSignIn, 'password')
    assert.equal(ctx.server.connections.length, 2)
    await until(() => ctx.received('presence').length === 2)
    assert.equal(ctx.asked().length, 1)
  })

  for (const [what, answer] of [
    ['more than was sent', resumed(100)],
    ['a count that is none', resumed('many')],
    ['another stream', resumed(0, 's2')],
  ] as const) {
    it(`begins anew where the server resumes ${what}`, async () => {
      await using ctx = await online({ onResume: (_, { send }) => send(answer) })
      const refused = assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
      await until(() => ctx.asked().length === 1)
      ctx.connection().socket.destroy()
      await refused
      await ctx.again()
      assert.equal(ctx.session.lastSignIn, 'password')
      assert.equal(ctx.received('resume').length, 1)
      assert.equal(ctx.asked().length, 1)
    })
  }

  it('does not ask a server to go on that says how long it would, once that is over', async () => {
    await using ctx = await online({ enabled: "id='s1' resume='true' max='0.02' location='evil.example:1'" })
    const refused = assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
    await until(() => ctx.asked().length === 1)
    ctx.connection().socket.destroy()
    await ctx.again()
    await refused
    assert.equal(ctx.received('resume').length, 0)
    assert.equal(ctx.session.lastSignIn, 'password')
  })

  for (const [how, end] of [
    ['closes the stream', '</stream:stream>'],
    ['ends it by an error', "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
    ['sends what is no XML', '<message>&nonsense;</message>'],
  ] as const) {
    it(`does not go on where the server ${how}, and who waits is told at once`, async () => {
      await using ctx = await online()
      const refused = assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
      await until(() => ctx.asked().length === 1)
      ctx.connection().send(end)
      await refused
      await ctx.again()
      assert.equal(ctx.received('resume').length, 0)
    })
  }

  it('ends its stream when it is stopped, so that nothing of it stays', async () => {
    await using ctx = await online()
    let text = ''
    ctx.connection().socket.on('data', (chunk) => {
      text += chunk
    })
    await ctx.session.stop()
    assert.match(text, /<\/stream:stream>$/)
    await assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
  })

  it('tells who waits when it is stopped before there is another line', async () => {
    await using ctx = await online()
    const refused = assert.rejects(ask(ctx.session), (error) => isAppError(error, 'unavailable'))
    await until(() => ctx.asked().length === 1)
    ctx.connection().socket.destroy()
    await until(() => ctx.seen.includes('waiting'))
    await ctx.session.stop()
    await refused
    assert.equal(ctx.received('resume').length, 0)
  })

  it('counts what goes over all its lines', async () => {
    await using ctx = await online()
    const before = ctx.session.traffic
    assert.ok(before)
    // Connection, TLS, stream, sign-in, stream, resource, stream management.
    assert.equal(before.roundTrips, 7)
    ctx.connection().send(`${blog('é')}<r xmlns='${SM}'/>`)
    await until(() => ctx.received('a').length === 1)
    const after = ctx.session.traffic
    assert.equal((after?.bytesIn ?? 0) - before.bytesIn, Buffer.byteLength(`${blog('é')}<r xmlns='${SM}'/>`))
    assert.equal((after?.stanzasIn ?? 0) - before.stanzasIn, 1)
    const refused = assert.rejects(ask(ctx.session))
    await until(() => ctx.asked().length === 1)
    assert.equal(ctx.session.traffic?.roundTrips, 8)
    assert.ok((ctx.session.traffic?.bytesOut ?? 0) - before.bytesOut > 100)
    ctx.connection().socket.destroy()
    await ctx.again()
    // Connection, TLS, stream, sign-in, stream, resumption.
    assert.equal(ctx.session.traffic?.roundTrips, 14)
    await ctx.session.stop()
    await refused
  })
})
