import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { type Element, parse } from 'ltx'
import { createIdentity, type Identity } from '#server/local/certificate.ts'
import { trustCertificate } from './certificates.ts'

export interface FakeServerOptions {
  readonly domain?: string
  /** Whether the test process trusts its certificate. */
  readonly isTrusted?: boolean
  /** Added to the features after signing in. */
  readonly features?: string
  /** What it offers; PLAIN takes any password but `wrong`. */
  readonly mechanisms?: readonly string[]
  /** Called when a resource was bound. */
  readonly onBound?: (connection: FakeConnection) => void
  /** Called for every stanza after binding, and everything else the server does not know by itself. */
  readonly onStanza?: (stanza: Element, connection: FakeConnection) => void
}

/** A stream of a client, from the server's side. */
export interface FakeConnection {
  readonly socket: TLSSocket
  /** Whether a resource was bound. */
  isBound: boolean
  /** The account that signed in, without the domain. */
  user: string
  send(xml: string | Buffer): void
}

export interface FakeServer extends AsyncDisposable {
  readonly domain: string
  readonly service: string
  readonly port: number
  /** PEM. */
  readonly certificate: string
  /** Everything that clients sent, in order. */
  readonly received: readonly Element[]
  readonly connections: readonly FakeConnection[]
}

const STREAM = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='fake' from='DOMAIN'>`
const TOP_LEVEL =
  /^\s*(?:<([\w:]+)(?:\s[^>]*)?(?:\/>|>.*?<\/\1>)|<\?xml[^>]*\?>|<stream:stream[^>]*>|<\/stream:stream>)/s

// One for each domain: of several trusted ones with the same subject OpenSSL looks at one alone.
const identities = new Map<string, Identity>()

function findIdentity(domain: string, isTrusted: boolean): Identity {
  const known = identities.get(domain)
  if (known) return known
  const identity = createIdentity(domain, new Date())
  identities.set(domain, identity)
  if (isTrusted) trustCertificate(identity.certificate)
  return identity
}

/** A server whose every word a test chooses: direct TLS on loopback, SASL PLAIN, one resource. */
export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const domain = options.domain ?? 'fake.test'
  const identity = findIdentity(domain, options.isTrusted ?? true)
  const received: Element[] = []
  const connections: FakeConnection[] = []
  const server = createServer({ cert: identity.certificate, key: identity.key }, (socket) => {
    const connection: FakeConnection = { socket, isBound: false, user: '', send: (xml) => void socket.write(xml) }
    connections.push(connection)
    serve(connection, { ...options, domain, received })
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    domain,
    port,
    certificate: identity.certificate,
    service: `xmpps://127.0.0.1:${port}`,
    received,
    connections,
    async [Symbol.asyncDispose]() {
      for (const { socket } of connections) socket.destroy()
      server.close()
    },
  }
}

interface Served extends FakeServerOptions {
  readonly domain: string
  readonly received: Element[]
}

function serve(connection: FakeConnection, options: Served): void {
  const { domain, features = '', mechanisms = ['PLAIN'] } = options
  let isSignedIn = false
  let text = ''
  const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
  const offered = mechanisms.map((name) => `<mechanism>${name}</mechanism>`).join('')
  const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>${features}`

  function answer(part: string): unknown {
    if (part.startsWith('<?xml')) return
    if (part.startsWith('</stream')) return connection.socket.end('</stream:stream>')
    if (part.startsWith('<stream:stream')) {
      const inside = isSignedIn ? bind : `<mechanisms ${sasl}>${offered}</mechanisms>`
      return connection.send(`${STREAM.replace('DOMAIN', domain)}<stream:features>${inside}</stream:features>`)
    }
    const stanza = parse(part)
    options.received.push(stanza)
    if (stanza.name === 'auth' && stanza.attrs.mechanism === 'PLAIN') {
      const [, user = '', password] = Buffer.from(stanza.getText(), 'base64').toString().split('\0')
      connection.user = user
      isSignedIn = password !== 'wrong'
      return connection.send(isSignedIn ? `<success ${sasl}/>` : `<failure ${sasl}><not-authorized/></failure>`)
    }
    const resource = stanza.getChild('bind')
    if (resource) {
      connection.isBound = true
      const jid = `<jid>${connection.user}@${domain}/balcony</jid>`
      connection.send(
        `<iq type='result' id='${stanza.attrs.id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${jid}</bind></iq>`,
      )
      return options.onBound?.(connection)
    }
    return options.onStanza?.(stanza, connection)
  }

  connection.socket.on('error', () => {})
  connection.socket.on('data', (chunk) => {
    text += chunk
    for (let match = TOP_LEVEL.exec(text); match; match = TOP_LEVEL.exec(text)) {
      text = text.slice(match[0].length)
      answer(match[0].trim())
    }
  })
}
