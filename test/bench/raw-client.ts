import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { RigServer } from '#test/support/rig.ts'

/** Bytes to and from a server, and nothing else: what no client can beat. */
export interface RawClient extends Disposable {
  write(text: string): void
  /** Resolves once the pattern has been seen so often since the last call. */
  see(pattern: RegExp, times?: number): Promise<void>
}

export async function openRawClient(server: RigServer, user: string): Promise<RawClient> {
  const header = `<stream:stream to='${server.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
  const plain = connect(server.port, '127.0.0.1')
  const begun = createReader(plain)
  plain.write(header)
  await begun.see(/<\/stream:features>/g)
  plain.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  await begun.see(/<proceed/g)
  plain.removeAllListeners('data')
  const socket = connectTls({ socket: plain, servername: server.domain })
  await once(socket, 'secureConnect')
  const client = createReader(socket)
  const secret = Buffer.from(`\0${user}\0password of ${user}`).toString('base64')
  socket.write(header)
  await client.see(/<\/stream:features>/g)
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${secret}</auth>`)
  await client.see(/<success/g)
  socket.write(header)
  await client.see(/<\/stream:features>/g)
  socket.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
  await client.see(/<\/jid>/g)
  return client
}

function createReader(socket: Socket): RawClient {
  let text = ''
  let check = () => {}
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    check()
  })
  return {
    write: (words) => void socket.write(words),
    see(pattern, times = 1) {
      const { promise, resolve } = Promise.withResolvers<void>()
      let seen = 0
      check = () => {
        let end = 0
        for (const match of text.matchAll(pattern)) {
          seen++
          end = match.index + match[0].length
        }
        text = text.slice(end)
        if (seen >= times) resolve()
      }
      check()
      return promise
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}
