import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Element } from 'ltx'
import { AppError, isAppError } from '#server/errors.ts'
import { isSignedInBy } from '#server/xmpp/negotiate.ts'
import { STRANGER } from '#server/xmpp/stanza-bounds.ts'
import { connectStream, type Stream } from '#server/xmpp/stream.ts'
import { readService } from '#server/xmpp/targets.ts'
import { createTraffic } from '#server/xmpp/traffic.ts'
import type { BareJid } from '#shared/jid.ts'
import { type FakeConnection, startFakeServer } from '#test/support/fake-xmpp-server.ts'
import { createTestFolder } from '#test/support/folder.ts'
import { leadByDns } from '#test/support/strangers.ts'
import { openTestSession } from '#test/support/test-session.ts'
import { until } from '#test/support/until.ts'

const SESSIONS = fileURLToPath(import.meta.resolve('#test/support/hostile-sessions.ts'))
const SM = 'urn:xmpp:sm:3'
const JULIET = 'juliet@fake.test' as BareJid

/** Says the same again and again, as fast as it is heard. */
function flood({ socket }: FakeConnection, piece: string): void {
  const bytes = Buffer.from(piece)
  const more = () => !socket.destroyed && socket.write(bytes, () => setImmediate(more))
  more()
}

describe('a hostile server', () => {
  it('of the site has a stanza skipped that is too large, and counted, and the stream goes on', async () => {
    const large = '<a/>'.repeat(400_000)
    await using server = await startFakeServer({
      features: `<sm xmlns='${SM}'/>`,
      onStanza: (stanza, { send }) => {
        if (stanza.name === 'enable') return send(`<enabled xmlns='${SM}'/>`)
        if (stanza.attrs.type !== 'get') return
        const { id } = stanza.attrs
        send(`<message from='romeo@fake.test'>${large}</message>`)
        send(`<iq type='result' id='${id}' from='fake.test'>${large}</iq>`)
        send(`<iq type='result' id='${id}' from='${stanza.attrs.to ?? 'juliet@fake.test'}'>${large}</iq>`)
        send(`<r xmlns='${SM}'/>`)
      },
    })
    await using session = openTestSession(server, 'juliet', { isSite: true })
    await session.whenOnline(30_000)
    const reading = session.pubsub.listItems({ service: 'romeo@fake.test' as BareJid, node: 'n' })
    await assert.rejects(reading, (error) => isAppError(error, 'too-large'))
    const answer = await until(() => server.received.find((element) => element.is('a', SM)))
    assert.equal(answer.attrs.h, '3')
    assert.equal(session.status, 'online')
    assert.equal(server.connections.length, 1)
  })

  it('of a stranger may say no more in one stanza than a stranger may', async () => {
    await using server = await startFakeServer({ domain: 'stranger.test' })
    await using _dns = await leadByDns({ 'stranger.test': server.port })
    await using session = openTestSession(server, 'juliet', { service: undefined, allowPrivate: true })
    await session.whenOnline(30_000)
    const connection = await until(() => server.connections.find(({ isBound }) => isBound))
    const lost = new Promise<void>((resolve) => session.onStatus((status) => status === 'waiting' && resolve()))
    connection.send('<message>')
    flood(connection, 'x'.repeat(65_536))
    await lost
    assert.match(session.problem?.message ?? '', /stranger\.test sends more at once than Canto reads/)
    assert.ok((session.traffic?.bytesIn ?? 0) < 2 * STRANGER.characters)
  })

  it('is not answered for ever where it does not read the answers', async () => {
    await using server = await startFakeServer()
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(30_000)
    const connection = await until(() => server.connections.find(({ isBound }) => isBound))
    const lost = new Promise<void>((resolve) => session.onStatus((status) => status === 'waiting' && resolve()))
    connection.socket.pause()
    flood(connection, "<iq type='get' id='p' from='fake.test'><ping xmlns='urn:xmpp:ping'/></iq>".repeat(1000))
    await lost
    assert.match(session.problem?.message ?? '', /does not read what it is sent/)
  })

  it('does not keep a session from ending by reading nothing', async () => {
    await using server = await startFakeServer()
    await using session = openTestSession(server, 'juliet')
    await session.whenOnline(30_000)
    for (const { socket } of server.connections) socket.pause()
    // More than the system keeps for a socket: what is said now waits for ever.
    const message = { to: 'romeo@fake.test', type: 'normal', body: 'x'.repeat(1_000_000) } as const
    const sent = Promise.allSettled(Array.from({ length: 12 }, () => session.sendMessage(message)))
    await session.stop()
    assert.equal(session.status, 'stopped')
    await sent
  })

  /** A stream to a server that begins with `first` and then says the same every few milliseconds. */
  async function listenTo(first: string, again: string): Promise<Stream & AsyncDisposable> {
    const header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.write(header + first)
      const timer = setInterval(() => socket.write(again), 5)
      socket.on('close', () => clearInterval(timer))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const target = readService(`xmpp://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const boundsFrom = () => ({ ...STRANGER, patience: 200 })
    const options = { jid: JULIET, target, traffic: createTraffic(), boundsFrom }
    const stream = await connectStream(options, new AbortController().signal)
    await stream.open()
    return Object.assign(stream, {
      async [Symbol.asyncDispose]() {
        stream.destroy(new AppError('unavailable', 'The test is over'))
        server.close()
      },
    })
  }

  it('may send more right behind the end of the sign-in, before anybody here has read that it ended', async () => {
    const large = `<message><body>${'x'.repeat(300 * 1024)}</body></message>`
    const server = createServer((socket) => {
      socket.on('error', () => {})
      const header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
      socket.write(`${header}<features/><resumed xmlns='urn:xmpp:sm:3'/>${large}<iq/>`)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const target = readService(`xmpp://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const traffic = createTraffic()
    const boundsFrom = (element: Element) => (isSignedInBy(element) ? STRANGER : undefined)
    const options = { jid: JULIET, target, traffic, boundsFrom }
    const stream = await connectStream(options, new AbortController().signal)
    await stream.open()
    await until(() => traffic.bytesIn > large.length)
    const names = [await stream.next(), await stream.next(), await stream.next()].map(({ name }) => name)
    assert.deepEqual(names, ['resumed', 'message', 'iq'])
    stream.destroy(new AppError('unavailable', 'The test is over'))
    server.close()
  })

  it('has only so much time for one stanza, however lively it is', async () => {
    await using stream = await listenTo('<a/><b>', '<c/>')
    assert.match((await stream.ended).message, /fake\.test does not end what it began to say/)
  })

  it('is heard without end where each stanza does end', async () => {
    await using stream = await listenTo('<a/><b>', '</b> <b>')
    let heard = 0
    stream.listen(() => heard++)
    const began = Date.now()
    await until(() => heard > 100 && Date.now() - began > 400)
  })

  it('is not heard without end while nobody has asked for what it says', async () => {
    await using stream = await listenTo('<a/>', `<b>${'<c/>'.repeat(10_000)}</b>`)
    assert.match((await stream.ended).message, /fake\.test sends more than there is room for now/)
  })

  const ENDLESS = { elements: '<a/>', depth: '<a>', attributes: "<a b1='' b2='' b3='' b4='' b5='' b6=''/>" }
  for (const [what, piece] of Object.entries(ENDLESS)) {
    it(`cannot exhaust memory by stanzas of endless ${what}, in 20 sessions at once`, {
      timeout: 280_000,
    }, async () => {
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await createTestFolder())
      const server = stack.use(
        await startFakeServer({ domain: 'hostile.test', onBound: (connection) => begin(connection, piece) }),
      )
      const dns = stack.use(await leadByDns({ 'hostile.test': server.port }))
      const ca = folder.file('ca.pem')
      await writeFile(ca, server.certificate)
      const { heap, peak } = await runSessions({ dns: dns.port, domain: 'hostile.test', ca })
      console.log(`20 sessions of endless ${what}: ${heap} MB more on the heap, ${peak} MB at most`)
      assert.ok(heap < 30, `${heap} MB more than before`)
    })
  }
})

/** Megabytes that the sessions leave on the heap, and the peak of the process. */
async function runSessions({ dns, domain, ca }: { dns: number; domain: string; ca: string }) {
  const child = spawn(
    process.execPath,
    // Twice what honest sessions would need.
    ['--expose-gc', '--max-old-space-size=256', SESSIONS, String(dns), domain, '20'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_EXTRA_CA_CERTS: ca } },
  )
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.equal(code, 0, 'the process that has the sessions is alive')
  return JSON.parse(output) as { heap: number; peak: number }
}

function begin(connection: FakeConnection, piece: string): void {
  connection.send('<message>')
  flood(connection, piece.repeat(Math.ceil(65_536 / piece.length)))
}
