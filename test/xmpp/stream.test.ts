import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { Element } from 'ltx'
import { isAppError } from '#server/errors.ts'
import type { PubsubEvent } from '#server/xmpp/ports.ts'
import { asItemId } from '#shared/address.ts'
import type { BareJid } from '#shared/jid.ts'
import { startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const blog = (id: string, title: string) =>
  `<message from='romeo@fake.test'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='${id}'><entry xmlns='http://www.w3.org/2005/Atom'><title>${title}</title></entry></item></items></event></message>`
const titleOf = (event: PubsubEvent | undefined) =>
  event?.kind === 'published' ? event.item?.payload?.getChild('title')?.getText() : undefined

async function online(options: Parameters<typeof startFakeServer>[0] = {}, more = {}) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startFakeServer(options))
  const session = stack.use(openTestSession(server, 'juliet', more))
  const events: PubsubEvent[] = []
  session.onPubsubEvent((event) => events.push(event))
  await session.whenOnline(30_000)
  let drops = 0
  session.onStatus((status) => {
    if (status === 'waiting') drops++
  })
  const connection = await until(() => server.connections.find(({ isBound }) => isBound))
  const moved = stack.move()
  const dropped = (times = 1) => until(() => drops === times)
  return { server, session, events, connection, dropped, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

describe('a stream', () => {
  it('keeps a character whose bytes come one at a time', async () => {
    await using ctx = await online()
    for (const byte of Buffer.from(blog('1', 'naïve 日本語 🎭'))) {
      ctx.connection.send(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => ctx.events.length === 1)
    assert.equal(titleOf(ctx.events[0]), 'naïve 日本語 🎭')
  })

  it('survives XML that is none, and connects again', async () => {
    await using ctx = await online()
    ctx.connection.send('<message><body>&nonsense;</body></message>')
    await ctx.dropped()
    await ctx.session.whenOnline(30_000)
    ctx.server.connections.at(-1)?.send('</message>')
    await ctx.dropped(2)
    await ctx.session.whenOnline(30_000)
  })

  it('follows no see-other-host', async () => {
    await using other = await startFakeServer({ domain: 'other.test' })
    await using ctx = await online()
    ctx.connection.send(
      `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:${other.port}</see-other-host></stream:error>`,
    )
    await ctx.dropped()
    await ctx.session.whenOnline(30_000)
    assert.equal(other.connections.length, 0)
  })

  it('ends before a server has said more than signing in takes', async () => {
    let said = 0
    const server = createServer((socket) => {
      socket.on('error', () => {})
      const drown = () => {
        const chunk = ' '.repeat(65_536)
        said += chunk.length
        if (!socket.destroyed) socket.write(chunk, () => setImmediate(drown))
      }
      socket.write("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><x a='")
      drown()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await using session = openTestSession({ domain: 'fake.test', service: `xmpp://127.0.0.1:${port}` }, 'juliet')
    await until(() => session.status === 'waiting')
    assert.ok(said < 32 * 1024 * 1024, `it listened to ${said} characters`)
    server.close()
  })

  it('drops the payload of an item nested too deep, and goes on', async () => {
    await using ctx = await online()
    ctx.connection.send(blog('deep', `${'<b>'.repeat(20_000)}${'</b>'.repeat(20_000)}`))
    ctx.connection.send(blog('flat', 'after'))
    await until(() => ctx.events.length === 2)
    assert.deepEqual(ctx.events[0], {
      kind: 'published',
      address: { service: 'romeo@fake.test', node: 'n', item: 'deep' },
    })
    assert.equal(titleOf(ctx.events[1]), 'after')
  })

  it('sends no character that XML forbids', async () => {
    await using ctx = await online({
      onStanza: (stanza, { send }) => stanza.name === 'iq' && send(`<iq type='result' id='${stanza.attrs.id}'/>`),
    })
    const address = { service: 'juliet@fake.test' as BareJid, node: 'n', item: asItemId('1') }
    const payload = new Element('entry', { xmlns: 'http://www.w3.org/2005/Atom' })
    payload.c('title').t('a\u0000b\u0008c\ud800d\ufffee 🎭')
    await ctx.session.pubsub.publishItem(address, payload)
    const sent = ctx.server.received.find((stanza) => stanza.toString().includes('publish'))
    assert.match(String(sent), /<title>a\ufffdb\ufffdc\ufffdd\ufffde 🎭<\/title>/)
  })

  it('refuses to send what is larger than the server takes, and stays online', async () => {
    const limits = "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes></limits>"
    await using ctx = await online({ features: limits })
    assert.equal(ctx.session.maxStanzaBytes, 10_000)
    const address = { service: 'juliet@fake.test' as BareJid, node: 'n', item: asItemId('1') }
    const payload = new Element('entry').t('é'.repeat(5000))
    await assert.rejects(ctx.session.pubsub.publishItem(address, payload), (error) =>
      isAppError(error, 'stanza-too-big'),
    )
    let deep = new Element('b')
    for (let depth = 0; depth < 10_000; depth++) deep = new Element('b').cnode(deep).up()
    await assert.rejects(ctx.session.pubsub.publishItem(address, deep), (error) => isAppError(error, 'too-large'))
    assert.equal(ctx.session.status, 'online')
  })

  it('does not trust a certificate that nobody vouches for', async () => {
    await using server = await startFakeServer({ domain: 'untrusted.test', isTrusted: false })
    await using session = openTestSession(server, 'juliet')
    await until(() => session.status === 'waiting')
    assert.match(session.problem?.message ?? '', /certificate of untrusted\.test cannot be trusted/)
    assert.deepEqual(server.received, [])
  })

  it('does not trust a certificate of another domain', async () => {
    await using server = await startFakeServer({ domain: 'mallory.test' })
    await using session = openTestSession({ ...server, domain: 'bank.test' }, 'juliet')
    await until(() => session.status === 'waiting')
    assert.match(session.problem?.message ?? '', /certificate/)
    assert.deepEqual(server.received, [])
  })

  it('gives up on a server that says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    await using session = openTestSession({ domain: 'silent.test', service: `xmpp://127.0.0.1:${port}` }, 'juliet', {
      connectTimeout: 300,
    })
    await until(() => session.status === 'waiting')
    assert.equal(session.problem?.code, 'timeout')
    silent.close()
  })
})
